import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../model/errors.ts';
import type { Dialect } from '../model/dialect.ts';
import { toAnthropicError, toAnthropicStatus } from '../translate/anthropic/to-anthropic-error.ts';
import { toGeminiError, toGeminiStatus } from '../translate/gemini/to-gemini-error.ts';
import { jsonHeaders } from './exchange.ts';

/**
 * Headers of an error: SDKs obey `x-should-retry` literally and honour `retry-after` (whole seconds). What retrying cannot cure must say so, because some clients send a 5xx thirty times.
 */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = { 'x-should-retry': String(error.isRetryable) };
  if (error.retryAfter !== null) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfter)));
  if (error.code === 'invalid_api_key') headers['www-authenticate'] = 'Bearer';
  // Closed, because Node's parser may have taken what followed for another protocol.
  if (error.code === 'upgrade_required') Object.assign(headers, { upgrade: 'websocket', connection: 'upgrade, close' });
  return headers;
}

/** Who is answered: in which dialect, and the id of the request. */
export interface ErrorAddress {
  readonly dialect: Dialect;
  readonly requestId: string;
}

/** Answers with the error's status and body; nothing of `cause` goes out. Once an answer has begun there is only one way left to say that it failed: breaking it off. */
export function sendError(raw: ServerResponse, error: GatewayError, address: ErrorAddress): void {
  if (raw.headersSent) {
    raw.destroy();
    return;
  }
  const { status, body } = toAnswer(error, address);
  const json = JSON.stringify(body);
  raw.writeHead(status, { ...jsonHeaders(json), ...errorHeaders(error) }).end(json);
  // The rest of a body that was refused half-way. Closing the connection instead would reset it, and a client that is still sending would never see the answer.
  raw.req.resume();
}

function toAnswer(error: GatewayError, { dialect, requestId }: ErrorAddress): { status: number; body: unknown } {
  switch (dialect) {
    case 'responses':
      return { status: error.status, body: error.toBody() };
    case 'chat':
      // There OpenAI answers 404 for a model that does not exist.
      return { status: error.code === 'model_not_found' ? 404 : error.status, body: error.toBody() };
    case 'anthropic':
      return { status: toAnthropicStatus(error), body: toAnthropicError(error, requestId) };
    case 'gemini':
      return { status: toGeminiStatus(error), body: toGeminiError(error) };
  }
}
