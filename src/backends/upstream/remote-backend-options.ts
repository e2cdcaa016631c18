import type { Secret } from '../../model/secret.ts';
import type { UpstreamTimeouts } from './upstream-client.ts';

/** What every backend behind HTTP is told. */
export interface RemoteBackendOptions {
  readonly name: string;
  /** Null: `headers` carry the credential, or none is needed. */
  readonly apiKey: Secret | null;
  /** Sent with every call, after our own, which they may replace. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts: UpstreamTimeouts;
  /** PEM file with authorities to trust in addition. */
  readonly caFile?: string;
  readonly newId: (prefix: string) => string;
}
