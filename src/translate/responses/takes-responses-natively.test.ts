import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import { createResponsesProfile } from './responses-profile.ts';
import { takesResponsesNatively } from './takes-responses-natively.ts';

const openai = 'https://api.openai.com/v1';

function takes(model: string, change: Partial<ModelRequest>, baseUrl = openai): boolean {
  return takesResponsesNatively(plainRequest(model, 'Hi', change), {}, createResponsesProfile(baseUrl));
}

const thinks = (effort: string | null, summary: string | null = null): Partial<ModelRequest> => ({
  reasoning: { effort, summary },
});

describe('settings that a model of OpenAI refuses are said in other words, others go as they are', () => {
  test.each<[string, Partial<ModelRequest>, boolean, string?]>([
    ['gpt-5-mini', { temperature: 0.2 }, false],
    ['gpt-5-mini', { temperature: 1 }, true],
    ['openai/o3', { topP: 0.5 }, false],
    ['gpt-5.2', { topLogprobs: 2, ...thinks('low') }, false],
    ['gpt-5.2', { temperature: 0.2, ...thinks('none') }, true],
    ['gpt-4o', { temperature: 0.2 }, true],
    ['gpt-4o', thinks('low'), false],
    ['gpt-4o', thinks(null, 'auto'), false],
    ['gpt-5-mini', thinks('low', 'auto'), true],
    ['gpt-4o', thinks('low'), false, 'https://x.openai.azure.com/openai/v1'],
    ['gpt-4o', thinks('low'), true, 'https://models.example/v1'],
    ['gpt-5-mini', { temperature: 0.2 }, true, 'https://models.example/v1'],
  ])('%s %j: %s', (model, change, isNative, baseUrl) => {
    expect(takes(model, change, baseUrl)).toBe(isNative);
  });
});
