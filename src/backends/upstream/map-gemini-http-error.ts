import { parseJson, type JsonObject } from '../../lib/json.ts';
import type { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { readGeminiError } from '../../translate/gemini/read-gemini-error.ts';
import { mapHttpError, type HttpFailure } from './map-http-error.ts';

export interface GeminiErrorOptions {
  readonly backendName: string;
  readonly secrets: readonly Secret[];
}

/** A failed call → our error (backends.md B.3, "Errors"). A wrong API key comes with status 400 and is the operator's matter like any 401. */
export function mapGeminiHttpError(failure: HttpFailure, { backendName, secrets }: GeminiErrorOptions): GatewayError {
  const error = readGeminiError(parseJson(failure.body));
  if (error === undefined) return mapHttpError(failure, { backendName, secrets });
  const { code, message, retryAfter } = error;
  const detail = {
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  const status = error.isBadKey ? 401 : failure.status === 499 ? 500 : failure.status;
  return mapHttpError({ ...failure, status }, { backendName, secrets, detail });
}

/** An error object inside an answer that began with status 200: as if its own status had been the answer's. */
export function mapGeminiChunkError(error: JsonObject, options: GeminiErrorOptions): GatewayError {
  const status = readGeminiError(error)?.status ?? 500;
  return mapGeminiHttpError({ status, headers: {}, body: JSON.stringify({ error }) }, options);
}
