import type { ErrorCode, GatewayError } from '../../model/errors.ts';

/** What a failure before the first byte means for its route: the same target may be asked again, only another one, or nobody. */
export type Verdict = 'again' | 'elsewhere' | 'stop';

/** Trouble that may be over in a moment: no connection, 429, 5xx. */
const passing = new Set<ErrorCode>(['rate_limit_exceeded', 'upstream_unreachable', 'upstream_error', 'upstream_overloaded']);

/**
 * Trouble of this one target. It has taken its time already (a time-out), its answer was not its protocol, or it will say the same again: its key, its quota, its certificate, its model. Another
 * target has others of all these.
 */
const ofTarget = new Set<ErrorCode>([
  'upstream_timeout',
  'upstream_invalid_response',
  'upstream_auth_failed',
  'upstream_auth_missing',
  'upstream_tls_error',
  'insufficient_quota',
  'model_not_found',
]);

/** What is wrong with the request is wrong everywhere, and what has begun to answer (`upstream_truncated`) may have been paid for: both stop. */
export function judgeFailure(error: GatewayError): Verdict {
  if (passing.has(error.code)) return error.isRetryable ? 'again' : 'stop';
  return ofTarget.has(error.code) ? 'elsewhere' : 'stop';
}

/** Whether a circuit breaker counts it: the backend is ill. A refusal (400, a wrong key) proves that somebody is at home. */
export function isIllness({ code, isRetryable }: GatewayError): boolean {
  return isRetryable && (code === 'rate_limit_exceeded' || code.startsWith('upstream_'));
}
