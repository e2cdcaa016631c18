/**
 * `http://localhost:11434` is what people write; every server of OpenAI's APIs that we know has them under `/v1` then. No slash at the end of its path; a query (Azure's `?api-version=…`) stays
 * behind it.
 */
export function withVersion(baseUrl: string): string {
  const [place, query] = cutQuery(baseUrl);
  const trimmed = place.replace(/\/+$/, '');
  return (URL.canParse(trimmed) && new URL(trimmed).pathname === '/' ? `${trimmed}/v1` : trimmed) + query;
}

/** The address of `path` (which begins with a slash) under a base of `withVersion`. */
export function endpointUrl(baseUrl: string, path: string): string {
  const [place, query] = cutQuery(baseUrl);
  return place + path + query;
}

function cutQuery(url: string): [place: string, query: string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at)];
}
