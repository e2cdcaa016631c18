import type { EngineDeps } from '../engine/deps.ts';
import type { Backend } from '../model/backend.ts';
import type { Secret } from '../model/secret.ts';

/** What the HTTP server needs. Times in milliseconds. */
export interface AppOptions {
  readonly engine: EngineDeps;
  /** API keys of clients; empty: nobody is asked for one, and the gateway binds only loopback. */
  readonly keys: readonly Secret[];
  /** Opens `POST /v1/token` and nothing else; null: there is no such route. */
  readonly adminKey: Secret | null;
  /** All backends, once they are known. */
  readonly backends: () => Promise<readonly Backend[]>;
  /** The address it will listen on. */
  readonly host: string;
  /** Names a `Host` header may carry besides loopback and the bound address. */
  readonly allowedHosts: readonly string[];
  /** Web origins that may call from a browser. */
  readonly allowedOrigins: readonly string[];
  /** Cap on a request body after decompression. */
  readonly maxBodyBytes: number;
  /** For a whole response when the request names no `timeout`; and the most it may ask for. */
  readonly timeouts: { readonly totalMs: number; readonly maxTotalMs: number };
  /** How long a stream may be silent before a comment, and before a real event. */
  readonly keepAlive: { readonly commentMs: number; readonly eventMs: number };
  readonly version: string;
}

/** The gateway's HTTP side. */
export interface App {
  /** Resolves with the base URL (`http://127.0.0.1:8720`) once connections are accepted. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no new requests, lets running ones end for at most `graceMs`, then breaks them off. */
  close(graceMs: number): Promise<void>;
}
