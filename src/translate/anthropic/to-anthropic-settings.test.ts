import { expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { FunctionTool, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { AnthropicThinking } from '../../protocol/anthropic/request.ts';
import { mapAnthropicModelTraits } from './anthropic-model-traits.ts';
import { toAnthropicRequest } from './to-anthropic-request.ts';

function translate(model: string, change: Partial<ModelRequest> = {}) {
  const { value, losses } = toAnthropicRequest(plainRequest(model, 'hi', change));
  return { ...value, ...value.body, paths: losses.map(({ path, action }) => `${path} ${action}`) };
}

const tool: FunctionTool = { name: 'f', description: null, parameters: null, strict: false, path: 'tools[0]' };
const think = (effort: string | null, summary: string | null = null): Partial<ModelRequest> => ({
  reasoning: { effort, summary },
});

test('max_tokens has a default for each family, and thinking on top', () => {
  const models = ['claude-3-haiku-20240307', 'claude-3-5-sonnet-latest', 'claude-sonnet-4-5', 'claude-opus-4-1', 'claude-opus-9'];
  expect(models.map((model) => translate(model).max_tokens)).toEqual([4096, 8192, 32_000, 32_000, 32_000]);
  expect(models.map((model) => translate(model, think('medium')).max_tokens)).toEqual([4096, 8192, 40_192, 32_000, 64_000]);
  expect(translate('claude-opus-9', { maxOutputTokens: 7 })).toMatchObject({ max_tokens: 7, paths: [] });
  expect(translate('claude-3-haiku-20240307', { maxOutputTokens: 9000 })).toMatchObject({
    max_tokens: 4096,
    paths: ['max_output_tokens approximated'],
  });
});

const thoughts: readonly (readonly [
  string,
  Partial<ModelRequest>,
  AnthropicThinking | undefined,
  string | undefined,
  string[],
])[] = [
  ['claude-sonnet-4-5', think('low'), { type: 'enabled', budget_tokens: 2048 }, undefined, []],
  ['claude-sonnet-4-5', think('none'), { type: 'disabled' }, undefined, []],
  ['claude-sonnet-4-5', think(null, 'auto'), undefined, undefined, []],
  ['claude-3-5-haiku-latest', think('low'), undefined, undefined, ['reasoning.effort dropped']],
  ['claude-3-5-haiku-latest', think('none'), undefined, undefined, []],
  ['claude-sonnet-4-5', { thinkingBudget: 5000, maxOutputTokens: 5001 }, { type: 'enabled', budget_tokens: 5000 }, undefined, []],
  [
    'claude-sonnet-4-5',
    { ...think('high'), maxOutputTokens: 8000 },
    { type: 'enabled', budget_tokens: 6000 },
    undefined,
    ['reasoning.effort approximated'],
  ],
  [
    'claude-sonnet-4-5',
    { ...think('high'), maxOutputTokens: 1000 },
    { type: 'disabled' },
    undefined,
    ['reasoning.effort dropped'],
  ],
  ['claude-opus-9', think('medium', 'auto'), { type: 'adaptive', display: 'summarized' }, 'medium', []],
  ['claude-opus-9', think('minimal'), { type: 'adaptive' }, 'low', ['reasoning.effort approximated']],
  ['claude-opus-9', think('xhigh'), { type: 'adaptive' }, 'xhigh', []],
  ['claude-opus-4-6', think('xhigh'), { type: 'adaptive' }, 'high', ['reasoning.effort approximated']],
  ['claude-opus-4-6', { thinkingBudget: 2000 }, { type: 'enabled', budget_tokens: 2000 }, undefined, []],
  ['claude-opus-9', { thinkingBudget: 2000 }, { type: 'adaptive' }, 'low', ['thinking_budget approximated']],
  ['claude-opus-9', { thinkingBudget: 0 }, { type: 'disabled' }, undefined, []],
  ['claude-mythos-5', think('none'), { type: 'adaptive' }, 'low', ['reasoning.effort approximated']],
  ['us.anthropic.claude-sonnet-4-20250514-v1:0', think('low'), { type: 'enabled', budget_tokens: 2048 }, undefined, []],
];

test.each(thoughts)('%s thinks %j', (...[model, change, thinking, effort, losses]) => {
  const { paths, output_config: config, ...body } = translate(model, change);
  expect(body.thinking).toEqual(thinking);
  expect(config?.effort).toBe(effort);
  expect(paths).toEqual(losses);
});

test('where a call is demanded thinking gives way; where it cannot, the demand does', () => {
  const demand: Partial<ModelRequest> = { ...think('low'), tools: [tool], toolChoice: { type: 'required' } };
  expect(translate('claude-sonnet-4-5', demand)).toMatchObject({
    tool_choice: { type: 'any' },
    thinking: { type: 'disabled' },
    paths: ['reasoning.effort dropped'],
  });
  const always = translate('claude-fable-5', { ...demand, parallelToolCalls: false });
  expect(always).toMatchObject({
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    thinking: { type: 'adaptive' },
    paths: ['tool_choice emulated'],
  });
});

test('in the middle of calls whose thinking is missing no budget is set', () => {
  const loop: readonly InputItem[] = [
    { type: 'message', role: 'user', content: [{ type: 'text', text: 'hi', path: 'input[0]' }], path: 'input[0]' },
    { type: 'call', callId: 'c', name: 'f', arguments: '{}', path: 'input[1]' },
    { type: 'call-output', callId: 'c', name: 'f', content: [], path: 'input[2]' },
  ];
  expect(translate('claude-sonnet-4-5', { ...think('low'), input: loop, tools: [tool] })).toMatchObject({
    thinking: { type: 'disabled' },
    max_tokens: 32_000,
    paths: ['reasoning.effort dropped'],
  });
  const adaptive = translate('claude-opus-4-6', { thinkingBudget: 9000, input: loop, tools: [tool] });
  expect(adaptive).toMatchObject({
    thinking: { type: 'adaptive' },
    output_config: { effort: 'high' },
    paths: ['thinking_budget approximated'],
  });
});

test('sampling as far as the model takes it', () => {
  const all = { temperature: 1.5, topP: 0.9, topK: 4 };
  expect(translate('claude-3-haiku-20240307', all)).toMatchObject({
    temperature: 1,
    top_p: 0.9,
    top_k: 4,
    paths: ['temperature approximated'],
  });
  expect(translate('claude-sonnet-4-5', all)).toMatchObject({
    temperature: 1,
    top_k: 4,
    paths: ['temperature approximated', 'top_p dropped'],
  });
  expect(translate('claude-opus-9', all).paths).toEqual(['temperature dropped', 'top_k dropped', 'top_p dropped']);
  expect(translate('claude-opus-9', { temperature: 1, topP: 1 }).paths).toEqual([]);
  const thinking = translate('claude-sonnet-4-5', { ...all, topP: 0.97, ...think('low') });
  expect(thinking).toMatchObject({ top_p: 0.97, paths: ['temperature dropped', 'top_k dropped'] });
  expect(translate('qwen3', all)).toMatchObject({ temperature: 1, top_p: 0.9, top_k: 4 });
});

test('stop sequences, user, service tier; and what there is no setting for', () => {
  const { paths, ...body } = translate('claude-opus-9', {
    ...{ stop: ['END', ' '], safetyIdentifier: 'u-1', serviceTier: 'default', seed: 1, frequencyPenalty: 0 },
    ...{ topLogprobs: 0, verbosity: 'low', presencePenalty: 0.5 },
  });
  expect(body).toMatchObject({ stop_sequences: ['END'], metadata: { user_id: 'u-1' }, service_tier: 'standard_only' });
  const dropped = ['stop', 'seed', 'presence_penalty', 'top_logprobs', 'text.verbosity'];
  expect(paths).toEqual(dropped.map((path) => `${path} dropped`));
  expect(translate('claude-opus-9', { serviceTier: 'flex' }).paths).toEqual(['service_tier dropped']);
});

test('cache markers stand on the last tool, system text and user block, or nowhere', () => {
  const request = plainRequest('claude-opus-9', 'hi', { instructions: 'Be kind.', tools: [tool, { ...tool, name: 'g' }] });
  const marker = { cache_control: { type: 'ephemeral' } };
  const { body } = toAnthropicRequest(request).value;
  expect(body.tools).toEqual([expect.not.objectContaining(marker), expect.objectContaining(marker)]);
  expect(body.system).toMatchObject([marker]);
  expect(body.messages[0]?.content).toMatchObject([marker]);
  expect(JSON.stringify(toAnthropicRequest(request, { marksCache: false }).value.body)).not.toContain('cache_control');
});

test('an unknown Claude is taken for the newest, other models for what everybody takes', () => {
  expect(mapAnthropicModelTraits('claude-nova-7')).toEqual(mapAnthropicModelTraits('claude-opus-4-7'));
  expect(mapAnthropicModelTraits('claude-sonnet-4')).toMatchObject({ thinking: 'budget', hasStructuredOutput: false });
  expect(mapAnthropicModelTraits('deepseek-chat')).toMatchObject({ thinking: 'adaptive', sampling: 'both', takesBudget: true });
});
