import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../model/errors.ts';
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

/** Answers with the error's status and body; nothing of `cause` goes out. Once an answer has begun there is only one way left to say that it failed: breaking it off. */
export function sendError(raw: ServerResponse, error: GatewayError): void {
  if (raw.headersSent) {
    raw.destroy();
    return;
  }
  const json = JSON.stringify(error.toBody());
  raw.writeHead(error.status, { ...jsonHeaders(json), ...errorHeaders(error) }).end(json);
  // The rest of a body that was refused half-way. Closing the connection instead would reset it, and a client that is still sending would never see the answer.
  raw.req.resume();
}
