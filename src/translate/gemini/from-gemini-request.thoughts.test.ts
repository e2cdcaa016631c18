import { describe, expect, test } from 'vitest';
import { toClientPath } from '../front-request.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';

type Read = ReturnType<typeof fromGeminiRequest>;

function read(body: object): Read {
  return fromGeminiRequest(body, { model: 'gemini/x', stream: false });
}

function itemsOf(contents: unknown): unknown {
  return read({ contents }).request.input;
}

const hello = [{ role: 'user', parts: [{ text: 'Hello' }] }];
const sealed = (name: string): string => btoa(`antiphon.v1.${name}`);

describe('thoughts', () => {
  const turn = (...parts: object[]): unknown =>
    (itemsOf([...hello, { role: 'model', parts }, ...hello]) as object[]).slice(1, -1);
  const call = { functionCall: { name: 'f', id: 'a' } };
  const answered = (...parts: object[]): unknown =>
    (itemsOf([...hello, { role: 'model', parts }, { parts: [{ functionResponse: { name: 'f', id: 'a' } }] }]) as object[]).slice(
      1,
      -1,
    );

  test('come back with the signature of the part behind them', () => {
    expect(
      turn({ text: 'h', thought: true }, { text: 'm', thought: true }, { text: 'Hi', thoughtSignature: sealed('a') }),
    ).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'antiphon.v1.a' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi' }] },
    ]);
  });

  test('without text are items of their own, where the signature stood', () => {
    expect(turn({ text: 'Hi' }, { text: '', thought_signature: sealed('a') })).toMatchObject([
      { type: 'message' },
      { type: 'reasoning', summary: [], encrypted_content: 'antiphon.v1.a' },
    ]);
  });

  test('are not there twice when the call repeats the signature of the text', () => {
    expect(answered({ text: 'Hi', thoughtSignature: sealed('a') }, { ...call, thoughtSignature: sealed('a') })).toMatchObject([
      { type: 'reasoning', encrypted_content: 'antiphon.v1.a' },
      { type: 'message' },
      { type: 'function_call' },
    ]);
    expect(answered({ text: 'Hi' }, { ...call, thoughtSignature: sealed('a') })).toMatchObject([
      { type: 'message' },
      { type: 'reasoning', encrypted_content: 'antiphon.v1.a' },
      { type: 'function_call' },
    ]);
  });

  test('carry signatures in either alphabet of base64, and those of others as they are', () => {
    const urlSafe = btoa('antiphon.v1.??>>').replaceAll('/', '_').replaceAll('+', '-').replace(/=+$/, '');
    expect(turn({ text: 'Hi', thoughtSignature: urlSafe })).toMatchObject([{ encrypted_content: 'antiphon.v1.??>>' }, {}]);
    expect(turn({ text: 'Hi', thoughtSignature: 'EvoOCvcOARFNMg' })).toMatchObject([{ encrypted_content: 'EvoOCvcOARFNMg' }, {}]);
  });

  test.each([
    'skip_thought_signature_validator',
    btoa('skip_thought_signature_validator'),
    'context_engineering_is_the_way_to_go',
  ])("know Google's stand-in %s for none", (thoughtSignature) => {
    expect(answered({ ...call, thoughtSignature })).toMatchObject([{ type: 'function_call' }]);
  });

  test('and all else have the names of the client', () => {
    const { names } = read({
      contents: [
        ...hello,
        { role: 'model', parts: [{ text: 'Hi', thought_signature: sealed('a') }, call] },
        { parts: [{ functionResponse: { name: 'f', id: 'a' } }] },
      ],
    });
    expect(
      [
        'input[0].content[0]',
        'input[1].encrypted_content',
        'input[2].content[0]',
        'input[3].arguments',
        'input[4].output[0]',
        'input',
      ].map((path) => toClientPath(path, names)),
    ).toEqual([
      'contents[0].parts[0]',
      'contents[1].parts[0].thought_signature',
      'contents[1].parts[0]',
      'contents[1].parts[1].functionCall.args',
      'contents[2].parts[0].functionResponse.response',
      'contents',
    ]);
  });
});
