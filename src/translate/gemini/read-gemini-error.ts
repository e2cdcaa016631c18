import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** What an error object of Gemini says. */
export interface GeminiError {
  /** HTTP status; from the status word where no number is given, else 500. */
  readonly status: number;
  /** `RESOURCE_EXHAUSTED` … */
  readonly code?: string;
  readonly message?: string;
  /** Seconds, from RetryInfo. */
  readonly retryAfter?: number;
  /** The API key is wrong, though the status says 400. */
  readonly isBadKey: boolean;
  /** A thought signature is missing, corrupted, or belongs to another model or key. */
  readonly isBadSignature: boolean;
}

/** Status words of google.rpc.Code. */
const statuses: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ INVALID_ARGUMENT: 400, FAILED_PRECONDITION: 400, OUT_OF_RANGE: 400, UNAUTHENTICATED: 401, PERMISSION_DENIED: 403 },
    ...{ NOT_FOUND: 404, ALREADY_EXISTS: 409, ABORTED: 409, RESOURCE_EXHAUSTED: 429, CANCELLED: 500 },
    ...{ INTERNAL: 500, UNKNOWN: 500, DATA_LOSS: 500, UNIMPLEMENTED: 501, UNAVAILABLE: 503, DEADLINE_EXCEEDED: 504 },
  }),
);

/** `{ "error": { code, message, status, details } }`, the inner object alone, or either in an array. Undefined when it is not an error of Gemini. */
export function readGeminiError(body: unknown): GeminiError | undefined {
  const root: unknown = Array.isArray(body) ? body[0] : body;
  if (!isJsonObject(root)) return undefined;
  const error = isJsonObject(root['error']) ? root['error'] : root;
  const { code, message, status } = error;
  if (typeof code !== 'number' && typeof status !== 'string' && typeof message !== 'string') return undefined;
  const details = (Array.isArray(error['details']) ? (error['details'] as readonly unknown[]) : []).filter(isJsonObject);
  const retryAfter = readRetryDelay(details);
  return {
    status: toStatus(code, status),
    ...(typeof status === 'string' && { code: status }),
    ...(typeof message === 'string' && { message }),
    ...(retryAfter !== undefined && { retryAfter }),
    isBadKey: details.some(({ reason }) => reason === 'API_KEY_INVALID'),
    isBadSignature: typeof message === 'string' && /thought[\s_]*signature/i.test(message),
  };
}

function toStatus(code: unknown, status: unknown): number {
  if (typeof code === 'number' && code >= 400 && code <= 599) return code === 499 ? 500 : code;
  return (typeof status === 'string' ? statuses.get(status) : undefined) ?? 500;
}

/** `"34.4s"`, or the parts of a protobuf Duration. */
function readRetryDelay(details: readonly JsonObject[]): number | undefined {
  for (const { retryDelay } of details) {
    if (typeof retryDelay === 'string' && /^\d+(?:\.\d+)?s$/.test(retryDelay)) return Number(retryDelay.slice(0, -1));
    if (isJsonObject(retryDelay) && retryDelay['seconds'] !== undefined) return Number(retryDelay['seconds']);
  }
  return undefined;
}
