import { usageKeys, type TokenUsage } from '../../model/model-event.ts';

/** The tokens of two model calls together; what neither of them counted stays unknown. */
export function addUsage(first: TokenUsage, second: TokenUsage): TokenUsage {
  const sum: { -readonly [Key in keyof TokenUsage]: TokenUsage[Key] } = {};
  for (const key of usageKeys) {
    const [one, other] = [first[key], second[key]];
    if (one !== undefined || other !== undefined) sum[key] = (one ?? 0) + (other ?? 0);
  }
  return sum;
}
