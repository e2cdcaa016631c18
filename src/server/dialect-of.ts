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
