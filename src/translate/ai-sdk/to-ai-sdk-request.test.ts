import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { FunctionTool, ModelRequest, ToolChoice } from '../../model/model-request.ts';
import { createAiSdkProfile } from './ai-sdk-profile.ts';
import { toAiSdkRequest } from './to-ai-sdk-request.ts';

function translate(change: Partial<ModelRequest>, provider = 'fake.chat', packageName = 'fake') {
  const options = { profile: createAiSdkProfile(provider, packageName), acceptsUrl: () => false };
  const { value, losses } = toAiSdkRequest(plainRequest('m', 'Hi', change), options);
  const { prompt, ...fields } = value;
  expect(prompt).toHaveLength(1);
  return [fields, losses.map(({ path, action }) => `${path} ${action}`)];
}

const tool = (name: string, more: Partial<FunctionTool> = {}): FunctionTool => ({
  ...{ name, description: null, parameters: { type: 'object' }, strict: false, path: 'tools[0]' },
  ...more,
});

test('a plain turn says nothing more than its prompt', () => {
  for (const provider of ['fake.chat', 'openai.chat', 'google.generative-ai', 'anthropic.messages', 'xai.chat'])
    expect(translate({}, provider)).toEqual([{}, []]);
  // The server would remember.
  expect(translate({}, 'openai.responses')).toEqual([{ providerOptions: { openai: { store: false } } }, []]);
  expect(translate({}, 'azure.responses')).toEqual([{ providerOptions: { azure: { store: false } } }, []]);
});

test('settings have their place in the common interface', () => {
  const numbers = { temperature: 0.5, topP: 0.9, topK: 3, presencePenalty: 1, frequencyPenalty: 0, seed: 7, maxOutputTokens: 10 };
  expect(translate({ ...numbers, stop: ['END'] })).toEqual([{ ...numbers, stopSequences: ['END'] }, []]);
});

test('what has none is a loss, where no option is known', () => {
  const hostedTools = [{ type: 'web_search', settings: {}, path: 'tools[0]' }];
  const change = {
    topLogprobs: 2,
    hostedTools,
    verbosity: 'low',
    serviceTier: 'flex',
    promptCacheKey: 'k',
    safetyIdentifier: 's',
  };
  expect(translate(change)).toEqual([
    {},
    ['text.verbosity dropped', 'service_tier dropped', 'top_logprobs dropped', 'tools[0].type dropped'],
  ]);
  expect(translate({ verbosity: 'medium', serviceTier: 'default' })).toEqual([{}, []]);
  const openai = { textVerbosity: 'low', serviceTier: 'flex', promptCacheKey: 'k', safetyIdentifier: 's' };
  expect(translate({ ...change, topLogprobs: null, hostedTools: [] }, 'openai.chat')).toEqual([
    { providerOptions: { openai } },
    [],
  ]);
});

describe('tools', () => {
  const tools = [tool('get', { description: 'Gets.', strict: true }), tool('set.it', { parameters: null })];

  test('are functions, under names that every provider takes', () => {
    expect(translate({ tools })[0]).toEqual({
      tools: [
        { type: 'function', name: 'get', description: 'Gets.', inputSchema: { type: 'object' }, strict: true },
        {
          type: 'function',
          name: expect.stringMatching(/^set_it_\w{10}$/) as string,
          inputSchema: { type: 'object', properties: {} },
        },
      ],
      toolChoice: { type: 'auto' },
    });
  });

  test.each<[ToolChoice, number, object]>([
    [{ type: 'none' }, 2, { type: 'none' }],
    [{ type: 'required' }, 2, { type: 'required' }],
    [{ type: 'allowed', names: ['get'] }, 1, { type: 'auto' }],
    [{ type: 'required-of', names: ['get'] }, 1, { type: 'tool', toolName: 'get' }],
    [{ type: 'required-of', names: ['get', 'set.it'] }, 2, { type: 'required' }],
  ])('the choice %o', (choice, count, toolChoice) => {
    expect(translate({ tools, toolChoice: choice })[0]).toMatchObject({ tools: { length: count }, toolChoice });
  });

  test('one call at a time is asked for where there is an option', () => {
    const one = { tools, parallelToolCalls: false };
    expect(translate(one, 'openai.chat')[0]).toMatchObject({ providerOptions: { openai: { parallelToolCalls: false } } });
    expect(translate(one, 'anthropic.messages')[0]).toMatchObject({
      providerOptions: { anthropic: { disableParallelToolUse: true } },
    });
    expect(translate(one)[0]).not.toHaveProperty('providerOptions');
  });
});

