import type { RemoteBackend } from './config/settings.ts';

/** What every backend behind a network is told of its settings; an absent `caFile` means the usual authorities. */
export function toRemoteOptions({ name, headers, caFile, timeouts }: RemoteBackend) {
  return { name, headers: toHeaders(headers), timeouts, ...(caFile !== null && { caFile }) };
}

export function toHeaders(headers: RemoteBackend['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries([...headers].map(([header, value]) => [header, value.reveal()]));
}
