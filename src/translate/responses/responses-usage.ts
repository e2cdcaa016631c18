import { isJsonObject } from '../../lib/json.ts';
import type { TokenUsage } from '../../model/model-event.ts';
import { indexOf } from './read-event.ts';

/** The counts of a `usage` object. What is not a whole number ≥ 0 is left out; null when nothing is left. */
export function readResponsesUsage(usage: unknown): TokenUsage | null {
  if (!isJsonObject(usage)) return null;
  const input = isJsonObject(usage['input_tokens_details']) ? usage['input_tokens_details'] : {};
  const output = isJsonObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {};
  const counts: { -readonly [K in keyof TokenUsage]: TokenUsage[K] | undefined } = {
    inputTokens: indexOf(usage, 'input_tokens'),
    cachedTokens: indexOf(input, 'cached_tokens'),
    cacheWriteTokens: indexOf(input, 'cache_write_tokens'),
    outputTokens: indexOf(usage, 'output_tokens'),
    reasoningTokens: indexOf(output, 'reasoning_tokens'),
    totalTokens: indexOf(usage, 'total_tokens'),
  };
  const known: TokenUsage = Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined));
  return Object.keys(known).length === 0 ? null : known;
}
