import type { TokenUsage } from '../../model/model-event.ts';
import { toCallUsage, type CallUsage } from './call-usage.ts';
import { readMessage } from './read-proto.ts';
import type { CascadeStep } from './read-step.ts';

/**
 * Usage of a whole turn: the sum over its planner steps, else over its model calls in `generatorMetadata`; null when neither was counted. A CHECKPOINT is another
 * model's work and does not count.
 */
export function toCascadeUsage(steps: readonly (CascadeStep | null)[], generatorMetadata: readonly unknown[]): TokenUsage | null {
  const ofSteps = steps.flatMap((step) => step?.usage ?? []);
  if (ofSteps.length > 0) return sum(ofSteps);
  const ofCalls = generatorMetadata.flatMap((entry) => toCallUsage(readMessage(readMessage(entry)['chatModel'])['usage']) ?? []);
  return ofCalls.length > 0 ? sum(ofCalls) : null;
}

function sum(calls: readonly CallUsage[]): TokenUsage {
  const total = (key: keyof CallUsage): number => calls.reduce((count, call) => count + call[key], 0);
  return {
    inputTokens: total('inputTokens'),
    cachedTokens: total('cachedTokens'),
    cacheWriteTokens: total('cacheWriteTokens'),
    outputTokens: total('outputTokens'),
    reasoningTokens: total('reasoningTokens'),
  };
}
