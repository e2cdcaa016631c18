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
import { encodeRedactedThinking, encodeThinking } from './anthropic-thinking-state.ts';
import { fromAnthropicRequest } from './from-anthropic-request.ts';
import { toAnthropicRequest } from './to-anthropic-request.ts';

/** It takes every setting, though not all of them at once. */
const model = 'claude-opus-4-6';

/** Signed by Anthropic; what we make of it has the same name here. */
const states: ReadonlyMap<string, ReasoningState> = new Map([
  ['signed', encodeThinking(model, { thinking: 'thought', signature: 'signed' })],
  ['hidden', encodeRedactedThinking(model, 'hidden')],
]);
const reasoning = fc.constantFrom(...states).map(([sealed, state]): InputItem => {
  return { type: 'reasoning', text: sealed === 'signed' ? 'thought' : '', state, path: '' };
});

const media = fc.constantFrom<ContentPart>(
  { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' }, detail: null, path: '' },
  { type: 'image', source: { type: 'data', mediaType: 'image/png', base64: 'aGVsbG8=' }, detail: null, path: '' },
  { type: 'file', source: { type: 'url', url: 'https://example.org/a.pdf' }, filename: null, path: '' },
  { type: 'file', source: { type: 'data', mediaType: 'application/pdf', base64: 'aGVsbG8=' }, filename: 'a.pdf', path: '' },
);
const content = fc.array(fc.oneof(someText.map(toTextPart), media), { minLength: 1, maxLength: 3 });
const said = fc.array(someText.map(toTextPart), { minLength: 1, maxLength: 2 }).map((parts): InputItem => {
  return { type: 'message', role: 'assistant', content: parts, path: '' };
});
const input = conversations({
  ...{ content, output: fc.oneof(fc.constant<ContentPart[]>([]), content), knowsErrors: true },
  ...{ reasoning: nullable(reasoning), said: nullable(said) },
}).map((items) => items.map(asAnthropicFails));

/** The result of a call that failed is text, and cannot be empty. */
function asAnthropicFails(item: InputItem): InputItem {
  if (item.type !== 'call-output' || item.isError !== true) return item;
  const { type, callId, name, content: parts, path } = item;
  const canFail = parts.length > 0 && parts.every((part) => part.type === 'text');
  return canFail ? item : { type, callId, name, content: parts, path };
}

type Tools = Pick<ModelRequest, 'tools' | 'hostedTools' | 'toolChoice' | 'parallelToolCalls'>;
const search = { type: 'web_search', filters: { allowed_domains: ['example.org'] }, max_uses: 3 };
const none: Tools = { tools: [], hostedTools: [], toolChoice: { type: 'auto' }, parallelToolCalls: true };
const free: Tools[] = [
  none,
  { ...none, tools: functionTools },
  { ...none, tools: functionTools, parallelToolCalls: false },
  { ...none, tools: functionTools, toolChoice: { type: 'none' } },
  { ...none, tools: functionTools, hostedTools: [{ type: 'web_search', settings: search, path: '' }] },
];
const forced: Tools[] = [
  { ...none, tools: functionTools, toolChoice: { type: 'required' }, parallelToolCalls: false },
  { ...none, tools: functionTools.slice(0, 1), toolChoice: { type: 'required-of', names: ['search'] } },
];

/** How a turn thinks decides what else it may say. */
const thinking = fc.record({
  reasoning: fc.constantFrom('low', 'medium', 'high', 'max').map((effort) => ({ effort, summary: 'auto' })),
  ...{ tools: fc.constantFrom(...free), temperature: fc.constant(null), topP: fc.constant(null), topK: fc.constant(null) },
});
const plain = fc.record({
  reasoning: fc.constantFrom({ effort: null, summary: null }, { effort: 'none', summary: null }),
  ...{ tools: fc.constantFrom(...free, ...forced), topK: nullable(fc.constantFrom(1, 40)) },
  ...{ temperature: nullable(fc.constantFrom(0, 0.5, 1)), topP: fc.constant(null) },
});
const nuclear = plain.map((one) => ({ ...one, temperature: null, topP: 0.5 }));

const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };

/** Everything that the Messages API and the hub can both say. */
const sayable: fc.Arbitrary<ModelRequest> = fc
  .record({
    instructions: nullable(someText),
    input,
    settings: fc.oneof(thinking, plain, nuclear),
    format: fc.constantFrom<ModelRequest['format'][]>(
      { type: 'text' },
      { type: 'json-schema', name: 'output', description: null, schema, strict: true },
    ),
    maxOutputTokens: fc.integer({ min: 1, max: 9999 }),
    stop: fc.uniqueArray(someText, { maxLength: 3 }),
    safetyIdentifier: nullable(someText),
    stream: fc.boolean(),
  })
  .map(({ settings: { tools, ...settings }, input: turns, ...others }) => ({
    ...{ model, thinkingBudget: null, seed: null, session: null, verbosity: null, topLogprobs: null },
    ...{ presencePenalty: null, frequencyPenalty: null, serviceTier: null, promptCacheKey: null },
    ...others,
    ...settings,
    ...tools,
    // Who turns thinking off has no use for that of earlier turns.
    input: settings.reasoning.effort === 'none' ? turns.filter(({ type }) => type !== 'reasoning') : turns,
  }));

function backAgain(request: ModelRequest): unknown {
  const { value, losses } = toAnthropicRequest(request);
  expect(losses).toEqual([]);
  const parsed = fromAnthropicRequest(JSON.parse(JSON.stringify(value.body)));
  expect(parsed.losses).toEqual([]);
  // Where the cache markers stand is no part of what was said.
  return JSON.parse(
    JSON.stringify(withoutPaths(toTurn(parsed.request, states)), (key, member: unknown) =>
      key === 'cache_control' ? undefined : member,
    ),
  );
}

test('what the Messages API can say comes back from its own body unchanged', () => {
  fc.assert(
    fc.property(sayable, (request) => {
      expect(backAgain(request)).toEqual(withoutPaths(request));
    }),
    { numRuns: 300 },
  );
});

test('a budget to think with comes back where the history allows it', () => {
  const budget = { thinkingBudget: 2048, reasoning: { effort: 'low', summary: 'auto' } };
  const bare = { temperature: null, topP: null, topK: null, maxOutputTokens: 9999, ...none };
  fc.assert(
    fc.property(sayable, (request) => {
      const asked = { ...request, ...bare, ...budget, input: request.input.slice(0, 1) };
      expect(backAgain(asked)).toEqual(withoutPaths(asked));
    }),
    { numRuns: 50 },
  );
});

test('a change on the way would be seen', () => {
  fc.assert(
    fc.property(sayable, someText, (request, text) => {
      expect(backAgain({ ...request, stream: !request.stream })).not.toEqual(withoutPaths(request));
      expect(backAgain({ ...request, instructions: `${request.instructions ?? ''}${text}` })).not.toEqual(withoutPaths(request));
      expect(backAgain({ ...request, input: [...request.input, ...request.input.slice(-1)] })).not.toEqual(withoutPaths(request));
    }),
    { numRuns: 30 },
  );
});
