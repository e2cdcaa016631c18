import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { GatewayError, type ErrorCode } from '../../model/errors.ts';

/** What an error body of any dialect says. */
export interface ChatErrorReport {
  /** `code`, or `type` where there is no code of words. */
  readonly code: string | null;
  readonly type: string | null;
  readonly message: string | null;
  /** An HTTP status inside of the body: OpenRouter and llama.cpp put it into `code`, Groq into `status_code`. */
  readonly status: number | null;
  readonly param: string | null;
}

/**
 * Reads the error out of a body or chunk: OpenAI's nested object, OpenRouter's and llama.cpp's numeric codes, Mistral's and old vLLM's flat form, FastAPI's `detail`,
 * and a bare string. Null when the JSON is not an error.
 */
export function readChatError(body: unknown): ChatErrorReport | null {
  if (!isJsonObject(body)) return null;
  const { error, detail } = body;
  if (typeof error === 'string' && error !== '') return { ...noReport, message: error };
  if (isJsonObject(error) && Object.keys(error).length > 0) return readReport(error);
  if (body['choices'] !== undefined) return null;
  if (body['object'] === 'error' || typeof body['message'] === 'string') return readReport(body);
  const message = readDetail(detail);
  return message === null ? null : { ...noReport, message };
}

const noReport: ChatErrorReport = { code: null, type: null, message: null, status: null, param: null };

function readReport(error: JsonObject): ChatErrorReport {
  const { code, type, param } = error;
  const number = [code, error['status_code'], error['status'], error['raw_status_code']]
    .map(toStatus)
    .find((status) => status !== null);
  return {
    code: typeof code === 'string' && toStatus(code) === null && code !== '' ? code : null,
    type: typeof type === 'string' && type !== '' ? type : null,
    message: readMessage(error),
    status: number ?? null,
    param: typeof param === 'string' && param !== '' ? param : null,
  };
}

/** OpenRouter's own message is often only "Provider returned error"; what the provider said is in `metadata.raw`. */
function readMessage(error: JsonObject): string | null {
  const { message, metadata } = error;
  const said = typeof message === 'string' && message !== '' ? message : (readDetail(message) ?? readDetail(error['detail']));
  const raw = isJsonObject(metadata) && typeof metadata['raw'] === 'string' ? metadata['raw'] : null;
  return said === 'Provider returned error' && raw !== null ? `${said}: ${raw}` : said;
}

/** FastAPI: a string, or a list of `{loc, msg}`; Mistral wraps the list once more. */
function readDetail(detail: unknown): string | null {
  if (typeof detail === 'string') return detail === '' ? null : detail;
  if (isJsonObject(detail)) return readDetail(detail['detail']);
  if (!Array.isArray(detail)) return null;
  const lines = detail.filter(isJsonObject).flatMap(({ loc, msg }) => {
    if (typeof msg !== 'string') return [];
    const place = Array.isArray(loc) ? loc.filter((step) => typeof step === 'string' || typeof step === 'number').join('.') : '';
    return [place === '' ? msg : `${place}: ${msg}`];
  });
  return lines.length === 0 ? null : lines.join('; ');
}

function toStatus(value: unknown): number | null {
  const status = typeof value === 'string' && /^[45]\d\d$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : null;
}

const contextWords =
  /context[ _](length|window|size)|context_length|maximum context|too many (prompt )?tokens|prompt is too long|total length of all messages|exceeds? the (available|maximum) context/i;

/** Our code for the words a server used, or null when they say nothing more than the status does. */
export function mapChatErrorCode(report: ChatErrorReport): ErrorCode | null {
  const words = `${report.code ?? ''} ${report.type ?? ''}`.toLowerCase();
  if (/context_length_exceeded|exceed_context_size|too_many_prompt_tokens|string_too_long/.test(words))
    return 'context_length_exceeded';
  if (report.message !== null && contextWords.test(report.message)) return 'context_length_exceeded';
  if (/insufficient_quota|insufficient_balance|billing/.test(words)) return 'insufficient_quota';
  if (/rate_?limit|too_many_requests/.test(words)) return 'rate_limit_exceeded';
  if (/model_?not_?found|deploymentnotfound/.test(words)) return 'model_not_found';
  if (/tool_use_failed/.test(words)) return 'upstream_error';
  if (/overloaded|unavailable/.test(words)) return 'upstream_overloaded';
  return null;
}

/**
 * The error of a server that had already answered 200. `clean` makes a stranger's text fit for a client (without credentials, HTML, line breaks), or undefined when nothing
 * of it may be shown.
 */
export function toChatFailure(report: ChatErrorReport, clean: (text: string) => string | undefined): GatewayError {
  const code = mapChatErrorCode(report) ?? codeOfStatus(report.status);
  const said = clean(report.message ?? report.code ?? report.type ?? '');
  return new GatewayError(
    code,
    said === undefined ? 'The model server reported an error.' : `The model server reported an error: ${said}`,
  );
}

function codeOfStatus(status: number | null): ErrorCode {
  switch (status) {
    case 401:
    case 403:
      return 'upstream_auth_failed';
    case 402:
      return 'insufficient_quota';
    case 408:
    case 504:
      return 'upstream_timeout';
    case 429:
      return 'rate_limit_exceeded';
    case 503:
    case 529:
      return 'upstream_overloaded';
    default:
      return 'upstream_error';
  }
}
