import type { GeminiCandidate, GeminiUsage } from '../../protocol/gemini/answer.ts';
import type { ResponseResource, ResponseUsage } from '../../protocol/responses/response.ts';

/** How an answer that did not fail ended. STOP is also what Gemini says where functions were called. */
export function toGeminiFinish({
  status,
  incomplete_details: details,
}: Pick<ResponseResource, 'status' | 'incomplete_details'>): Pick<GeminiCandidate, 'finishReason' | 'finishMessage'> {
  if (status !== 'incomplete') return { finishReason: 'STOP' };
  switch (details?.reason) {
    case 'max_output_tokens':
      return { finishReason: 'MAX_TOKENS' };
    case 'content_filter':
      return { finishReason: 'SAFETY' };
    default:
      return { finishReason: 'OTHER', finishMessage: 'The time for this answer was over.' };
  }
}

/** Gemini counts thoughts beside the candidates, not among them, and leaves zeros out. */
export function toGeminiUsage(usage: ResponseUsage): GeminiUsage {
  const { cached_tokens: cached } = usage.input_tokens_details;
  const thoughts = Math.min(usage.output_tokens_details.reasoning_tokens, usage.output_tokens);
  return {
    promptTokenCount: usage.input_tokens,
    ...(cached > 0 && { cachedContentTokenCount: cached }),
    candidatesTokenCount: usage.output_tokens - thoughts,
    ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    totalTokenCount: usage.total_tokens,
  };
}
