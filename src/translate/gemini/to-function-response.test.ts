import { describe, expect, test } from 'vitest';
import type { ContentPart } from '../../model/model-request.ts';
import { toFunctionResponse } from './to-function-response.ts';

function respond(content: readonly (string | ContentPart)[], takesMedia = true) {
  const parts = content.map((part): ContentPart => (typeof part === 'string' ? { type: 'text', text: part, path: 'o' } : part));
  return toFunctionResponse(
    { type: 'call-output', callId: 'c', name: 'f', content: parts, path: 'o' },
    { name: 'f', id: undefined, takesMedia },
  );
}

describe('the response is an object', () => {
  const deep = `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`;
  test.each([
    ['a JSON object goes as it is', ['{"a":{"b":[1]}}'], { a: { b: [1] } }],
    ['a list is the result', ['[1,"x"]'], { result: [1, 'x'] }],
    ['a text, a number, broken JSON stay text', ['4C'], { result: '4C' }],
    ['', ['42'], { result: '42' }],
    ['', ['{"a":'], { result: '{"a":' }],
    ['nothing', [], { result: '' }],
    ['several texts', ['a', '{"b":1}'], { result: ['a', '{"b":1}'] }],
    ['a reference would be looked up among attached media', ['{"x":[{"$ref":"#/a"}]}'], { result: '{"x":[{"$ref":"#/a"}]}' }],
    ['so would its like', ['{"$defs":{}}'], { result: '{"$defs":{}}' }],
    ['a number that would change', ['{"id":12345678901234567890}'], { result: '{"id":12345678901234567890}' }],
    ['deeper than a Struct may be', [deep], { result: deep }],
  ])('%s %j', (_, content, expected) => {
    expect(respond(content).part.functionResponse).toEqual({ name: 'f', response: expected });
  });
});

describe('media', () => {
  const image: ContentPart = {
    type: 'image',
    source: { type: 'data', mediaType: 'image/png', base64: 'QQ==' },
    detail: null,
    path: 'i',
  };
  const audio: ContentPart = {
    type: 'file',
    source: { type: 'data', mediaType: 'audio/wav', base64: 'QQ==' },
    filename: null,
    path: 'a',
  };
  const inline = { inlineData: { mimeType: 'image/png', data: 'QQ==' } };

  test('Gemini 3 takes images inside the response, what it does not take there stands behind', () => {
    const { part, attachments } = respond(['{"ok":true}', image, audio]);
    expect(part.functionResponse).toEqual({ name: 'f', response: { ok: true }, parts: [inline] });
    expect(attachments).toEqual([{ inlineData: { mimeType: 'audio/wav', data: 'QQ==' } }]);
  });

  test('older models get them behind the responses', () => {
    const { part, attachments } = respond([image], false);
    expect(part.functionResponse).toEqual({ name: 'f', response: {} });
    expect(attachments).toEqual([inline]);
  });
});
