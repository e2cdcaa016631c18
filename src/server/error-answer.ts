import type { ServerResponse } from 'node:http';
import type { GatewayError } from '../model/errors.ts';

/**
 * Headers of an error: SDKs obey `x-should-retry` literally and honour `retry-after` (whole seconds). What retrying cannot cure must say so, because some clients send a 5xx thirty times.
 */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'x-should-retry': String(error.isRetryable),
  };
  if (error.retryAfter !== null) headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfter)));
  if (error.code === 'invalid_api_key') headers['www-authenticate'] = 'Bearer';
  if (error.code === 'upgrade_required') headers['upgrade'] = 'websocket';
  return headers;
}

/** Answers with the error's status and body; nothing of `cause` goes out. */
export function sendError(raw: ServerResponse, error: GatewayError): void {
  if (raw.headersSent) {
    raw.destroy();
    return;
  }
  // A body that was refused unread would be taken for the next request.
  if (error.code === 'request_too_large') raw.setHeader('connection', 'close');
  raw.writeHead(error.status, errorHeaders(error)).end(JSON.stringify(error.toBody()));
}