test('formats', () => {
  const schema = { type: 'object' };
  expect(translate({ format: { type: 'json-object' } })).toEqual([{ responseFormat: { type: 'json' } }, []]);
  const format = { type: 'json-schema', name: 'n', description: 'd', schema, strict: false } as const;
  const responseFormat = { type: 'json', name: 'n', description: 'd', schema };
  expect(translate({ format })).toEqual([{ responseFormat }, []]);
  expect(translate({ format }, 'mine.chat', '@ai-sdk/openai-compatible')).toEqual([
    { responseFormat, providerOptions: { openaiCompatible: { strictJsonSchema: false } } },
    [],
  ]);
});

describe('thinking', () => {
  const near = (path: string) => [`${path} approximated`];
  const effort = 'reasoning.effort';
  test.each<[string, [model: string, effort: string], object, string[]]>([
    ['openai.chat', ['gpt-5', 'max'], { openai: { reasoningEffort: 'max' } }, []],
    ['xai.chat', ['grok', 'minimal'], { xai: { reasoningEffort: 'low' } }, near(effort)],
    ['groq.chat', ['qwen3', 'high'], { groq: { reasoningEffort: 'default' } }, near(effort)],
    ['groq.chat', ['gpt-oss', 'none'], { groq: { reasoningEffort: 'none' } }, []],
    ['deepseek.chat', ['chat', 'none'], { deepseek: { thinking: { type: 'disabled' } } }, []],
    ['openrouter.chat', ['x', 'max'], { openrouter: { reasoning: { effort: 'xhigh' } } }, near(effort)],
    ['google.generative-ai', ['gemini-3-pro', 'low'], { google: { thinkingConfig: { thinkingLevel: 'low' } } }, []],
    ['google.vertex.chat', ['gemini-2.5-pro', 'low'], { vertex: { thinkingConfig: { thinkingBudget: 2048 } } }, []],
    [
      'anthropic.messages',
      ['claude-sonnet-4-5', 'low'],
      { anthropic: { thinking: { type: 'enabled', budgetTokens: 2048 } } },
      [],
    ],
    ['anthropic.messages', ['claude-opus-4-8', 'high'], { anthropic: { thinking: { type: 'adaptive' }, effort: 'high' } }, []],
    ['anthropic.messages', ['claude-opus-4-8', 'none'], { anthropic: { thinking: { type: 'disabled' } } }, []],
  ])('%s, %o', (provider, [model, wish], providerOptions, losses) => {
    expect(translate({ model, reasoning: { effort: wish, summary: null } }, provider)).toEqual([{ providerOptions }, losses]);
  });

  test('is a loss where no option is known, and for models that do not think', () => {
    const reasoning = { effort: 'low', summary: null };
    expect(translate({ reasoning })).toEqual([{}, ['reasoning.effort dropped']]);
    expect(translate({ reasoning, model: 'claude-3-opus' }, 'anthropic.messages')).toEqual([{}, ['reasoning.effort dropped']]);
  });

  const budget = 'thinking_budget';
  test.each<[string, [model: string, tokens: number], object, string[]]>([
    ['google.generative-ai', ['gemini-2.5-pro', 5000], { google: { thinkingConfig: { thinkingBudget: 5000 } } }, []],
    ['anthropic.messages', ['claude-sonnet-4-5', 5000], { anthropic: { thinking: { type: 'enabled', budgetTokens: 5000 } } }, []],
    [
      'anthropic.messages',
      ['claude-opus-4-8', 5000],
      { anthropic: { thinking: { type: 'adaptive' }, effort: 'medium' } },
      near(budget),
    ],
    ['openrouter.chat', ['x', 5000], { openrouter: { reasoning: { max_tokens: 5000 } } }, []],
    ['openai.chat', ['gpt-5', 0], { openai: { reasoningEffort: 'none' } }, []],
    ['openai.chat', ['gpt-5', 5000], { openai: { reasoningEffort: 'medium' } }, near(budget)],
  ])('tokens to think for, %s, %o', (provider, [model, thinkingBudget], providerOptions, losses) => {
    const reasoning = { effort: 'high', summary: null };
    expect(translate({ model, reasoning, thinkingBudget }, provider)).toEqual([{ providerOptions }, losses]);
  });

  test('is shown where the provider shows it', () => {
    const reasoning = { effort: 'low', summary: 'auto' };
    expect(translate({ reasoning }, 'openai.responses')).toEqual([
      { providerOptions: { openai: { reasoningEffort: 'low', reasoningSummary: 'auto', store: false } } },
      [],
    ]);
    expect(translate({ reasoning }, 'openai.chat')[1]).toEqual(['reasoning.summary dropped']);
  });
});
