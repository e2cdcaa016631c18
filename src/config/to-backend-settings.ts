import { Secret } from '../model/secret.ts';
import type { BackendDocument } from './document-schema.ts';
import { isLoopback } from './parse-scalars.ts';
import type { BackendSettings, RemoteBackend, UpstreamTimeouts } from './settings.ts';

export interface BackendContext {
  readonly name: string;
  readonly origin: string;
  readonly timeouts: UpstreamTimeouts;
  readonly resolveFile: (path: string) => string;
}

type RemoteDocument = Extract<BackendDocument, { type: 'gemini' | 'chat' }>;

/** One entry of `backends`, complete. Null for the kinds whose doors come with a later version. */
export function toBackendSettings(document: BackendDocument, context: BackendContext): BackendSettings | null {
  const { name, origin } = context;
  switch (document.type) {
    case 'gemini':
      return {
        type: 'gemini',
        ...toRemoteBackend(document, context),
        baseUrl: document.base_url ?? null,
        apiKey: document.api_key,
      };
    case 'chat':
      return {
        type: 'chat',
        ...toRemoteBackend(document, context),
        baseUrl: document.base_url,
        apiKey: document.api_key ?? null,
        vendor: document.vendor ?? null,
        thinkTags: document.think_tags ?? null,
      };
    case 'rehearsal':
      return { type: 'rehearsal', name, origin };
    case 'anthropic':
    case 'responses':
    case 'cascade':
      return null;
  }
}

function toRemoteBackend(document: RemoteDocument, { name, origin, timeouts, resolveFile }: BackendContext): RemoteBackend {
  const { connect, first_byte: firstByte, idle } = document.timeouts ?? {};
  return {
    name,
    origin,
    headers: new Map(Object.entries(document.headers ?? {}).map(([header, value]) => [header.toLowerCase(), new Secret(value)])),
    caFile: document.ca_file === undefined ? null : resolveFile(document.ca_file),
    timeouts: {
      connectMs: connect ?? timeouts.connectMs,
      firstByteMs: firstByte ?? timeouts.firstByteMs,
      idleMs: idle ?? timeouts.idleMs,
    },
  };
}

/** Whether a credential would cross a network in the clear. */
export function sendsSecretInClear(backend: BackendSettings): boolean {
  if (backend.type === 'rehearsal' || backend.baseUrl === null) return false;
  const { protocol, hostname } = new URL(backend.baseUrl);
  return protocol === 'http:' && !isLoopback(hostname) && backend.apiKey !== null;
}
