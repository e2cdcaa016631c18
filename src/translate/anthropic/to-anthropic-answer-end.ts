import type { AnthropicStopReason, AnthropicUsage } from '../../protocol/anthropic/answer.ts';
import type { AnthropicMessageEnd } from '../../protocol/anthropic/stream-event.ts';
import type { OutputItem } from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';

/**
 * Why a response ended that did not fail, in Anthropic's words. What an agent has to do comes first: a call, even when the model refused something beside it. An answer whose time was over
 * is cut, as one that became too long. `stopSequence`: which of the request's sequences ended it, or null.
 */
export function toMessageEnd(response: ResponseResource, stopSequence: string | null): AnthropicMessageEnd {
  const reason = mapStopReason(response, stopSequence !== null);
  return { stop_reason: reason, stop_sequence: reason === 'stop_sequence' ? stopSequence : null };
}

function mapStopReason({ status, incomplete_details, output }: ResponseResource, isStopped: boolean): AnthropicStopReason {
  if (status === 'incomplete') return incomplete_details?.reason === 'content_filter' ? 'refusal' : 'max_tokens';
  if (output.some(({ type }) => type === 'function_call')) return 'tool_use';
  if (output.some(isRefusal)) return 'refusal';
  return isStopped ? 'stop_sequence' : 'end_turn';
}

function isRefusal(item: OutputItem): boolean {
  return item.type === 'message' && item.content.some(({ type }) => type === 'refusal');
}

/** Usage of the whole message. Anthropic counts cached tokens apart: the three numbers of the input make its sum (servers that report more cached tokens than tokens exist). All zero for null. */
export function toAnthropicUsage({ usage, output }: Pick<ResponseResource, 'usage' | 'output'>): AnthropicUsage {
  const searches = output.filter(({ type }) => type === 'web_search_call').length;
  const input = usage?.input_tokens ?? 0;
  const cached = Math.min(input, usage?.input_tokens_details.cached_tokens ?? 0);
  const written = Math.min(input - cached, usage?.input_tokens_details.cache_write_tokens ?? 0);
  return {
    input_tokens: input - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    output_tokens: usage?.output_tokens ?? 0,
    output_tokens_details: { thinking_tokens: usage?.output_tokens_details.reasoning_tokens ?? 0 },
    ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
  };
}
