import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { Secret } from '../../model/secret.ts';

const maxLength = 500;

/** The error text of a JSON body: `error.message`, `message`, or `error` as text. Undefined for all else. */
export function findErrorMessage(body: string): string | undefined {
  const root = parseErrorBody(body);
  const inner = isJsonObject(root['error']) ? root['error']['message'] : root['error'];
  return [inner, root['message']].find((text) => typeof text === 'string');
}

/** The error code of a JSON body: `error.code` or `code`; where there is none the `type` beside it. */
export function findErrorCode(body: string): string | undefined {
  const root = parseErrorBody(body);
  const error = isJsonObject(root['error']) ? root['error'] : root;
  return [error['code'], error['type']].find((text) => typeof text === 'string');
}

function parseErrorBody(body: string): JsonObject {
  const parsed = parseJson(body);
  // Gemini wraps the object in an array when it answers a stream request without alt=sse.
  const root: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isJsonObject(root) ? root : {};
}

/**
 * What of a stranger's text may go to a client: one line without control characters, credentials replaced by `[secret]`, at most 500 characters. Undefined when nothing
 * is left or it is HTML.
 */
export function cleanMessage(text: string, secrets: readonly Secret[]): string | undefined {
  const line = redactSecrets(text.replace(/[\p{Cc}\s]+/gu, ' ').trim(), secrets);
  if (line === '' || looksLikeHtml(line)) return undefined;
  return line.length > maxLength ? `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
}

/** Every occurrence of a credential becomes `[secret]`. */
export function redactSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((left, secret) => (secret.reveal() === '' ? left : left.replaceAll(secret.reveal(), '[secret]')), text);
}

function looksLikeHtml(text: string): boolean {
  return /<\s*(!doctype|html|head|body|title|center|h[1-6]|div|span|p|br|hr|pre|script|style|a)\b[^<]*>/i.test(text);
}
