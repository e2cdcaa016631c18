import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { usageKeys, type TokenUsage } from '../../model/model-event.ts';

/**
 * The counts of a `usage` object in any dialect. What is not a whole number ≥ 0 is left out. `outputTokens` includes thinking: xAI and Gemini's compatible endpoint leave it out of
 * `completion_tokens`, which shows in a total that is larger than its parts.
 */
export function mapUsage(usage: JsonObject): TokenUsage {
  const input = readCount(usage['prompt_tokens']);
  const completion = readCount(usage['completion_tokens']);
  const total = readCount(usage['total_tokens']);
  const promptDetails = isJsonObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {};
  const outputDetails = isJsonObject(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : {};
  const output =
    completion !== undefined && input !== undefined && total !== undefined ? Math.max(completion, total - input) : completion;
  return withoutAbsent({
    inputTokens: input,
    cachedTokens: firstCount(
      promptDetails['cached_tokens'],
      usage['prompt_cache_hit_tokens'],
      usage['cached_tokens'],
      usage['num_cached_tokens'],
    ),
    cacheWriteTokens: firstCount(promptDetails['cache_write_tokens'], usage['cache_creation_input_tokens']),
    outputTokens: output,
    reasoningTokens: firstCount(outputDetails['reasoning_tokens'], usage['reasoning_tokens']),
    totalTokens: total,
  });
}

function firstCount(...values: readonly unknown[]): number | undefined {
  for (const value of values) {
    const count = readCount(value);
    if (count !== undefined) return count;
  }
  return undefined;
}

function readCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function withoutAbsent(usage: { readonly [key in keyof TokenUsage]: number | undefined }): TokenUsage {
  const present: { -readonly [key in keyof TokenUsage]: number } = {};
  for (const key of usageKeys) {
    const count = usage[key];
    if (count !== undefined) present[key] = count;
  }
  return present;
}
