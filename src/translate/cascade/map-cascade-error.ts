import { GatewayError, type ErrorCode, type GatewayErrorOptions } from '../../model/errors.ts';
import { classifyCascadeFailure, type CascadeFailure, type FaultKind } from './classify-cascade-failure.ts';

export interface CascadeErrorContext {
  readonly backendName: string;
  /** Name of the call: `StartCascade`. */
  readonly method: string;
  /** Whether `csrf_token` is configured. */
  readonly hasCsrfToken: boolean;
  /** Whether an access token went with the call. */
  readonly hasToken: boolean;
}

/** What a failed call meant; it is the `cause` of the GatewayError. */
export class CascadeFault extends Error {
  override readonly name = 'CascadeFault';
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * A call that the agent server refused → our error (docs/errors.md; backends.md A.1, A.2). `failure.text` must be cleaned: it becomes part of the message. What kind of
 * failure it was stays in `cause` for `faultKindOf`.
 */
export function mapCascadeError(failure: CascadeFailure, context: CascadeErrorContext): GatewayError {
  const kind = classifyCascadeFailure(failure);
  const code = mapFaultKind(kind);
  const options: GatewayErrorOptions = {
    cause: new CascadeFault(kind, `${context.method}: ${describeAnswer(failure)}`),
    ...(code === 'model_not_found' && { param: 'model' }),
    ...(code === 'context_length_exceeded' && { param: 'input' }),
    ...(failure.retryAfter !== null && { retryAfter: failure.retryAfter }),
  };
  const sentence = describeFault(kind, failure, context);
  // The agent server's words about credentials say nothing that a client could act upon, and may quote them.
  const words = code === 'upstream_auth_failed' || failure.text === null ? '' : ` It said: ${failure.text}`;
  return new GatewayError(code, `${sentence}${words}`, options);
}

/** What kind of failed call that error is about; null when it is about something else (a connection, say). */
export function faultKindOf(error: unknown): FaultKind | null {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof CascadeFault) return one.kind;
  }
  return null;
}

/** Whether the agent server does not know the cascade (any more): it was restarted, or the cascade deleted. */
export function isCascadeGone(error: unknown): boolean {
  return faultKindOf(error) === 'gone';
}

function describeAnswer({ status, code, text }: CascadeFailure): string {
  const place = status === null ? 'the stream ended' : `HTTP ${status}`;
  return [place, code, text].filter((part) => part !== null && part !== '').join(', ');
}

function mapFaultKind(kind: FaultKind): ErrorCode {
  switch (kind) {
    case 'csrf':
    case 'token':
    case 'forbidden':
      return 'upstream_auth_failed';
    case 'model':
      return 'model_not_found';
    case 'context':
      return 'context_length_exceeded';
    case 'quota':
      return 'insufficient_quota';
    case 'rate':
      return 'rate_limit_exceeded';
    case 'busy':
    case 'overloaded':
      return 'upstream_overloaded';
    case 'unreachable':
      return 'upstream_unreachable';
    case 'timeout':
      return 'upstream_timeout';
    case 'refused':
      return 'invalid_request_error';
    case 'gone':
    case 'unserved':
    case 'range':
    case 'failed':
      return 'upstream_error';
  }
}

function describeFault(kind: FaultKind, failure: CascadeFailure, context: CascadeErrorContext): string {
  const { backendName, method } = context;
  const server = `The agent server of the backend ${backendName}`;
  switch (kind) {
    case 'csrf':
    case 'token':
    case 'forbidden':
      return `${server} refused the gateway's own credentials. ${settingToCheck(kind, context)} Your API key is fine.`;
    case 'gone':
      return `${server} does not know this cascade (any more).`;
    case 'busy':
      return `${server} is still busy with the turn before.`;
    case 'model':
      return `${server} does not know this model.`;
    case 'context':
      return `The input is too long for the model of the backend ${backendName}.`;
    case 'quota':
      return `The quota of the backend ${backendName} is used up.`;
    case 'rate':
      return `${server} limits the rate of requests.`;
    case 'overloaded':
      return `${server} is overloaded or not ready.`;
    case 'unreachable':
      return `${server} cannot reach its model API.`;
    case 'timeout':
      return `${server} took too long (${method}).`;
    case 'unserved':
      return `${server} does not serve the call ${method}. Does base_url point at an agent server, and is its build new enough?`;
    case 'refused':
      return `${server} refused the request (${method}).`;
    case 'range':
    case 'failed':
      return describeOther(server, failure, method);
  }
}

function settingToCheck(kind: 'csrf' | 'token' | 'forbidden', { hasCsrfToken, hasToken }: CascadeErrorContext): string {
  const csrf = hasCsrfToken
    ? 'csrf_token must be the value that the agent server was started with.'
    : 'It wants a CSRF value: set csrf_token to the value that the agent server was started with.';
  if (kind === 'csrf') return csrf;
  if (kind === 'token' && hasToken) return 'Its access token is not valid (any more): check token, token_file or token_command.';
  if (hasToken) return 'The operator of this gateway must check its csrf_token and its token.';
  return hasCsrfToken
    ? 'The operator of this gateway must check its csrf_token; if the server wants an access token, set token.'
    : 'The operator of this gateway must set csrf_token to the value that the agent server was started with, or token if it wants an access token.';
}

function describeOther(server: string, { status }: CascadeFailure, method: string): string {
  if (status !== null && status >= 300 && status < 400)
    return `${server} answered with a redirect (HTTP ${status}), which is never followed. Check its base_url.`;
  return `${server} failed (${method}${status === null ? '' : `, HTTP ${status}`}).`;
}
