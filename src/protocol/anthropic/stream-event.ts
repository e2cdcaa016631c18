import type { AnthropicAnswer, AnthropicAnswerBlock, AnthropicCitation, AnthropicStopReason, AnthropicUsage } from './answer.ts';

/**
 * Events of a stream, as we write them: `event: TYPE`, `data: {"type":"TYPE",…}`. Blocks come one after the other, `index` counts them from 0. What a server sends is read loosely.
 */
export type AnthropicStreamEvent =
  | { type: 'message_start'; message: AnthropicAnswer }
  | { type: 'ping' }
  | { type: 'content_block_start'; index: number; content_block: AnthropicAnswerBlock }
  | { type: 'content_block_delta'; index: number; delta: AnthropicBlockDelta }
  | { type: 'content_block_stop'; index: number }
  | { type: 'message_delta'; delta: AnthropicMessageEnd; usage: AnthropicUsage }
  | { type: 'message_stop' }
  | { type: 'error'; error: { readonly type: string; readonly message: string }; request_id: string | null };

export type AnthropicBlockDelta =
  | { type: 'text_delta'; text: string }
  /** Pieces of the JSON of a call's input; all together may be nothing, which means `{}`. */
  | { type: 'input_json_delta'; partial_json: string }
  | { type: 'thinking_delta'; thinking: string }
  /** Once, right before the block stops. */
  | { type: 'signature_delta'; signature: string }
  | { type: 'citations_delta'; citation: AnthropicCitation };

export interface AnthropicMessageEnd {
  stop_reason: AnthropicStopReason;
  stop_sequence: string | null;
}
