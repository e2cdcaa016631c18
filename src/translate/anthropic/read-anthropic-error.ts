import { isJsonObject } from '../../lib/json.ts';

/** What an error object of Anthropic says. */
export interface AnthropicErrorReport {
  /** Status that goes with the error's type; undefined for a type nobody knows. */
  readonly status: number | undefined;
  /** `overloaded_error` …, empty when there is none. */
  readonly type: string;
  readonly message: string | undefined;
  /** Our code where the words say more than the status. */
  readonly code: string | undefined;
  /** Thinking of the history was refused: its signature belongs to another model or key, or a part of it is missing. */
  readonly isBadThinking: boolean;
}

const statuses: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ invalid_request_error: 400, authentication_error: 401, billing_error: 402, permission_error: 403 },
    ...{ not_found_error: 404, request_too_large: 413, rate_limit_error: 429, api_error: 500 },
    ...{ timeout_error: 504, overloaded_error: 529 },
  }),
);

/** `{"type":"error","error":{"type","message"},"request_id"}`, also without the outer type. Undefined when it is not an error. */
export function readAnthropicError(body: unknown): AnthropicErrorReport | undefined {
  if (!isJsonObject(body)) return undefined;
  const { error } = body;
  if (!isJsonObject(error)) return typeof error === 'string' ? toReport('', error) : undefined;
  const { type, message } = error;
  return toReport(typeof type === 'string' ? type : '', typeof message === 'string' ? message : undefined);
}

function toReport(type: string, message: string | undefined): AnthropicErrorReport {
  const text = message ?? '';
  return {
    status: statuses.get(type),
    type,
    message,
    code: toCode(type, text),
    isBadThinking: /signature|thinking`? blocks?|expected `?(?:redacted_)?thinking/i.test(text),
  };
}

function toCode(type: string, text: string): string | undefined {
  if (/prompt is too long|exceeds? (?:the )?context (?:limit|window)/i.test(text)) return 'context_length_exceeded';
  if (/credit balance is too low/i.test(text)) return 'insufficient_quota';
  return type === '' ? undefined : type;
}
