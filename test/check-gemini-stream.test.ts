import { describe, expect, test } from 'vitest';
import { checkGeminiStream } from './check-gemini-stream.ts';
import { readGeminiStream } from './read-gemini-stream.ts';

const base = '"modelVersion":"gemini-x","responseId":"resp_1"';
const content = (parts: string): string => `"content":{"parts":[${parts}],"role":"model"},"index":0`;
const grounding =
  '"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://example.org"}}],' +
  '"groundingSupports":[{"segment":{"startIndex":3,"endIndex":6,"text":"bcd"},"groundingChunkIndices":[0]}]}';
const usage = '"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}';
const call = '{"functionCall":{"id":"call_1","name":"f","args":{}},"thoughtSignature":"c2lnbmVk"}';

/** Three chunks with one of everything. */
const good = [
  `{"candidates":[{${content('{"text":"hm","thought":true}')}}],${base}}`,
  `{"candidates":[{${content('{"text":"äab","thoughtSignature":"c2lnbmVk"}')}}],${base}}`,
  `{"candidates":[{${content(`{"text":"cd"},${call}`)},"finishReason":"STOP",${grounding}}],${usage},${base}}`,
];

/** One planted mistake each: what it is, in which chunk, and what stands there instead. */
const mistakes: readonly (readonly [name: string, chunk: number, from: string, to: string])[] = [
  ['no finishReason', 2, '"finishReason":"STOP",', ''],
  ['an unknown finishReason', 2, 'STOP', 'END'],
  ['a finishReason before the end', 1, '"index":0', '"index":0,"finishReason":"STOP"'],
  ['no usage', 2, `${usage},`, ''],
  ['usage before the end', 0, base, `${usage},${base}`],
  ['a count that is none', 2, '"candidatesTokenCount":2', '"candidatesTokenCount":-2'],
  ['a count that is missing', 2, '"totalTokenCount":3', '"other":3'],
  ['grounding before the end', 0, '"index":0', `"index":0,${grounding}`],
  ['another responseId', 1, 'resp_1', 'resp_2'],
  ['another modelVersion', 1, 'gemini-x', 'gemini-y'],
  ['no responseId at all', 0, '"resp_1"', '""'],
  ['no candidate', 1, `{${content('{"text":"äab","thoughtSignature":"c2lnbmVk"}')}}`, ''],
  ['another role', 1, '"role":"model"', '"role":"assistant"'],
  ['another index', 1, '"index":0', '"index":1'],
  ['no parts', 0, '{"text":"hm","thought":true}', ''],
  ['an empty text', 0, '"text":"hm","thought":true', '"text":""'],
  ['a part that is two things', 2, '"text":"cd"', '"text":"cd","functionCall":{"id":"x","name":"f","args":{}}'],
  ['a part that is nothing', 2, '{"text":"cd"}', '{}'],
  ['a signature that is no base64', 1, 'c2lnbmVk', 'antiphon.v1.sealed'],
  ['a signed thought', 0, '"thought":true', '"thought":true,"thoughtSignature":"c2lnbmVk"'],
  ['a call without an id', 2, '"id":"call_1",', ''],
  ['two calls with one id', 2, call, `${call},${call}`],
  ['a call without a name', 2, '"name":"f"', '"name":""'],
  ['args as text', 2, '"args":{}', '"args":"{}"'],
  ['offsets in characters', 2, '"startIndex":3,"endIndex":6', '"startIndex":2,"endIndex":5'],
  ['a source that is not there', 2, '"groundingChunkIndices":[0]', '"groundingChunkIndices":[1]'],
  ['an error in the middle', 1, good[1] ?? '', '{"error":{"code":500,"message":"x","status":"INTERNAL"}}'],
];

function parse(chunks: readonly string[]): unknown[] {
  return chunks.map((chunk) => JSON.parse(chunk) as unknown);
}

describe("the oracle of Gemini's stream", () => {
  test('passes a good stream, and one that ends with an error', () => {
    expect(checkGeminiStream(parse(good))).toEqual([]);
    const error = '{"error":{"code":503,"message":"later","status":"UNAVAILABLE"}}';
    expect(checkGeminiStream(parse([...good.slice(0, 2), error]))).toEqual([]);
  });

  test.each(mistakes)('catches: %s', (_name, chunk, from, to) => {
    const planted = good.map((text, at) => (at === chunk ? text.replace(from, to) : text));
    expect(planted).not.toEqual(good);
    expect(checkGeminiStream(parse(planted))).not.toEqual([]);
  });

  test('catches a stream without an end, an empty one, and an error without words', () => {
    expect(checkGeminiStream(parse(good.slice(0, 2)))).not.toEqual([]);
    expect(checkGeminiStream([])).not.toEqual([]);
    expect(checkGeminiStream([{ error: { code: 'x', message: '', status: 'later' } }])).toHaveLength(3);
  });
});

describe('the reader', () => {
  test('takes data frames and arrays', () => {
    expect(readGeminiStream('data: {"a":1}\r\n\r\ndata: {"b":2}\r\n\r\n', 'sse')).toEqual([{ a: 1 }, { b: 2 }]);
    expect(readGeminiStream('[{"a":1}\n,\n{"b":2}\n]', 'array')).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test.each([
    ['a comment', ': keep-alive\r\n\r\ndata: {}\r\n\r\n'],
    ['[DONE]', 'data: {}\r\n\r\ndata: [DONE]\r\n\r\n'],
    ['an event name', 'event: chunk\r\ndata: {}\r\n\r\n'],
    ['a cut frame', 'data: {}\r\n\r\ndata: {'],
    ['nothing', ''],
  ])('refuses %s', (_name, body) => {
    expect(() => readGeminiStream(body, 'sse')).toThrow();
  });

  test('refuses an array that is not closed', () => {
    expect(() => readGeminiStream('[{"a":1}', 'array')).toThrow();
    expect(() => readGeminiStream('{"a":1}', 'array')).toThrow('no array');
  });
});
