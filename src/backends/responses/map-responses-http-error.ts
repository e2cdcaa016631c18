import type { Secret } from '../../model/secret.ts';
import { mapChatHttpError } from '../upstream/map-chat-http-error.ts';
import type { MapError } from '../upstream/map-http-error.ts';

/** A failed call to a Responses server. Its error bodies are those of chat servers; xAI answers a wrong API key, which is the operator's matter, with 400. */
export function mapResponsesHttpError(options: { readonly backendName: string; readonly secrets: readonly Secret[] }): MapError {
  const mapError = mapChatHttpError(options);
  return (failure) => {
    const isBadKey = failure.status === 400 && /\b(incorrect|invalid) api key\b/i.test(failure.body);
    return mapError(isBadKey ? { ...failure, status: 401 } : failure);
  };
}
