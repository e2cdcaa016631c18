import type { GatewayError } from '../../model/errors.ts';

/** An error as the Messages API writes it: the body of a status, and the data of an `error` event. */
export interface AnthropicError {
  readonly type: 'error';
  readonly error: { readonly type: string; readonly message: string; readonly details?: ThreadRefusal };
  readonly request_id: string | null;
}

/** What Anthropic's tool runner looks for when a server has no message threads: it goes on with the whole history. */
interface ThreadRefusal {
  readonly error_code: 'thread_unsupported_request';
  readonly unsupported: readonly string[];
}

/** Types by status (backends.md D); everything else of 4xx is the client's mistake, of 5xx ours. */
const types: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/** Anthropic has a status of its own for overload, which its clients wait for; and a model that does not exist is a 404. */
export function toAnthropicStatus({ code, status }: GatewayError): number {
  if (code === 'model_not_found') return 404;
  return status === 503 ? 529 : status;
}

/** Its clients compact the conversation when they read one of these. */
const tooLong = /prompt is too long|exceed context limit/i;

/** `param` has no place of its own there, so the message leads with it, as Anthropic does: `messages.0.content: …`. */
export function toAnthropicError(error: GatewayError, requestId: string | null): AnthropicError {
  const status = toAnthropicStatus(error);
  const type = types.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  const refusal: ThreadRefusal = { error_code: 'thread_unsupported_request', unsupported: ['thread'] };
  return {
    type: 'error',
    error: { type, message: toMessage(error), ...(error.param === 'thread' && { details: refusal }) },
    request_id: requestId,
  };
}

function toMessage({ code, param, message }: GatewayError): string {
  if (code === 'context_length_exceeded') return tooLong.test(message) ? message : `prompt is too long: ${message}`;
  return param === null || message.includes(param) ? message : `${param}: ${message}`;
}
