import { GatewayError, type ErrorCode, type GatewayErrorOptions } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { cleanMessage, findErrorCode, findErrorMessage, redactSecrets } from './clean-message.ts';
import { parseRetryAfter, toWholeSeconds } from './parse-retry-after.ts';

/** An answer that is not 2xx. */
export interface HttpFailure {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first 64 KiB. */
  readonly body: string;
}

/** What a backend read out of its own error format; each part replaces what would be found by itself. */
export interface FailureDetail {
  readonly code?: string;
  readonly message?: string;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** A backend's way from a failed call to our error. */
export type MapError = (failure: HttpFailure) => GatewayError;

interface Findings {
  readonly status: number;
  readonly backendName: string;
  /** The server's words, fit for a client; undefined when it sent none that can be shown. */
  readonly text: string | undefined;
  readonly code: string;
  readonly retryAfter: number | undefined;
}

/**
 * The mapping table shared by all backends (docs/errors.md). The server's words are passed on only from recognised JSON, on one line, at most 500 characters, with
 * `secrets` replaced; HTML never is. The beginning of the body (redacted) stays in `cause`.
 */
export function mapHttpError(
  failure: HttpFailure,
  options: { readonly backendName: string; readonly detail?: FailureDetail; readonly secrets: readonly Secret[] },
): GatewayError {
  const { backendName, detail, secrets } = options;
  const text = detail?.message ?? findErrorMessage(failure.body);
  const findings: Findings = {
    status: failure.status,
    backendName,
    text: text === undefined ? undefined : cleanMessage(text, secrets),
    code: detail?.code ?? findErrorCode(failure.body) ?? '',
    retryAfter: detailSeconds(detail) ?? parseRetryAfter(failure.headers, Date.now()),
  };
  const body = redactSecrets(failure.body, secrets).slice(0, 2000);
  return createError(findings, new Error(`${backendName} answered HTTP ${failure.status}: ${body}`));
}

function detailSeconds(detail: FailureDetail | undefined): number | undefined {
  const seconds = detail?.retryAfter;
  return seconds !== undefined && seconds >= 0 ? toWholeSeconds(seconds) : undefined;
}

function createError(findings: Findings, cause: Error): GatewayError {
  const { status, retryAfter } = findings;
  const code = mapStatus(findings);
  const options: GatewayErrorOptions = {
    cause,
    ...(code === 'model_not_found' && { param: 'model' }),
    ...(code === 'context_length_exceeded' && { param: 'input' }),
    // A client can act on "too large"; 409 and the like would make an SDK repeat what cannot succeed.
    ...(code === 'invalid_request_error' && status === 413 && { status }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  return new GatewayError(code, describe(code, findings), options);
}

function mapStatus(findings: Findings): ErrorCode {
  const { status } = findings;
  if (isContextOverflow(findings)) return 'context_length_exceeded';
  switch (status) {
    case 401:
    case 403:
    case 407:
      return 'upstream_auth_failed';
    case 402:
      return 'insufficient_quota';
    case 404:
      return 'model_not_found';
    case 405:
      return 'upstream_error';
    case 408:
    case 504:
      return 'upstream_timeout';
    case 429:
      return isQuotaSpent(findings) ? 'insufficient_quota' : 'rate_limit_exceeded';
    case 503:
    case 529:
      return 'upstream_overloaded';
    default:
      return status >= 400 && status < 500 ? 'invalid_request_error' : 'upstream_error';
  }
}

/** llama.cpp (exceed_context_size_error), OpenAI and vLLM ("maximum context length"), Gemini ("input token count … exceeds the maximum number of tokens"). */
function isContextOverflow({ status, code, text = '' }: Findings): boolean {
  if (![400, 413, 422, 500].includes(status)) return false;
  if (/context_length_exceeded|exceed_context_size/i.test(`${code} ${text}`)) return true;
  if (/context (length|size|window)|maximum context/i.test(text)) return true;
  return /exceeds? the maximum/i.test(text) && /\b(tokens?|context|prompt)\b/i.test(text);
}

/**
 * Money, not speed. Gemini writes "exceeded your current quota … billing" for a rate limit per minute too, and then says when to come back: who may come back has not
 * spent everything.
 */
function isQuotaSpent({ code, text = '', retryAfter }: Findings): boolean {
  if (/insufficient_quota|billing/i.test(code)) return true;
  return retryAfter === undefined && /quota|billing|credit/i.test(`${code} ${text}`);
}

function describe(code: ErrorCode, { status, backendName, text }: Findings): string {
  switch (code) {
    case 'invalid_request_error':
    case 'context_length_exceeded':
      return text ?? `The backend ${backendName} refused the request (HTTP ${status}).`;
    case 'upstream_auth_failed':
      return `The backend ${backendName} refused the gateway's own credentials (HTTP ${status}). The operator of this gateway must check that backend's API key; yours is fine.`;
    case 'model_not_found':
      return withText(`The backend ${backendName} does not know this model, or its base_url is wrong (HTTP 404).`, text);
    case 'insufficient_quota':
      return withText(`The quota of the backend ${backendName} is used up (HTTP ${status}).`, text);
    case 'rate_limit_exceeded':
      return withText(`The backend ${backendName} limits the rate of requests (HTTP ${status}).`, text);
    case 'upstream_overloaded':
      return withText(`The backend ${backendName} is overloaded or not ready (HTTP ${status}).`, text);
    case 'upstream_timeout':
      return withText(`The backend ${backendName} took too long (HTTP ${status}).`, text);
    default:
      return withText(describeOther(status, backendName), text);
  }
}

function describeOther(status: number, backendName: string): string {
  if (status >= 300 && status < 400)
    return `The backend ${backendName} answered with a redirect (HTTP ${status}), which is never followed. Check its base_url.`;
  if (status === 405) return `The backend ${backendName} does not serve this call (HTTP 405). Check its base_url.`;
  return `The backend ${backendName} failed (HTTP ${status}).`;
}

function withText(sentence: string, text: string | undefined): string {
  return text === undefined ? sentence : `${sentence} It said: ${text}`;
}
