import { isJsonObject } from '../../lib/json.ts';
import { readCount } from './read-proto.ts';

/** Counts of one model call, as agent servers write them. */
export interface CallUsage {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/**
 * `modelUsage` of one model call → our counts; null when nothing was counted. `inputTokens` includes cache reads, unless there are more reads than input: then it
 * cannot (backends.md A.3).
 */
export function toCallUsage(value: unknown): CallUsage | null {
  if (!isJsonObject(value)) return null;
  const input = readCount(value['inputTokens']);
  const cachedTokens = readCount(value['cacheReadTokens']);
  const cacheWriteTokens = readCount(value['cacheWriteTokens']);
  const reasoningTokens = readCount(value['thinkingOutputTokens']);
  const output = readCount(value['outputTokens']) || reasoningTokens + readCount(value['responseOutputTokens']);
  if (input + output === 0) return null;
  return {
    inputTokens: cachedTokens > input ? input + cachedTokens + cacheWriteTokens : input,
    cachedTokens,
    cacheWriteTokens,
    // Output includes thinking; less than the thinking alone cannot.
    outputTokens: reasoningTokens > output ? output + reasoningTokens : output,
    reasoningTokens,
  };
}
