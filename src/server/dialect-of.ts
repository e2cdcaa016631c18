import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect } from '../model/dialect.ts';

/** Which dialect a caller speaks where the path does not say it: each SDK has a header of its own (clients.md §9). OpenAI's when there is none. */
export function dialectOf(headers: IncomingHttpHeaders): Dialect {
  if (headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined) return 'gemini';
  return headers['anthropic-version'] === undefined ? 'responses' : 'anthropic';
}
