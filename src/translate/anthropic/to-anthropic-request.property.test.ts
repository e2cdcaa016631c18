import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { AnthropicBlock, AnthropicMessage, AnthropicRequest } from '../../protocol/anthropic/request.ts';
import { encodeRedactedThinking, encodeThinking } from './anthropic-thinking-state.ts';
import { toAnthropicRequest } from './to-anthropic-request.ts';

const models = ['claude-3-5-sonnet-latest', 'claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-9', 'claude-fable-5', 'qwen3'];

const path = 'input[0]';
const text = fc.constantFrom('', ' ', '\n', 'Hello', 'Ünï 😀', 'ends with space ');
const part: fc.Arbitrary<ContentPart> = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text, path: fc.constant(path) }),
  fc.constant<ContentPart>({ type: 'image', source: { type: 'data', mediaType: 'image/png', base64: 'AA' }, detail: null, path }),
  fc.constant<ContentPart>({ type: 'file', source: { type: 'url', url: 'ftp://x' }, filename: null, path }),
);
const message = fc.record({
  type: fc.constant('message' as const),
  role: fc.constantFrom('system' as const, 'developer' as const, 'user' as const, 'assistant' as const),
  content: fc.array(part, { maxLength: 3 }),
  path: fc.constant(path),
});
const reasoning = fc.record({
  type: fc.constant('reasoning' as const),
  text,
  path: fc.constant(path),
  state: fc.oneof(
    fc.constant(null),
    fc.constantFrom(...models).map((model) => encodeThinking(model, { thinking: 'Hm.', signature: 'SIG' })),
    fc.constantFrom(...models).map((model) => encodeRedactedThinking(model, 'XX')),
    fc.constant({ format: 'gemini', model: 'gemini-3', data: {} }),
  ),
});
const callId = fc.constantFrom('call_1', 'call_2', 'call.3', 'ü', 'x'.repeat(100));
const calls = fc.array(
  fc.tuple(callId, fc.constantFrom('f', 'get weather', 'answer_in_json'), fc.constantFrom('', '{}', '[1]', '{"a":1}')),
  {
    minLength: 1,
    maxLength: 3,
  },
);

/** Calls and their outputs, which come back in another order, maybe with something between. */
const exchange = fc
  .tuple(calls, fc.option(message), fc.boolean(), fc.array(part, { maxLength: 2 }))
  .map(([made, between, isReversed, content]) => {
    const uses: InputItem[] = made.map(([id, name, args]) => ({ type: 'call', callId: id, name, arguments: args, path }));
    const outputs: InputItem[] = made.map(([id, name]) => ({ type: 'call-output', callId: id, name, content, path }));
    return [...uses, ...(between === null ? [] : [between]), ...(isReversed ? outputs.reverse() : outputs)];
  });

const input = fc
  .array(
    fc.oneof(
      message.map((item) => [item]),
      reasoning.map((item) => [item]),
      exchange,
    ),
    { maxLength: 8 },
  )
  .map((parts): readonly InputItem[] => parts.flat());

const request: fc.Arbitrary<ModelRequest> = fc
  .record({
    input,
    instructions: fc.option(text),
    effort: fc.option(fc.constantFrom('none', 'minimal', 'low', 'high', 'max', 'odd')),
    thinkingBudget: fc.option(fc.integer({ min: -1, max: 50_000 })),
    maxOutputTokens: fc.option(fc.integer({ min: 16, max: 100_000 })),
    toolChoice: fc.constantFrom({ type: 'auto' as const }, { type: 'required' as const }, { type: 'none' as const }),
    hasTools: fc.boolean(),
    stop: fc.array(text, { maxLength: 2 }),
    temperature: fc.option(fc.double({ min: 0, max: 2, noNaN: true })),
    model: fc.constantFrom(...models),
  })
  .map(({ model, effort, hasTools, ...change }) => {
    const tools = ['f', 'get weather'].map((name) => ({
      name,
      description: null,
      parameters: null,
      strict: true,
      path: 'tools[0]',
    }));
    return plainRequest(model, '', { ...change, reasoning: { effort, summary: null }, tools: hasTools ? tools : [] });
  });

