import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect } from '../model/dialect.ts';

/**
 * Which dialect a caller speaks where the path does not say it: each SDK has a header of its own (clients.md §9), and only Gemini's clients put their key into the URL. OpenAI's when there is
 * no sign.
 */
export function dialectOf(headers: IncomingHttpHeaders, query: URLSearchParams): Dialect {
  if (headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined) return 'gemini';
  if (headers['anthropic-version'] !== undefined) return 'anthropic';
  return query.has('key') ? 'gemini' : 'responses';
}

/** Whose words a request is answered in that no route takes: its path tells whose API it was meant for, else its caller does. */
export function dialectAt(url: string, headers: IncomingHttpHeaders): Dialect {
  const [path = '', query = ''] = url.split('?', 2);
  if (/^\/(v1beta|v1\/gemini)(\/|$)/.test(path)) return 'gemini';
  if (/^\/v1\/messages(\/|$)/.test(path)) return 'anthropic';
  return dialectOf(headers, new URLSearchParams(query));
}
