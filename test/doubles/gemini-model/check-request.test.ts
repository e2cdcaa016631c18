import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { askModel, declare, user } from './ask-model.ts';
import { objectOf } from './gemini-words.ts';
import { startGeminiModel, type GeminiModel } from './start-gemini-model.ts';

let model: GeminiModel;
/** Two calls as the endpoint made them, and their responses. */
let calls: JsonObject[];

beforeAll(async () => {
  model = await startGeminiModel({ forbidden: [/CANARY/] });
  const { parts } = await askModel(model.url, { contents: [user('[[call a {"x":1}]] [[call b]]')], ...declare('a', 'b') });
  calls = parts.filter((part) => isJsonObject(part['functionCall']));
});
afterAll(() => model.close());

function respond(call: JsonObject, more: object = {}): object {
  const { id, name } = objectOf(call['functionCall']);
  return { functionResponse: { id, name, response: { result: 'ok' }, ...more } };
}

const ask = user('Hello');

function exchange(parts: readonly object[], responses: readonly object[]): object {
  return { contents: [ask, { role: 'model', parts }, user(...responses)], ...declare('a', 'b') };
}

function schema(parameters: object): object {
  return { contents: [ask], tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parameters }] }] };
}

async function faultOf(body: object, id = 'gemini-3-pro'): Promise<string> {
  const before = model.violations.length;
  const reply = await askModel(model.url, body, id);
  const messages = model.violations.slice(before).map(({ message }) => message);
  expect(reply.status).toBe(messages.length === 0 ? 200 : 400);
  if (messages.length > 0) expect(reply.text).toContain('"INVALID_ARGUMENT"');
  return messages.join(' | ');
}

test('what is right passes', async () => {
  const [a, b] = calls as [JsonObject, JsonObject];
  expect(await faultOf(exchange([a, b], [respond(a), respond(b)]))).toBe('');
  expect(await faultOf(exchange([{ text: 'First' }, a], [respond(a), { text: 'and more' }]))).toBe('');
  expect(
    await faultOf({
      contents: [{ parts: [{ text: 'a single turn needs no role' }] }],
      system_instruction: { parts: [{ text: 's' }] },
    }),
  ).toBe('');
  expect(await faultOf(schema({ type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } }, required: ['a'] }))).toBe(
    '',
  );
});

