import { describe, expect, test } from 'vitest';
import { createReasoningEnvelope } from '../../engine/reasoning-envelope.ts';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import type { JsonObject } from '../../lib/json.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';
import { takesGeminiNatively } from './takes-gemini-natively.ts';

const envelope = createReasoningEnvelope({ keys: [new Uint8Array(32)], randomBytes: (size) => new Uint8Array(size) });
const user = { role: 'user', parts: [{ text: 'Hi' }] };
const newest = 'gemini-3-pro-preview';
const flash = 'gemini-2.5-flash';

/** Whether Gemini gets the body as it is. */
function takes(more: object, model = newest, isVertex = false): boolean {
  const body: JsonObject = { contents: [user], ...more };
  const { request } = fromGeminiRequest(body, { model: null, stream: false });
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const { items: input } = toInputItems({ inherited: [], own }, { owner: 'me', strict: false }, envelope);
  const asked = toModelRequest(request, { model, input, session: null }).value;
  return takesGeminiNatively(asked, body, { isVertex });
}

const call = (name: string, id?: string): object => ({ functionCall: { name, args: {}, ...(id !== undefined && { id }) } });
const result = (name: string, id?: string, more: object = {}): object => ({
  functionResponse: { name, response: { ok: true }, ...(id !== undefined && { id }), ...more },
});
const model = (...parts: unknown[]): object => ({ role: 'model', parts });
const says = (...parts: unknown[]): object => ({ role: 'user', parts });
const talk = (...contents: unknown[]): object => ({ contents: [user, ...contents] });
const tool = (more: object): object => ({ tools: [{ functionDeclarations: [{ name: 'f', description: 'F.', ...more }] }] });
const config = (more: object): object => ({ generationConfig: more });
const thinking = (thinkingConfig: object): object => config({ thinkingConfig });
const png = { inlineData: { mimeType: 'image/png', data: 'aGVsbG8=' } };

describe('a body goes to Gemini as it is', () => {
  test.each<[string, object, string?, boolean?]>([
    ['with fields that nobody knows', { futureField: 1, ...config({ futureSetting: 2 }) }],
    ['with parts that nobody knows', talk(says({ futurePart: {} }, { text: 'a', futureMember: 1 }))],
    ['in snake case', { system_instruction: { parts: [{ text: 'a' }] }, generation_config: { top_k: 4 } }],
    ['without brackets around single members', { contents: { parts: { text: 'a' } }, tools: { google_search: {} } }],
    ['with nothing but an empty text', { contents: [says({ text: '' })], systemInstruction: { parts: [{ text: 'a' }] } }],
    ['with calls that are answered together', talk(model(call('a'), call('b')), says(result('a'), result('b'), { text: 'so?' }))],
    ['with the chunks of a stream', talk(model({ text: 'a' }), model(call('b')), model({ text: '' }), says(result('b')))],
    ['with calls that came in chunks', talk(model(call('a')), model(call('b')), says(result('a'), result('b')))],
    ['with ids', talk(model({ text: 'a' }, call('a', '1'), call('a', '2')), says(result('a', '1'), result('a', '2')))],
    ['with images that a tool showed', talk(model(call('a')), says(result('a', undefined, { parts: [png] })))],
    ['with two messages of the user', talk(says({ text: 'a' }), model({ text: 'b' }), says({ text: 'c' }))],
    ['with a level, for a model that has levels', thinking({ thinkingLevel: 'LOW', includeThoughts: true })],
    ['with a budget that Gemini 3 still takes', thinking({ thinkingBudget: 1024 })],
    ['with a budget', thinking({ thinkingBudget: 0 }), flash],
    ['with a budget that the model chooses', thinking({ thinkingBudget: -1 }), 'gemini-2.5-pro'],
    ['with an unknown model', thinking({ thinkingLevel: 'MINIMAL' }), 'our-model'],
    [
      'with JSON',
      config({
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } } },
      }),
    ],
    [
      'with one of several words',
      config({ responseMimeType: 'text/x.enum', responseSchema: { type: 'STRING', enum: ['a', 'b'] } }),
    ],
    [
      'with a JSON Schema in its place',
      tool({ parametersJsonSchema: { type: 'object', properties: {}, $schema: 'x', additionalProperties: false } }),
    ],
    [
      'with a property that is called like a keyword',
      tool({ parameters: { type: 'OBJECT', properties: { not: { type: 'STRING' } } } }),
    ],
    [
      'with keywords that nobody knows',
      tool({ parameters: { type: 'OBJECT', properties: { a: { type: 'STRING', futureWord: 1 } } } }),
    ],
    ['with parameters without properties', tool({ parameters: { type: 'OBJECT', properties: {} } })],
    ['with a part that is only signed', talk(model({ thought: true, thoughtSignature: 'YWJj' }, { text: 'a' }), user)],
    ['with a long name', tool({ name: 'f'.repeat(100) })],
    [
      'with a schema that Vertex takes',
      tool({ parameters: { type: 'object', properties: { a: {} }, additionalProperties: false } }),
      newest,
      true,
    ],
  ])('%s', (_why, body, id, isVertex) => {
    expect(takes(body, id, isVertex)).toBe(true);
  });
});