test('whatever the history: what goes out is what Anthropic takes', () => {
  fc.assert(
    fc.property(request, (given) => {
      expect(faultsOf(toAnthropicRequest(given).value.body)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test('the rules of this test see planted mistakes', () => {
  const body = toAnthropicRequest(plainRequest('claude-sonnet-4-5', 'hi')).value.body;
  const use: AnthropicBlock = { type: 'tool_use', id: 'a b', name: 'f', input: {} };
  const planted: readonly AnthropicMessage[][] = [
    [],
    [{ role: 'assistant', content: [{ type: 'text', text: 'x' }] }],
    [...body.messages, ...body.messages],
    [{ role: 'user', content: [{ type: 'text', text: ' ' }] }],
    [...body.messages, { role: 'assistant', content: [use] }],
    [...body.messages, { role: 'assistant', content: [{ type: 'thinking', thinking: '', signature: 's' }] }],
  ];
  expect(faultsOf(body)).toEqual([]);
  for (const messages of planted) expect(faultsOf({ ...body, messages })).not.toEqual([]);
  expect(faultsOf({ ...body, thinking: { type: 'enabled', budget_tokens: 64_000 } })).not.toEqual([]);
});

function faultsOf(body: AnthropicRequest): string[] {
  const { messages } = body;
  const uses = messages.flatMap(({ content }) => content.flatMap(usedId));
  const names = (body.tools ?? []).map(({ name }) => name);
  return named({
    'does not begin with the user': messages[0]?.role !== 'user',
    'roles do not alternate': messages.some(({ role }, at) => messages[at + 1]?.role === role),
    'ids are not unique': new Set(uses).size < uses.length,
    'an id that is refused': uses.some((id) => !/^[a-zA-Z0-9_-]+$/.test(id)),
    'blank system text': (body.system ?? []).some(isBlank),
    'a tool name that is refused': names.some((name) => !/^[a-zA-Z0-9_-]{1,128}$/.test(name)),
    'a message': messages.some((message, at) => messageFaults(message, messages[at + 1]).length > 0),
    ...settingRules(body),
  });
}

function messageFaults({ role, content }: AnthropicMessage, next: AnthropicMessage | undefined): string[] {
  const answered = next?.content.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : [])) ?? [];
  const places = content.map(({ type }) => type === 'tool_result');
  const last = content.at(-1);
  return named({
    'is empty': content.length === 0,
    'a blank text': content.some(isBlank),
    'results that do not stand first': places.lastIndexOf(true) >= places.filter(Boolean).length,
    'calls and results do not match': role === 'assistant' && content.flatMap(usedId).join() !== answered.join(),
    'ends with thinking': last?.type === 'thinking' || last?.type === 'redacted_thinking',
    'ends with white space': role === 'assistant' && next === undefined && last?.type === 'text' && /\s$/.test(last.text),
  });
}

function settingRules(body: AnthropicRequest): Readonly<Record<string, boolean>> {
  const { stop_sequences: stops = [], temperature = 0 } = body;
  return {
    ...thinkingRules(body),
    'a blank stop sequence': stops.some((stop) => stop.trim() === ''),
    'a temperature above 1': temperature > 1,
  };
}

function thinkingRules({ thinking, ...body }: AnthropicRequest): Readonly<Record<string, boolean>> {
  if (thinking === undefined || thinking.type === 'disabled') return {};
  const budget = thinking.type === 'enabled' ? thinking.budget_tokens : 1024;
  return {
    'thinks and must call': body.tool_choice?.type === 'any' || body.tool_choice?.type === 'tool',
    'thinks with a temperature': (body.temperature ?? body.top_k) !== undefined,
    'thinks and continues': body.messages.at(-1)?.role === 'assistant',
    'an impossible budget': budget < 1024 || (thinking.type === 'enabled' && budget >= body.max_tokens),
  };
}

function named(rules: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(rules).filter((rule) => rules[rule]);
}

function usedId(block: AnthropicBlock): string[] {
  return block.type === 'tool_use' ? [block.id] : [];
}

function isBlank(block: AnthropicBlock): boolean {
  return block.type === 'text' && block.text.trim() === '';
}
