import { parseJson } from '../../lib/json.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { mapChatErrorCode, readChatError, toChatFailure } from '../../translate/chat/chat-error.ts';
import { cleanMessage } from './clean-message.ts';
import { mapHttpError, type MapError } from './map-http-error.ts';

/**
 * A failed call to a chat server: its words and code are found in every dialect's error body, the table is the shared one. Groq's `tool_use_failed` is a 400 although the model
 * was wrong, not the client.
 */
export function mapChatHttpError(options: { readonly backendName: string; readonly secrets: readonly Secret[] }): MapError {
  const { backendName, secrets } = options;
  return (failure) => {
    const report = readChatError(parseJson(failure.body));
    if (report === null) return mapHttpError(failure, options);
    const code = mapChatErrorCode(report);
    const words = code === 'context_length_exceeded' || code === 'insufficient_quota' ? code : (report.code ?? report.type);
    const detail = { ...(words !== null && { code: words }), ...(report.message !== null && { message: report.message }) };
    const error = mapHttpError(failure, { backendName, secrets, detail });
    if (code !== 'upstream_error' || error.code !== 'invalid_request_error') return error;
    return new GatewayError('upstream_error', toChatFailure(report, (text) => cleanMessage(text, secrets)).message, {
      cause: error.cause,
    });
  };
}
