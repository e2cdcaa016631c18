import type { TokenUsage } from '../../model/model-event.ts';

/** The tokens of two model calls together; what neither of them counted stays unknown. */
export function addUsage(first: TokenUsage, second: TokenUsage): TokenUsage {
  const sum = (field: keyof TokenUsage) => {
    const [one, other] = [first[field], second[field]];
    return one === undefined && other === undefined ? {} : { [field]: (one ?? 0) + (other ?? 0) };
  };
  return {
    ...sum('inputTokens'),
    ...sum('cachedTokens'),
    ...sum('cacheWriteTokens'),
    ...sum('outputTokens'),
    ...sum('reasoningTokens'),
    ...sum('totalTokens'),
  };
}
