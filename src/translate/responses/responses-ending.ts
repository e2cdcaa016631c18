import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { FinishReason } from '../../model/model-event.ts';

/** How an answer ended. `unsure`: the server stopped early and did not say why. */
export type ResponsesEnding =
  { readonly type: 'finish'; readonly reason: FinishReason; readonly isUnsure: boolean } | { readonly type: 'failure' };

/** The end that a terminal event, or the status of a whole body, tells. `status` wins where the two do not agree and it is one that ends; null: this is no end. */
export function mapEnding(kind: string, response: JsonObject): ResponsesEnding | null {
  const { status } = response;
  const word = status === 'incomplete' || status === 'failed' || status === 'cancelled' ? status : kind;
  switch (word) {
    case 'completed':
      return { type: 'finish', reason: 'stop', isUnsure: false };
    case 'incomplete':
      return mapReason(response['incomplete_details']);
    case 'failed':
    case 'cancelled':
      return { type: 'failure' };
    default:
      return null;
  }
}

function mapReason(details: unknown): ResponsesEnding {
  switch (isJsonObject(details) ? details['reason'] : undefined) {
    case 'max_output_tokens':
    case 'max_tokens':
    case 'length':
      return { type: 'finish', reason: 'length', isUnsure: false };
    case 'content_filter':
      return { type: 'finish', reason: 'content-filter', isUnsure: false };
    case 'timeout':
      return { type: 'finish', reason: 'timeout', isUnsure: false };
    default:
      return { type: 'finish', reason: 'length', isUnsure: true };
  }
}
