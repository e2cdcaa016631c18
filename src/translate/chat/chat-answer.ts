import type { ChatAnnotation, ChatFinishReason, ChatReasoningDetail, ChatUsage } from '../../protocol/chat/answer.ts';
import type { UrlCitationAnnotation } from '../../protocol/responses/items.ts';
import type { ResponseResource, ResponseUsage } from '../../protocol/responses/response.ts';

/** What the answer has to know of the request. */
export interface ChatFacts {
  /** `stream_options.include_usage` */
  readonly includesUsage: boolean;
  /** The request spoke of `functions`, so its call is a `function_call`. */
  readonly isLegacy: boolean;
}

/** `resp_abc` → `chatcmpl-abc`: one name in our log and in the client's. */
export function toCompletionId(responseId: string): string {
  return `chatcmpl-${responseId.replace(/^resp_/, '')}`;
}

/** Counts in chat's words; zeros when nothing was counted. */
export function toChatUsage(usage: ResponseUsage | null): ChatUsage {
  const { input_tokens, input_tokens_details, output_tokens, output_tokens_details, total_tokens } = usage ?? noUsage;
  return {
    prompt_tokens: input_tokens,
    completion_tokens: output_tokens,
    total_tokens,
    prompt_tokens_details: { ...input_tokens_details, audio_tokens: 0 },
    completion_tokens_details: {
      ...output_tokens_details,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

const noUsage: ResponseUsage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};

/**
 * Why the answer ended, for a response that did not fail. Chat has no word for an answer that our deadline cut short; `length` is what every client understands as
 * "not whole". A refusal is a `stop`, as OpenAI has it.
 */
export function mapChatFinish(
  { status, incomplete_details, output }: ResponseResource,
  { isLegacy }: ChatFacts,
): ChatFinishReason {
  if (status === 'incomplete') return incomplete_details?.reason === 'content_filter' ? 'content_filter' : 'length';
  if (!output.some(({ type }) => type === 'function_call')) return 'stop';
  return isLegacy ? 'function_call' : 'tool_calls';
}

/** A source of the text; `start` is where its message begins in `content`. */
export function toChatAnnotation({ url, title, start_index, end_index }: UrlCitationAnnotation, start: number): ChatAnnotation {
  return {
    type: 'url_citation',
    url_citation: { url, title, start_index: start + start_index, end_index: start + end_index },
  };
}

/** Sealed reasoning of the item `id`. */
export function toReasoningDetail(id: string, data: string, index: number): ChatReasoningDetail {
  return { type: 'reasoning.encrypted', id, data, format: 'antiphon-v1', index };
}
