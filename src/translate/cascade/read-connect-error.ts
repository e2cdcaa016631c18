import { readList, readMessage, readText } from './read-proto.ts';

export interface ConnectError {
  /** `unknown`, `unauthenticated` …; '' when left out. */
  readonly code: string;
  /** The server's words as they came; '' when left out. */
  readonly message: string;
  /** Seconds, from a RetryInfo among the details. */
  readonly retryAfter: number | null;
}

/** A Connect error: the body of a unary answer that is not 200, or `error` of the last frame of a stream. Everything may be missing. */
export function readConnectError(value: unknown): ConnectError {
  const { code, message, details } = readMessage(value);
  const delays = readList(details).map((detail) => readRetryDelay(detail));
  return {
    code: readText(code).toLowerCase(),
    message: readText(message),
    retryAfter: delays.find((delay) => delay !== null) ?? null,
  };
}

/** `{debug: {retryDelay: "34.4s"}}` → 35. */
function readRetryDelay(detail: unknown): number | null {
  const delay = readText(readMessage(readMessage(detail)['debug'])['retryDelay']);
  const [, seconds] = /^(\d{1,5}(?:\.\d+)?)s$/.exec(delay) ?? [];
  return seconds === undefined ? null : Math.ceil(Number(seconds));
}
