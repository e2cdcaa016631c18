import type { RemoteBackend } from './config/settings.ts';

/** What every backend behind a network is told of its settings; an absent `caFile` means the usual authorities. */
export function toRemoteOptions({ name, headers, caFile, timeouts }: RemoteBackend) {
  return {
    name,
    headers: Object.fromEntries([...headers].map(([header, value]) => [header, value.reveal()])),
    timeouts,
    ...(caFile !== null && { caFile }),
  };
}
