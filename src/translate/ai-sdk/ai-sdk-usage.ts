import { isJsonObject } from '../../lib/json.ts';
import type { TokenUsage } from '../../model/model-event.ts';

/** Nested totals of a `finish` part → ours; undefined when nothing was counted. What is no count is left out. */
export function readAiSdkUsage(usage: unknown): TokenUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const input = isJsonObject(usage['inputTokens']) ? usage['inputTokens'] : {};
  const output = isJsonObject(usage['outputTokens']) ? usage['outputTokens'] : {};
  const read = {
    inputTokens: toCount(input['total']),
    cachedTokens: toCount(input['cacheRead']),
    cacheWriteTokens: toCount(input['cacheWrite']),
    outputTokens: toCount(output['total']),
    reasoningTokens: toCount(output['reasoning']),
  };
  const counted = Object.entries(read).filter(([, count]) => count !== undefined);
  return counted.length === 0 ? undefined : Object.fromEntries(counted);
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
