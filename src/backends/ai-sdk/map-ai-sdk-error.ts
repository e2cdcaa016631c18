import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { GatewayError, type ErrorCode } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { readChatError, toChatFailure } from '../../translate/chat/chat-error.ts';
import { cleanMessage, findErrorMessage } from '../upstream/clean-message.ts';
import { mapHttpError } from '../upstream/map-http-error.ts';
import { mapTransportError } from '../upstream/map-transport-error.ts';

export interface AiSdkErrorContext {
  readonly backendName: string;
  readonly secrets: readonly Secret[];
}

/**
 * What a provider threw, or sent in an `error` part → our error. An APICallError with a status is an HTTP failure like any other (docs/errors.md); the SDK's other errors are told by their names;
 * what came from the network has a code; an object out of a stream is an error body. `isReading`: the answer had begun.
 */
export function mapAiSdkError(thrown: unknown, context: AiSdkErrorContext, isReading: boolean): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (isJsonObject(thrown)) {
    const { statusCode } = thrown;
    if (typeof statusCode === 'number' && statusCode >= 300) return mapCallError(thrown, statusCode, context);
    const known = mapNamedError(thrown, context) ?? mapNetworkError(thrown, context, isReading);
    if (known !== undefined) return known;
  }
  const clean = (text: string): string | undefined => cleanMessage(text, context.secrets);
  if (!(thrown instanceof Error)) {
    const report = readChatError({ error: thrown });
    if (report !== null) return toChatFailure(report, clean);
  }
  const words = thrown instanceof Error ? clean(thrown.message) : undefined;
  const sentence = `The provider of the backend ${context.backendName} failed.`;
  return new GatewayError('upstream_error', words === undefined ? sentence : `${sentence} It said: ${words}`, { cause: thrown });
}

function mapCallError(error: JsonObject, status: number, { backendName, secrets }: AiSdkErrorContext): GatewayError {
  const { responseHeaders, responseBody, message } = error;
  const body = typeof responseBody === 'string' ? responseBody : '';
  const headers = isJsonObject(responseHeaders) ? Object.entries(responseHeaders) : [];
  const failure = {
    status,
    headers: Object.fromEntries(
      headers.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : [])),
    ),
    body: body.slice(0, 65_536),
  };
  // The SDK's own sentence is the status text where the body has no message.
  const said = findErrorMessage(body) ?? (typeof message === 'string' ? message : undefined);
  return mapHttpError(failure, { backendName, secrets, ...(said !== undefined && { detail: { message: said } }) });
}

/** The SDK's errors that are no calls. Texts that may quote what a model or a client said stay in the log. */
function mapNamedError(error: JsonObject, { backendName, secrets }: AiSdkErrorContext): GatewayError | undefined {
  const { name, message } = error;
  const words = typeof message === 'string' ? cleanMessage(message, secrets) : undefined;
  const make = (code: ErrorCode, sentence: string, param?: string): GatewayError =>
    new GatewayError(code, sentence, { cause: error, ...(param !== undefined && { param }) });
  switch (name) {
    case 'AI_NoSuchModelError':
      return make('model_not_found', `The backend ${backendName} does not know this model.`, 'model');
    case 'AI_LoadAPIKeyError':
    case 'AI_LoadSettingError':
      return make(
        'upstream_auth_failed',
        `The backend ${backendName} lacks a setting${words === undefined ? '.' : `: ${words}`}`,
      );
    case 'AI_UnsupportedFunctionalityError':
    case 'AI_InvalidPromptError':
    case 'AI_InvalidArgumentError':
    case 'AI_TooManyEmbeddingValuesForCallError':
      return make(
        'invalid_request_error',
        `The provider of the backend ${backendName} cannot do this${words === undefined ? '.' : `: ${words}`}`,
      );
    case 'AI_JSONParseError':
    case 'AI_TypeValidationError':
    case 'AI_EmptyResponseBodyError':
    case 'AI_NoContentGeneratedError':
      return make(
        'upstream_invalid_response',
        `The provider of the backend ${backendName} could not read what its server answered.`,
      );
    case 'AI_InvalidResponseDataError':
      return /finish reason|ended/i.test(words ?? '')
        ? make('upstream_truncated', 'The provider ended the answer without saying that it was finished.')
        : make(
            'upstream_invalid_response',
            `The server of the backend ${backendName} answered with something that is not its protocol.`,
          );
    default:
      return undefined;
  }
}

const connectCodes = /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/** `fetch failed`, `terminated`, or an APICallError around them; the reason is the innermost cause. */
function mapNetworkError(error: JsonObject, { backendName }: AiSdkErrorContext, isReading: boolean): GatewayError | undefined {
  const innermost = findCause(error);
  const code = innermost['code'];
  const isNetwork =
    typeof code === 'string' && /^(E[A-Z]|UND_ERR|CERT_|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|ERR_(TLS|SSL))/.test(code);
  const isFetch = error['name'] === 'TypeError' && /fetch failed|terminated/.test(String(error['message']));
  if (!isNetwork && !isFetch && error['name'] !== 'AI_APICallError') return undefined;
  const isConnecting = connectCodes.test(String(code));
  const phase = isConnecting ? 'connecting' : isReading ? 'reading' : 'waiting';
  return mapTransportError(innermost, { origin: originOf(error['url']) ?? `the server of ${backendName}`, phase });
}

function findCause(error: JsonObject): JsonObject {
  let innermost = error;
  for (let depth = 0; depth < 5 && isJsonObject(innermost['cause']); depth += 1) innermost = innermost['cause'];
  return innermost;
}

function originOf(url: unknown): string | undefined {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;
}
