/** Where responses are kept, as written: the path may be relative still. */
export type StoreAddress = { readonly type: 'memory' } | { readonly type: 'sqlite'; readonly path: string };

/** `memory:`, `sqlite:PATH` (also `sqlite:///absolute/path`). Undefined: it is neither. */
export function parseStoreUrl(url: string): StoreAddress | undefined {
  if (url === 'memory:' || url === 'memory') return { type: 'memory' };
  const [, path] = /^sqlite:(?:\/\/(?=\/))?((?!:)[^?#]+)$/.exec(url) ?? [];
  return path === undefined || path.startsWith('//') ? undefined : { type: 'sqlite', path };
}

/** What `parseStoreUrl` wants, for messages. PostgreSQL is named because the design documents show it already. */
export const storeUrlForm = 'sqlite:PATH or memory: (postgres:// comes with a later version)';
