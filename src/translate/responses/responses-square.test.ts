import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  conversations,
  functionTools,
  nullable,
  someText,
  toTextPart,
  toTurn,
  withoutPaths,
} from '../../../test/doubles/model-requests.ts';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import { parseCreateResponse } from '../../server/parse-request/parse-create-response.ts';
import { createResponsesProfile, type ResponsesProfile } from './responses-profile.ts';
import { toResponsesState } from './responses-reasoning-state.ts';
import { toResponsesRequest } from './to-responses-request.ts';

const model = 'gpt-5';

/** Sealed by the server; what we make of it has the same name here. */
const states: ReadonlyMap<string, ReasoningState> = new Map(
  ['one', 'two'].map((sealed) => [
    sealed,
    toResponsesState(model, { id: undefined, sealed, summary: [`thought ${sealed}`], content: [] }),
  ]),
);
const reasoning = fc.constantFrom(...states).map(([sealed, state]): InputItem => {
  return { type: 'reasoning', text: `thought ${sealed}`, state, path: '' };
});

const image: fc.Arbitrary<ContentPart> = fc.record({
  type: fc.constant('image' as const),
  source: fc.constantFrom(
    { type: 'url' as const, url: 'https://example.org/a.png' },
    { type: 'data' as const, mediaType: 'image/png', base64: 'aGVsbG8=' },
  ),
  detail: fc.constantFrom(null, 'low', 'high', 'auto'),
  path: fc.constant(''),
});
/** A file at a URL has no other name. */
const file = fc.constantFrom<ContentPart>(
  { type: 'file', source: { type: 'data', mediaType: 'application/pdf', base64: 'aGVsbG8=' }, filename: 'a.pdf', path: '' },
  { type: 'file', source: { type: 'url', url: 'https://example.org/a.pdf' }, filename: null, path: '' },
);
const content = fc.array(fc.oneof(someText.map(toTextPart), image, file), { minLength: 1, maxLength: 3 });
const said = fc
  .record({
    parts: fc.array(
      fc.oneof(
        someText.map(toTextPart),
        someText.map((text): ContentPart => ({ type: 'refusal', text, path: '' })),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    phase: fc.constantFrom(undefined, 'commentary', 'final_answer'),
  })
  .map(({ parts, phase }): InputItem => {
    return { type: 'message', role: 'assistant', content: parts, ...(phase !== undefined && { phase }), path: '' };
  });
const input = conversations({
  ...{ content, output: fc.oneof(fc.constant<ContentPart[]>([]), content), knowsErrors: false },
  ...{ reasoning: nullable(reasoning), said: nullable(said) },
});
const system = fc
  .tuple(fc.constantFrom('system' as const, 'developer' as const), someText)
  .map(([role, text]): InputItem => ({ type: 'message', role, content: [toTextPart(text)], path: '' }));

const schema = { type: 'object', properties: { a: { type: 'string' } } };
const search = { type: 'web_search', search_context_size: 'low' };

/** Everything that the Responses API and the hub can both say. */
const sayable: fc.Arbitrary<ModelRequest> = fc
  .record({
    instructions: nullable(someText),
    before: fc.array(system, { maxLength: 2 }),
    input,
    tools: fc.constantFrom<Pick<ModelRequest, 'tools' | 'hostedTools' | 'toolChoice'>[]>(
      { tools: [], hostedTools: [], toolChoice: { type: 'auto' } },
      { tools: functionTools, hostedTools: [], toolChoice: { type: 'none' } },
      { tools: functionTools, hostedTools: [], toolChoice: { type: 'required' } },
      { tools: functionTools.slice(0, 1), hostedTools: [], toolChoice: { type: 'required-of', names: ['search'] } },
      {
        ...{ tools: functionTools, toolChoice: { type: 'auto' } },
        hostedTools: [{ type: 'web_search', settings: search, path: '' }],
      },
    ),
    isSingle: fc.boolean(),
    format: fc.constantFrom<ModelRequest['format'][]>(
      { type: 'text' },
      { type: 'json-object' },
      { type: 'json-schema', name: 'answer', description: null, schema, strict: true },
      { type: 'json-schema', name: 'answer', description: 'What for', schema, strict: false },
    ),
    verbosity: nullable(fc.constantFrom('low', 'medium', 'high')),
    reasoning: fc.record({
      effort: nullable(fc.constantFrom('none', 'minimal', 'low', 'xhigh', 'max')),
      summary: nullable(fc.constantFrom('auto', 'concise', 'detailed')),
    }),
    maxOutputTokens: nullable(fc.integer({ min: 16, max: 9999 })),
    temperature: nullable(fc.constantFrom(0, 0.5, 2)),
    topP: nullable(fc.constantFrom(0, 0.1, 1)),
    presencePenalty: nullable(fc.constantFrom(-2, 1.5)),
    frequencyPenalty: nullable(fc.constantFrom(-2, 1.5)),
    topLogprobs: nullable(fc.integer({ min: 0, max: 20 })),
    serviceTier: nullable(fc.constantFrom('auto', 'flex')),
    promptCacheKey: nullable(someText),
    safetyIdentifier: nullable(someText),
    stream: fc.boolean(),
  })
  .map(({ before, input: turns, tools, isSingle, ...others }) => ({
    ...{ model, thinkingBudget: null, topK: null, stop: [], seed: null, session: null },
    ...others,
    ...tools,
    input: [...before, ...turns],
    // Without tools there is nothing to say about them.
    parallelToolCalls: !isSingle || tools.tools.length === 0,
  }));

function backAgain(request: ModelRequest, profile: ResponsesProfile): unknown {
  const { value, losses } = toResponsesRequest(request, profile);
  expect(losses).toEqual([]);
  const parsed = parseCreateResponse(JSON.parse(JSON.stringify(value)));
  expect(parsed.losses).toEqual([]);
  return withoutPaths(toTurn(parsed.request, states));
}

test('what the Responses API can say comes back from its own body unchanged', () => {
  const profile = createResponsesProfile('https://responses.example.org/v1');
  fc.assert(
    fc.property(sayable, (request) => {
      expect(backAgain(request, profile)).toEqual(withoutPaths(request));
    }),
    { numRuns: 300 },
  );
});

test('a change on the way would be seen', () => {
  const profile = createResponsesProfile('https://responses.example.org/v1');
  fc.assert(
    fc.property(sayable, someText, (request, text) => {
      const [first, ...rest] = request.input;
      expect(backAgain({ ...request, stream: !request.stream }, profile)).not.toEqual(withoutPaths(request));
      expect(backAgain({ ...request, instructions: `${request.instructions ?? ''}${text}` }, profile)).not.toEqual(
        withoutPaths(request),
      );
      const twice = first === undefined ? rest : [first, first, ...rest];
      expect(backAgain({ ...request, input: twice }, profile)).not.toEqual(withoutPaths(request));
    }),
    { numRuns: 30 },
  );
});

test('ids of calls as long as the API allows stay as they are', () => {
  const callId = `call-${'x'.repeat(59)}`;
  const body = {
    model,
    input: [
      { type: 'function_call', call_id: callId, name: 'search', arguments: '{}' },
      { type: 'function_call_output', call_id: callId, output: 'found' },
    ],
  };
  const turn = toTurn(parseCreateResponse(body).request);
  const { value } = toResponsesRequest(turn, createResponsesProfile('https://responses.example.org/v1'));
  expect(value.input).toEqual(body.input);
});

test('the output of a call that cannot be shown is left out with it, not refused', () => {
  const body = {
    model,
    input: [
      { role: 'user', content: 'Find the tool.' },
      { type: 'tool_search_call', call_id: 'search_call_1', execution: 'client', arguments: { queries: ['x'] } },
      { type: 'function_call_output', call_id: 'search_call_1', output: 'Found one.' },
    ],
  };
  expect(toTurn(parseCreateResponse(body).request).input).toHaveLength(1);
});
