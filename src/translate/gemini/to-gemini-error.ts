import type { JsonObject } from '../../lib/json.ts';
import type { GatewayError } from '../../model/errors.ts';

/** An error as Google's APIs write it (google.rpc.Status). */
export interface GeminiError {
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly status: string;
    readonly details: readonly JsonObject[];
  };
}

const statuses: ReadonlyMap<number, string> = new Map([
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'ABORTED'],
  [429, 'RESOURCE_EXHAUSTED'],
  [499, 'CANCELLED'],
  [500, 'INTERNAL'],
  [502, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
]);

/** A model is in the URL there, so one that does not exist is a 404. */
export function toGeminiStatus({ code, status }: GatewayError): number {
  return code === 'model_not_found' ? 404 : status;
}

/** With our code (`ErrorInfo`), the field that was wrong (`BadRequest`) and the time to wait (`RetryInfo`). */
export function toGeminiError(error: GatewayError): GeminiError {
  const code = toGeminiStatus(error);
  const status = statuses.get(code) ?? (code >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT');
  const details: JsonObject[] = [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: error.code.toUpperCase(), domain: 'antiphon' },
  ];
  if (error.param !== null) {
    const violation = { field: error.param, description: error.message };
    details.push({ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [violation] });
  }
  if (error.retryAfter !== null) {
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${String(error.retryAfter)}s` });
  }
  return { error: { code, message: error.message, status, details } };
}
