import { assertNever } from '../lib/never.ts';
import type { GatewayError } from '../model/errors.ts';
import { usageKeys, type FinishReason, type TokenUsage } from '../model/model-event.ts';
import type { OutputItem } from '../protocol/responses/items.ts';
import type { ResponseResource, ResponseUsage } from '../protocol/responses/response.ts';

/** How a response ended. */
export type Ending =
  { readonly type: 'finish'; readonly reason: FinishReason } | { readonly type: 'failure'; readonly error: GatewayError };

/** The final response object: `base` with its end written in. `completedAt` in Unix seconds. */
export function toFinalResponse(
  base: ResponseResource,
  end: { readonly ending: Ending; readonly output: OutputItem[]; readonly usage: TokenUsage; readonly completedAt: number },
): ResponseResource {
  const { status, reason } = mapEnding(end.ending);
  const error = end.ending.type === 'failure' ? toErrorObject(end.ending.error) : null;
  return {
    ...base,
    status,
    completed_at: status === 'completed' ? end.completedAt : null,
    error,
    incomplete_details: reason === null ? null : { reason },
    output: end.output,
    // The tier that was really used: there is only one.
    service_tier: 'default',
    // A failed response whose model reported nothing has no usage; all others always do.
    usage: status === 'failed' && end.usage.outputTokens === undefined ? null : toResponseUsage(end.usage),
  };
}

function toErrorObject(error: GatewayError): ResponseResource['error'] {
  return { code: error.code, message: error.message, type: error.type, param: error.param };
}

function mapEnding(ending: Ending): { status: 'completed' | 'incomplete' | 'failed'; reason: string | null } {
  if (ending.type === 'failure') return { status: 'failed', reason: null };
  switch (ending.reason) {
    case 'stop':
      return { status: 'completed', reason: null };
    case 'length':
      return { status: 'incomplete', reason: 'max_output_tokens' };
    case 'content-filter':
      return { status: 'incomplete', reason: 'content_filter' };
    case 'timeout':
      return { status: 'incomplete', reason: 'timeout' };
    default:
      return assertNever(ending.reason, 'finish reason');
  }
}

/** Usage as OpenAI writes it: all five numbers, whole and not negative (protocol.md §1.3). The backend's own total wins. */
function toResponseUsage(usage: TokenUsage): ResponseUsage {
  const input = toCount(usage.inputTokens);
  const output = toCount(usage.outputTokens);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: toCount(usage.cachedTokens), cache_write_tokens: toCount(usage.cacheWriteTokens) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: toCount(usage.reasoningTokens) },
    total_tokens: usage.totalTokens === undefined ? input + output : toCount(usage.totalTokens),
  };
}

function toCount(tokens: number | undefined): number {
  return tokens !== undefined && Number.isFinite(tokens) && tokens > 0 ? Math.round(tokens) : 0;
}

/** Reported counts, raised by what earlier model calls of the response took. Only what was reported: counts come in pieces, and a piece must not undo another. */
export function addSpent(reported: TokenUsage, spent: TokenUsage): TokenUsage {
  const sum: { -readonly [K in keyof TokenUsage]: TokenUsage[K] } = {};
  for (const key of usageKeys) {
    const count = reported[key];
    if (count !== undefined) sum[key] = count + (spent[key] ?? 0);
  }
  return sum;
}
