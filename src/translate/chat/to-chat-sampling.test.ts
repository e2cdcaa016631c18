import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { sha256 } from '../../lib/sha256.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { toChatRequest } from './to-chat-request.ts';

function translate(vendor: ChatVendor, change: Partial<ModelRequest>, baseUrl = 'https://example.com/v1') {
  const request = plainRequest('m', 'Hi', { stream: false, ...change });
  const { value, losses } = toChatRequest(request, createChatProfile({ baseUrl, vendor }));
  const fields = Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'model' && name !== 'messages'));
  return [fields, losses.map(({ path, action }) => `${path} ${action}`)];
}

const vendors = ['openai', 'ollama', 'llamacpp', 'vllm', 'openrouter', 'deepseek', 'groq', 'mistral', 'generic'] as const;

describe('texts that end the answer', () => {
  test('are sent to every server', () => {
    for (const vendor of vendors) expect(translate(vendor, { stop: ['a', 'b'] })).toEqual([{ stop: ['a', 'b'] }, []]);
  });

  test('are as many as a server takes', () => {
    const stop = ['a', 'b', 'c', 'd', 'e'];
    expect(translate('vllm', { stop })).toEqual([{ stop }, []]);
    for (const vendor of ['openai', 'groq'] as const)
      expect(translate(vendor, { stop })).toEqual([{ stop: stop.slice(0, 4) }, ['stop approximated']]);
  });

  test('are not sent to models of OpenAI that refuse them', () => {
    for (const model of ['o3', 'gpt-5.2', 'o4-mini'])
      expect(translate('openai', { model, stop: ['a'] })).toEqual([{}, ['stop dropped']]);
    for (const model of ['gpt-4.1', 'gpt-5-chat-latest'])
      expect(translate('openai', { model, stop: ['a'] })).toEqual([{ stop: ['a'] }, []]);
    expect(translate('openrouter', { model: 'openai/gpt-5', stop: ['a'] })).toEqual([{ stop: ['a'] }, []]);
  });
});

describe('how an answer is drawn', () => {
  const sampling = { temperature: 0.2, topP: 0.9, presencePenalty: 0.5, frequencyPenalty: -0.5, topLogprobs: 2 };
  const sent = { temperature: 0.2, top_p: 0.9, presence_penalty: 0.5, frequency_penalty: -0.5, logprobs: true, top_logprobs: 2 };
  const dropped = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'top_logprobs'].map(
    (path) => `${path} dropped`,
  );
  const withEffort = (effort: string): Partial<ModelRequest> => ({ reasoning: { effort, summary: null } });

  test.each<[string, Partial<ModelRequest>, object, string[]]>([
    ['gpt-5-mini', {}, {}, dropped],
    ['o3', {}, {}, dropped],
    ['gpt-5.2', withEffort('low'), { reasoning_effort: 'low' }, dropped],
    ['gpt-5.2', withEffort('none'), { reasoning_effort: 'none', ...sent }, []],
    ['gpt-5.2', {}, sent, []],
    ['gpt-4.1', {}, sent, []],
    ['gpt-5-chat-latest', {}, sent, []],
    ['some-model', withEffort('low'), { reasoning_effort: 'low', ...sent }, []],
  ])('is set only for models of OpenAI that let it be set: %s %j', (model, more, fields, losses) => {
    expect(translate('openai', { model, ...sampling, ...more })).toEqual([fields, losses]);
  });

  test('is no loss where the client asked for what is so anyway', () => {
    const usual = { temperature: 1, topP: 1, presencePenalty: 0, frequencyPenalty: 0 };
    const sent = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };
    expect(translate('openai', { model: 'gpt-5', ...usual })).toEqual([sent, []]);
  });
});

