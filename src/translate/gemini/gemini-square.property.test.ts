import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toInputItems } from '../../engine/to-input-items.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

/** No state is in these histories: the seal is the engine's. */
const envelope = { seal: () => '', open: () => null };

/** A body → what a backend is given. */
function toTurn(body: object, model: string): ModelRequest {
  const { request } = fromGeminiRequest(body, { model, stream: true });
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const { items } = toInputItems({ inherited: [], own }, { owner: 'local', strict: false }, envelope);
  return toModelRequest(request, { model, input: items, session: null }).value;
}

/** The normal form: where a thing stood is not part of it, and ids that were made up for calls tell their places, so they are numbered anew. */
function normalise(turn: ModelRequest): unknown {
  const ids = new Map<string, string>();
  const text = JSON.stringify(turn, (key, value: unknown) => {
    if (key === 'path') return undefined;
    if (key !== 'callId') return value;
    const id = String(value);
    ids.set(id, ids.get(id) ?? `call ${String(ids.size)}`);
    return ids.get(id);
  });
  return JSON.parse(text) as unknown;
}

const word = fc.constantFrom('a', 'Hello', 'ü€😀', '{"a":1}', ' x ', 'line\nline');
const args = fc.constantFrom({}, { city: 'Oslo' }, { n: 1, deep: { list: [1, null] } });
const name = fc.constantFrom('get_weather', 'search', 'ns.tool:x');
const image = fc.constant({ inlineData: { mimeType: 'image/png', data: 'aGVs' } });
const file = fc.constantFrom<object>(
  { inlineData: { mimeType: 'application/pdf', data: 'aGVs' } },
  { fileData: { mimeType: 'application/pdf', fileUri: 'https://example.org/b' } },
);
const textPart = word.map((text) => ({ text }));
const userContent = fc
  .array(fc.oneof(textPart, image, file), { minLength: 1, maxLength: 3 })
  .map((parts): object[] => [{ role: 'user', parts }]);
const modelText = fc.array(textPart, { minLength: 1, maxLength: 3 }).map((parts): object[] => [{ role: 'model', parts }]);
const outputs = [args.map((one) => ({ response: { output: one } })), word.map((error) => ({ response: { error } }))];
const mediaOutput = image.map((part) => ({ response: {}, parts: [part] }));

/** Parallel calls and their responses. Before Gemini 3 media stand behind the responses, where they are the user's: they are left out there. */
function stepOf(takesMedia: boolean): fc.Arbitrary<object[]> {
  const response: fc.Arbitrary<object> = fc.oneof(...outputs, ...(takesMedia ? [mediaOutput] : []));
  return fc.array(fc.record({ name, args, response }), { minLength: 1, maxLength: 3 }).map((calls) => [
    { role: 'model', parts: calls.map((call) => ({ functionCall: { name: call.name, args: call.args } })) },
    { role: 'user', parts: calls.map((call) => ({ functionResponse: { name: call.name, ...call.response } })) },
  ]);
}

function contentsOf(takesMedia: boolean): fc.Arbitrary<object[]> {
  const exchange = fc.tuple(modelText, userContent).map((both) => both.flat());
  return fc
    .tuple(userContent, fc.array(fc.oneof(exchange, stepOf(takesMedia)), { maxLength: 4 }))
    .map(([first, rest]) => [...first, ...rest.flat()]);
}

const schema = { type: 'object', properties: { city: { type: 'string' }, n: { type: 'integer' } }, required: ['city'] };
const functionDeclarations = fc.constantFrom(
  [{ name: 'get_weather', description: 'Weather', parametersJsonSchema: schema }],
  [
    { name: 'get_weather', description: 'Weather', parametersJsonSchema: schema },
    { name: 'search', description: 'Finds.' },
  ],
);
const functionCallingConfig = fc.constantFrom<object>(
  { mode: 'AUTO' },
  { mode: 'NONE' },
  { mode: 'ANY' },
  { mode: 'ANY', allowedFunctionNames: ['get_weather'] },
  { mode: 'VALIDATED', allowedFunctionNames: ['get_weather'] },
);
const withTools = fc.record({
  tools: functionDeclarations.map((declared) => [{ functionDeclarations: declared }]),
  toolConfig: fc.record({ functionCallingConfig }),
});
const sampling = {
  maxOutputTokens: fc.constantFrom(1, 1000),
  temperature: fc.constantFrom(0, 0.5, 2),
  topP: fc.constantFrom(0, 1),
  topK: fc.constantFrom(1, 64),
  seed: fc.constantFrom(-5, 0, 7),
  presencePenalty: fc.constantFrom(-2, 0.5),
  frequencyPenalty: fc.constantFrom(-2, 0.5),
  stopSequences: fc.uniqueArray(word, { maxLength: 5 }),
  responseLogprobs: fc.constant(true),
};
const format = fc.constantFrom<object>(
  {},
  { responseMimeType: 'application/json' },
  { responseMimeType: 'application/json', responseJsonSchema: schema },
);
const levels = fc.record(
  { includeThoughts: fc.constant(true), thinkingLevel: fc.constantFrom('LOW', 'MEDIUM', 'HIGH') },
  { requiredKeys: [] },
);
const budgets = fc.record(
  { includeThoughts: fc.constant(true), thinkingBudget: fc.constantFrom(0, 128, 1000, 24_576) },
  { requiredKeys: [] },
);

/** What Gemini 3 takes: levels, tools beside JSON, media in function responses. */
const newer = bodies(contentsOf(true), levels, fc.oneof(fc.constant({}), withTools));
const older = bodies(contentsOf(false), budgets, fc.constant({}));

function bodies(
  contents: fc.Arbitrary<object[]>,
  thinkingConfig: fc.Arbitrary<object>,
  tools: fc.Arbitrary<object>,
): fc.Arbitrary<object> {
  const config = fc.record({ ...sampling, thinkingConfig }, { requiredKeys: [] });
  return fc.record({ contents, system: fc.option(word), config, format, tools }).map((parts) => ({
    contents: parts.contents,
    ...(parts.system !== null && { systemInstruction: { parts: [{ text: parts.system }] } }),
    ...parts.tools,
    generationConfig: { ...parts.config, ...parts.format },
  }));
}

describe('request → Gemini → request', () => {
  test.each([
    ['gemini-3-pro', newer],
    ['gemini-2.5-flash', older],
  ])('says the same again: %s', (model, body) => {
    fc.assert(
      fc.property(body, (one) => {
        const turn = toTurn(one, model);
        const { value } = toGeminiRequest(turn);
        expect(normalise(toTurn(value, model))).toEqual(normalise(turn));
        // And once more to Gemini: what is in normal form stays as it is.
        expect(toGeminiRequest(toTurn(value, model)).value).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test('a change on the way would be seen', () => {
    const turn = toTurn({ contents: 'Hello', generationConfig: { topK: 3 } }, 'gemini-3-pro');
    expect(normalise({ ...turn, topK: 4 })).not.toEqual(normalise(turn));
  });
});
