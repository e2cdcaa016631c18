import { describe, expect, test } from 'vitest';
import type { Loss } from '../../model/loss.ts';
import type { CallOutputInput, ModelRequest } from '../../model/model-request.ts';
import { toModelRequest } from '../../engine/to-model-request.ts';
import { newCreateRequest } from '../parse/new-create-request.ts';
import { mapModelTraits } from './model-traits.ts';
import { toFunctionResponse } from './to-function-response.ts';
import { toGenerationConfig } from './to-generation-config.ts';

function write(changes: Partial<ModelRequest>, model = 'gemini-3-flash'): { config: unknown; losses: string[] } {
  const { value } = toModelRequest(newCreateRequest(), { model, input: [], session: null });
  const { value: config, losses } = toGenerationConfig({ ...value, ...changes }, mapModelTraits(model), true);
  return { config, losses: losses.map(({ path, action }: Loss) => `${path} ${action}`) };
}

describe('what other front doors can say', () => {
  test('goes to Gemini: top K, seed, texts that end the answer', () => {
    expect(write({ topK: 40, seed: 7, stop: ['END'] })).toEqual({
      config: { topK: 40, seed: 7, stopSequences: ['END'] },
      losses: [],
    });
  });

  test('is cut to what Gemini takes: five texts, a seed of 32 bits', () => {
    expect(write({ stop: ['a', 'b', 'c', 'd', 'e', 'f'] })).toEqual({
      config: { stopSequences: ['a', 'b', 'c', 'd', 'e'] },
      losses: ['stop approximated'],
    });
    expect(write({ seed: 2 ** 40 + 5 }).config).toEqual({ seed: 5 });
  });
});

test('a top_k of 0, which limits nothing elsewhere, is left out: Gemini refuses it', () => {
  expect(write({ topK: 0 })).toEqual({ config: undefined, losses: [] });
});

describe('a budget of tokens for thinking', () => {
  const reasoning = { effort: 'high', summary: null };

  test.each([
    ['gemini-2.5-flash', 1000, 1000, []],
    ['gemini-2.5-flash', 0, 0, []],
    ['gemini-2.5-flash', 30_000, 24_576, ['thinking_budget approximated']],
    ['gemini-2.5-pro', 30_000, 30_000, []],
    ['gemini-2.5-pro', 0, 128, ['thinking_budget approximated']],
  ])('on %s: %i becomes %i, and wins over the effort', (model, thinkingBudget, expected, losses) => {
    expect(write({ thinkingBudget, reasoning }, model)).toEqual({
      config: { thinkingConfig: { thinkingBudget: expected } },
      losses,
    });
  });

  test.each([
    [0, 'MINIMAL'],
    [1024, 'LOW'],
    [8192, 'MEDIUM'],
    [32_000, 'HIGH'],
  ])('of %i is the level %s where the model has levels', (thinkingBudget, thinkingLevel) => {
    expect(write({ thinkingBudget, reasoning })).toEqual({
      config: { thinkingConfig: { thinkingLevel } },
      losses: ['thinking_budget approximated'],
    });
  });

  test('is lost on a model that does not think', () => {
    expect(write({ thinkingBudget: 1000, reasoning }, 'gemini-2.0-flash')).toEqual({
      config: undefined,
      losses: ['thinking_budget dropped'],
    });
    expect(write({ thinkingBudget: 0, reasoning }, 'gemini-2.0-flash').losses).toEqual([]);
  });
});

describe('a tool that failed', () => {
  const options = { name: 'f', id: undefined, takesMedia: true };
  const failed = (...texts: string[]): CallOutputInput => ({
    ...{ type: 'call-output', callId: 'a', name: 'f', isError: true, path: 'input[0]' },
    content: texts.map((text) => ({ type: 'text', text, path: 'input[0]' })),
  });

  test.each([
    [['no such file'], { error: 'no such file' }],
    [['{"error":"no such file","code":2}'], { error: 'no such file', code: 2 }],
    [['{"code":2}'], { error: { code: 2 } }],
    [['[1]'], { error: [1] }],
    [['a', 'b'], { error: ['a', 'b'] }],
    [[], { error: '' }],
    [['{"result":1,"code":2}'], { error: { result: 1, code: 2 } }],
  ])('%j tells it in `error`', (texts, response) => {
    expect(toFunctionResponse(failed(...texts), options).part.functionResponse.response).toEqual(response);
  });
});
