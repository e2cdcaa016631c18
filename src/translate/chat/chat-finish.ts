import type { ErrorCode } from '../../model/errors.ts';
import type { FinishReason } from '../../model/model-event.ts';

/** How a `finish_reason` is to be understood. `unknown` counts as `stop` when there was an answer. */
export type ChatFinish =
  | { readonly type: 'finish'; readonly reason: FinishReason }
  | { readonly type: 'failure'; readonly code: ErrorCode }
  | { readonly type: 'unknown' };

/** Every finish reason the dialects are known to send (backends.md C), case ignored. */
export function mapFinishReason(reason: string): ChatFinish {
  switch (reason.toLowerCase()) {
    case 'stop':
    case 'tool_calls':
    case 'function_call':
    case 'tool_use':
    case 'end_turn':
    case 'stop_sequence':
    case 'eos':
    case 'eos_token':
      return { type: 'finish', reason: 'stop' };
    case 'length':
    case 'model_length':
    case 'max_tokens':
      return { type: 'finish', reason: 'length' };
    case 'content_filter':
    case 'safety':
      return { type: 'finish', reason: 'content-filter' };
    case 'error':
    case 'abort':
      return { type: 'failure', code: 'upstream_error' };
    case 'insufficient_system_resource':
      return { type: 'failure', code: 'upstream_overloaded' };
    default:
      return { type: 'unknown' };
  }
}
