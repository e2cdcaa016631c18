import { parseJson, type JsonObject } from '../../lib/json.ts';
import type { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { readAnthropicError } from '../../translate/anthropic/read-anthropic-error.ts';
import { mapHttpError, type HttpFailure } from '../upstream/map-http-error.ts';

export interface AnthropicErrorOptions {
  readonly backendName: string;
  readonly secrets: readonly Secret[];
}

/** A failed call → our error (backends.md D, "Errors"). An empty purse comes with status 400; a rate limit without `retry-after` may say in other headers when it ends. */
export function mapAnthropicHttpError(failure: HttpFailure, { backendName, secrets }: AnthropicErrorOptions): GatewayError {
  const error = readAnthropicError(parseJson(failure.body));
  if (error === undefined) return mapHttpError(failure, { backendName, secrets });
  const { code, message } = error;
  const retryAfter = failure.status === 429 ? secondsToReset(failure.headers) : undefined;
  const detail = {
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  const status = code === 'insufficient_quota' ? 402 : failure.status;
  return mapHttpError({ ...failure, status }, { backendName, secrets, detail });
}

/** An error inside an answer that began with status 200: as if the status of its type had been the answer's. */
export function mapAnthropicChunkError(chunk: JsonObject, options: AnthropicErrorOptions): GatewayError {
  const status = readAnthropicError(chunk)?.status ?? 500;
  return mapAnthropicHttpError({ status, headers: {}, body: JSON.stringify(chunk) }, options);
}

/** Until the last limit that is used up is there again; undefined where `retry-after` says it, or nothing does. */
function secondsToReset(headers: Readonly<Record<string, string>>): number | undefined {
  if (headers['retry-after'] !== undefined || headers['retry-after-ms'] !== undefined) return undefined;
  const waits = Object.entries(headers).flatMap(([name, value]) => {
    const limit = /^(anthropic-(?:priority-)?ratelimit-[\w-]+)-remaining$/.exec(name)?.[1];
    const reset = limit === undefined || Number(value) > 0 ? NaN : Date.parse(headers[`${limit}-reset`] ?? '');
    return reset > Date.now() ? [(reset - Date.now()) / 1000] : [];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}