describe('planted violations', () => {
  const planted: [name: string, body: () => object, expected: RegExp][] = [
    ['no contents', () => ({ contents: [] }), /contents is not specified/],
    ['a system role', () => ({ contents: [{ role: 'system', parts: [{ text: 'a' }] }, ask] }), /valid role/],
    ['no parts', () => ({ contents: [{ role: 'user', parts: [] }] }), /must not be empty/],
    ['an empty text', () => ({ contents: [user('')] }), /empty text/],
    ['a part of nothing', () => ({ contents: [user({ thought: true })] }), /oneof/],
    ['an unknown part', () => ({ contents: [user({ txt: 'a' })] }), /Unknown name "txt"/],
    ['an unknown field', () => ({ contents: [ask], stream: true }), /Unknown name "stream"/],
    ['a model that ends', () => ({ contents: [ask, { role: 'model', parts: [{ text: 'a' }] }] }), /end with a user role/],
    ['too few responses', () => exchange(calls, [respond(calls[0]!)]), /number of function response parts/],
    ['swapped responses', () => exchange(calls, [respond(calls[1]!), respond(calls[0]!)]), /response 0 is for b/],
    ['a lost id', () => exchange(calls, [respond(calls[0]!, { id: undefined }), respond(calls[1]!)]), /id of response 0/],
    ['a response of text', () => exchange(calls, [respond(calls[0]!, { response: 'ok' }), respond(calls[1]!)]), /not an object/],
    ['text before responses', () => exchange(calls, [{ text: 'x' }, ...calls.map((call) => respond(call))]), /must come first/],
    ['no responses', () => exchange(calls, [{ text: 'x' }]), /number of function response parts/],
    ['a response to nothing', () => ({ contents: [ask, user(respond(calls[0]!))] }), /immediately after a function call/],
    ['two model turns', () => exchange([{ text: 'a' }], []), /must not be empty/],
    [
      'a call behind a model turn',
      () => ({
        contents: [
          ask,
          { role: 'model', parts: [{ text: 'a' }] },
          { role: 'model', parts: calls },
          user(...calls.map((call) => respond(call))),
        ],
      }),
      /immediately after a user turn/,
    ],
    [
      'a lost signature',
      () => exchange([{ functionCall: calls[0]!['functionCall'] }], [respond(calls[0]!)]),
      /missing a thought_signature/,
    ],
    ['an invented signature', () => exchange([{ ...calls[0], thoughtSignature: 'QUJD' }], [respond(calls[0]!)]), /Corrupted/],
    [
      'a skip value',
      () => exchange([{ ...calls[0], thoughtSignature: 'skip_thought_signature_validator' }], [respond(calls[0]!)]),
      /skip value/,
    ],
    [
      'a moved signature',
      () => exchange([{ ...calls[1], thoughtSignature: calls[0]!['thoughtSignature'] }], [respond(calls[1]!)]),
      /call of a on a call of b/,
    ],
    [
      'changed arguments',
      () => exchange([{ ...calls[0], functionCall: { ...objectOf(calls[0]!['functionCall']), args: {} } }], [respond(calls[0]!)]),
      /Arguments of the signed call/,
    ],
    ['a bad name', () => ({ contents: [ask], ...declare('9-lives') }), /Invalid function name/],
    ['a name twice', () => ({ contents: [ask], ...declare('a', 'a') }), /Duplicate/],
    [
      'an empty description',
      () => ({ contents: [ask], tools: [{ functionDeclarations: [{ name: 'a', description: '' }] }] }),
      /description/,
    ],
    [
      'JSON Schema words in the OpenAPI form',
      () => schema({ type: 'object', properties: { a: { const: 1 } } }),
      /Unknown name "const"/,
    ],
    ['type lists', () => schema({ type: ['object'], properties: { a: {} } }), /unknown type/],
    ['an object without properties', () => schema({ type: 'object', properties: {} }), /non-empty for OBJECT/],
    [
      'both forms',
      () => ({
        contents: [ask],
        tools: [
          {
            functionDeclarations: [
              { name: 'f', description: 'd', parameters: { type: 'STRING' }, parametersJsonSchema: { type: 'object' } },
            ],
          },
        ],
      }),
      /exclude each other/,
    ],
    [
      'a choice without tools',
      () => ({ contents: [ask], toolConfig: { functionCallingConfig: { mode: 'ANY' } } }),
      /without function_declarations/,
    ],
    [
      'allowed names with AUTO',
      () => ({
        contents: [ask],
        ...declare('a'),
        toolConfig: { functionCallingConfig: { mode: 'AUTO', allowedFunctionNames: ['a'] } },
      }),
      /ANY or VALIDATED/,
    ],
    [
      'an undeclared name',
      () => ({
        contents: [ask],
        ...declare('a'),
        toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['b'] } },
      }),
      /b is not declared/,
    ],
    [
      'level and budget',
      () => ({ contents: [ask], generationConfig: { thinkingConfig: { thinkingLevel: 'LOW', thinkingBudget: 1 } } }),
      /thinking budget/,
    ],
    ['a forbidden text', () => ({ contents: [user('a CANARY here')] }), /forbidden text/],
  ];
  test.each(planted)('%s', async (_, body, expected) => {
    expect(await faultOf(body())).toMatch(expected);
  });
});

test.each(['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'])(
  'where the documented stand-ins are allowed, %s passes as it is and as base64',
  async (value) => {
    const lenient = await startGeminiModel({ allowsSkipSignatures: true });
    for (const thoughtSignature of [value, Buffer.from(value).toString('base64'), 'QUJD']) {
      const call = { functionCall: { name: 'a', args: {} }, thoughtSignature };
      const body = exchange([call], [respond(call), { text: 'so?' }]);
      expect((await askModel(lenient.url, body, 'gemini-3-pro')).status).toBe(thoughtSignature === 'QUJD' ? 400 : 200);
    }
    await lenient.close();
  },
);

test('older models need no signatures, but take no JSON beside functions', async () => {
  const body = exchange([{ functionCall: { name: 'a', args: {} } }], [{ functionResponse: { name: 'a', response: {} } }]);
  expect(await faultOf(body, 'gemini-2.5-pro')).toBe('');
  expect(await faultOf({ ...body, generationConfig: { responseMimeType: 'application/json' } }, 'gemini-2.5-pro')).toMatch(
    /mime type/,
  );
});
