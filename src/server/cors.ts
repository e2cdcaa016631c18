import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

const exposed = 'x-request-id, openai-processing-ms, antiphon-losses, antiphon-route, retry-after, x-should-retry';

const usual = 'authorization, content-type, antiphon-strict';

/** Headers that let an allowed web origin read the answer; none for everybody else. */
export function toCorsHeaders(headers: IncomingHttpHeaders, allowedOrigins: readonly string[]): Readonly<Record<string, string>> {
  const { origin } = headers;
  if (origin === undefined || !allowedOrigins.includes(origin)) return {};
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
}

/** Answers a browser's question whether it may send the real request. False when it was none, or its origin is not allowed. */
export function sendPreflight(raw: ServerResponse): boolean {
  if (!raw.hasHeader('access-control-allow-origin')) return false;
  const asked = raw.req.headers['access-control-request-headers'] ?? '';
  raw.setHeader('access-control-allow-methods', 'GET, POST, DELETE');
  // Whatever it asks for: SDKs send a dozen headers of their own (x-stainless-…), and new ones with each version. None of them opens anything here.
  raw.setHeader('access-control-allow-headers', /^[\w!#$%&'*+.^`|~, -]{1,2000}$/.test(asked) ? asked : usual);
  raw.setHeader('access-control-max-age', '600');
  raw.writeHead(204).end();
  return true;
}
