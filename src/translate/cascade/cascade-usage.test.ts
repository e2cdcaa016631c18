import { expect, test } from 'vitest';
import { answerStep, stepOf } from '../../../test/doubles/scripted-agent-server.ts';
import { toCascadeUsage } from './cascade-usage.ts';
import { readStep } from './read-step.ts';

const used = (modelUsage: Readonly<Record<string, unknown>>) => answerStep('x', { metadata: { modelUsage } });
const usageOf = (steps: readonly unknown[], calls: readonly unknown[] = []) => toCascadeUsage(steps.map(readStep), calls);

test('the planner steps of a turn are added up; a checkpoint belongs to another model', () => {
  const first = used({
    inputTokens: '2380',
    outputTokens: '495',
    thinkingOutputTokens: '400',
    responseOutputTokens: '95',
    cacheReadTokens: '80',
  });
  const second = used({ inputTokens: 100, outputTokens: 5, cacheWriteTokens: '7' });
  const checkpoint = stepOf('CHECKPOINT', 'DONE', { metadata: { modelUsage: { inputTokens: '9999', outputTokens: '9999' } } });
  expect(usageOf([null, first, checkpoint, second], [{ chatModel: { usage: { inputTokens: '1' } } }])).toEqual({
    ...{ inputTokens: 2480, cachedTokens: 80, cacheWriteTokens: 7, outputTokens: 500, reasoningTokens: 400 },
  });
});

test('without any in the steps, the model calls of the trajectory are added up', () => {
  const calls = [
    { chatModel: { usage: { inputTokens: '10', outputTokens: '2' } } },
    {},
    null,
    { chatModel: { usage: { inputTokens: '5' } } },
  ];
  expect(usageOf([answerStep('x', { metadata: { modelUsage: undefined } })], calls)).toMatchObject({
    inputTokens: 15,
    outputTokens: 2,
  });
  expect(usageOf([used({})], [])).toBeNull();
});

test('counts that cannot be true together are read the other way', () => {
  expect(usageOf([used({ inputTokens: '10', cacheReadTokens: '90', cacheWriteTokens: '5', outputTokens: '1' })])).toMatchObject({
    inputTokens: 105,
    cachedTokens: 90,
  });
  expect(usageOf([used({ inputTokens: '10', outputTokens: '5', thinkingOutputTokens: '20' })])).toMatchObject({
    outputTokens: 25,
    reasoningTokens: 20,
  });
  expect(usageOf([used({ inputTokens: '10', thinkingOutputTokens: '20', responseOutputTokens: '3' })])).toMatchObject({
    outputTokens: 23,
  });
});