describe('a body is said in other words', () => {
  test.each<[string, object, string?]>([
    ['contents as a text', { contents: 'Hi' }],
    ['a content as a text', { contents: ['Hi'] }],
    ['a part as a text', { contents: [{ role: 'user', parts: ['Hi'] }] }],
    ['parts as a text', { contents: [{ role: 'user', parts: 'Hi' }] }],
    ['a content without parts', talk({ role: 'model', parts: [] }, user)],
    ['a part that is two', talk(model({ text: 'a', ...call('a') }), says(result('a')))],
    ['the old role of tools', talk(model(call('a')), { role: 'function', parts: [result('a')] })],
    ['answers in several contents', talk(model(call('a'), call('b')), says(result('a')), says(result('b')))],
    ['answers in another order', talk(model(call('a'), call('b')), says(result('b'), result('a')))],
    ['answers in another order, by id', talk(model(call('a', '1'), call('a', '2')), says(result('a', '2'), result('a', '1')))],
    ['an answer behind other words', talk(model(call('a')), says({ text: 'wait' }), says(result('a')))],
    ['an answer that the model gave itself', talk(model(call('a'), result('a')))],
    ['an answer that names only the id', talk(model(call('a', '1')), says({ functionResponse: { id: '1', response: {} } }))],
    ['an answer without a response', talk(model(call('a')), says({ functionResponse: { name: 'a' } }))],
    ['an image that a tool showed', talk(model(call('a')), says(result('a', undefined, { parts: [png] }))), flash],
    ['a file of a type that is refused', talk(says({ inlineData: { mimeType: 'application/json', data: 'e30=' } }))],
    ['system text as a text', { systemInstruction: 'Be brief.' }],
    ['system text as a part', { systemInstruction: { text: 'Be brief.' } }],
    ['system text as parts', { systemInstruction: [{ text: 'Be brief.' }] }],
    ['an image as system text', { systemInstruction: { parts: [{ text: 'a' }, png] } }],
    ['system text', { systemInstruction: { parts: [{ text: 'a' }] } }, 'gemma-3-27b-it'],
    ['a level', thinking({ thinkingLevel: 'LOW' }), flash],
    ['no thinking', thinking({ thinkingBudget: 0 }), 'gemini-2.5-pro'],
    ['more thinking than there is', thinking({ thinkingBudget: 32_768 }), flash],
    ['no thinking, in snake case', { generation_config: { thinking_config: { thinking_budget: 0 } } }, newest],
    ['thinking', thinking({ includeThoughts: true }), 'gemini-2.0-flash'],
    ['a level below the lowest', thinking({ thinkingLevel: 'minimal' })],
    ['more stops than five', config({ stopSequences: ['a', 'b', 'c', 'd', 'e', 'f'] })],
    ['a schema without a word that the answer is JSON', config({ responseSchema: { type: 'STRING' } })],
    ['JSON beside functions', { ...tool({}), ...config({ responseMimeType: 'application/json' }) }, flash],
    [
      'JSON Schema in the place of OpenAPI',
      tool({ parameters: { type: 'object', properties: { a: { type: ['string', 'null'] } } } }),
    ],
    [
      'JSON Schema deep inside',
      tool({ parameters: { type: 'object', properties: { a: { type: 'array', items: { oneOf: [] } } } } }),
    ],
    [
      'a closed object',
      tool({ parameters: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false } }),
    ],
    ['a format that is refused', tool({ parameters: { type: 'object', properties: { a: { type: 'string', format: 'uri' } } } })],
    ['numbers to choose from', tool({ parameters: { type: 'object', properties: { a: { type: 'integer', enum: [1, 2] } } } })],
    ['a long name', tool({ name: 'f'.repeat(100) }), flash],
    ['a name in the history that it refuses', talk(model(call('mcp/a')), says(result('mcp/a')))],
    ['functions beside a search', { tools: [{ functionDeclarations: [{ name: 'f' }] }, { googleSearch: {} }] }, flash],
  ])('%s', (_why, body, id) => {
    expect(takes(body, id)).toBe(false);
  });
});
