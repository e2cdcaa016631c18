/** Where a Messages API is reached. */
export interface AnthropicAddress {
  readonly messagesUrl: string;
  /** `messagesUrl` with a query; empty: without one. */
  nativeUrl(query: string): string;
  /** Of `count_tokens`; the query as in `nativeUrl`. */
  countUrl(query: string): string;
  /** One page of the list; `afterId` null for the first. */
  listUrl(afterId: string | null): string;
}

const defaultBaseUrl = 'https://api.anthropic.com';

/** A base URL is written with `/v1` by some programs and without it by others (`https://api.deepseek.com/anthropic`): both work. */
export function createAnthropicAddress(baseUrl: string | undefined): AnthropicAddress {
  const base = (baseUrl ?? defaultBaseUrl).replace(/\/+$/, '');
  const root = /\/v\d+$/.test(base) ? base : `${base}/v1`;
  return {
    messagesUrl: `${root}/messages`,
    nativeUrl: (query) => `${root}/messages${toQuery(query)}`,
    countUrl: (query) => `${root}/messages/count_tokens${toQuery(query)}`,
    listUrl: (afterId) => `${root}/models?limit=1000${afterId === null ? '' : `&after_id=${encodeURIComponent(afterId)}`}`,
  };
}

function toQuery(query: string): string {
  return query === '' ? '' : `?${query}`;
}