describe('an effort', () => {
  test.each(['gpt-4o', 'gpt-4.1-mini', 'ft:gpt-3.5-turbo:me', 'chatgpt-4o-latest', 'gpt-5-chat-latest'])(
    'is not sent to a model of OpenAI that does not think: %s',
    (model) => {
      expect(translate('openai', { model, reasoning: { effort: 'low', summary: null } })).toEqual([
        {},
        ['reasoning.effort dropped'],
      ]);
      expect(translate('openai', { model, reasoning: { effort: 'none', summary: null } })).toEqual([{}, []]);
      expect(translate('openai', { model, thinkingBudget: 1024 })).toEqual([{}, ['thinking_budget dropped']]);
      expect(translate('openai', { model, thinkingBudget: 0 })).toEqual([{}, []]);
    },
  );
});

describe('seed and top_k', () => {
  test.each<[ChatVendor, number, object, string[]]>([
    ['generic', 7, { seed: 7 }, []],
    ['openai', 0, { seed: 0 }, []],
    ['mistral', 7, { random_seed: 7 }, []],
    ['mistral', -1, { random_seed: 4_294_967_295 }, []],
    ['deepseek', 7, {}, ['seed dropped']],
  ])('%s is given the seed %i', (vendor, seed, fields, losses) => {
    expect(translate(vendor, { seed })).toEqual([fields, losses]);
  });

  test('top_k goes to servers that are known to take it', () => {
    for (const vendor of ['vllm', 'llamacpp', 'openrouter'] as const)
      expect(translate(vendor, { topK: 3 })).toEqual([{ top_k: 3 }, []]);
    for (const vendor of ['openai', 'ollama', 'deepseek', 'groq', 'mistral', 'generic'] as const)
      expect(translate(vendor, { topK: 3 })).toEqual([{}, ['top_k dropped']]);
    expect(translate('generic', { topK: 3 }, 'http://127.0.0.1:1234/v1')).toEqual([{ top_k: 3 }, []]);
  });
});

describe('tokens to think for', () => {
  const effort = { effort: 'low', summary: null };
  test.each<[ChatVendor, number, object, string[]]>([
    ['openrouter', 9000, { reasoning: { max_tokens: 9000 } }, []],
    ['openrouter', 0, { reasoning: { effort: 'none' } }, []],
    ['openai', 1024, { reasoning_effort: 'low' }, ['thinking_budget approximated']],
    ['ollama', 9000, { reasoning_effort: 'medium' }, ['thinking_budget approximated']],
    ['ollama', 30_000, { reasoning_effort: 'high' }, ['thinking_budget approximated']],
    ['ollama', 0, { reasoning_effort: 'none' }, []],
    ['mistral', 1024, { reasoning_effort: 'high' }, ['thinking_budget approximated']],
    ['deepseek', 0, { thinking: { type: 'disabled' } }, []],
    ['generic', 1024, {}, ['thinking_budget dropped']],
  ])('%s: %i', (vendor, thinkingBudget, fields, losses) => {
    expect(translate(vendor, { thinkingBudget, reasoning: effort })).toEqual([fields, losses]);
  });
});

test('a tool that failed is a loss at its output', () => {
  const request = plainRequest('m', 'Hi');
  const input: ModelRequest['input'] = [
    ...request.input,
    { type: 'call', callId: 'c', name: 'get', arguments: '{}', path: 'input[1]' },
    { type: 'call-output', callId: 'c', name: 'get', content: [], isError: true, path: 'input[2]' },
  ];
  expect(translate('openai', { input })).toEqual([{}, ['input[2] dropped']]);
});

test('names of users and prefixes that are too long for OpenAI are told by their digest, always the same', () => {
  const long = `user_${'a'.repeat(64)}_account__session_${'b'.repeat(100)}`;
  expect(translate('openai', { safetyIdentifier: long, promptCacheKey: 'x'.repeat(65) })).toEqual([
    { safety_identifier: sha256(long), prompt_cache_key: sha256('x'.repeat(65)) },
    [],
  ]);
  expect(translate('openai', { safetyIdentifier: 'x'.repeat(64) })).toEqual([{ safety_identifier: 'x'.repeat(64) }, []]);
});
