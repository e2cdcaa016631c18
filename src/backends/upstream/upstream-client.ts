import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { GatewayError } from '../../model/errors.ts';
import { createSocketFactory } from './connect-socket.ts';
import { Exchange } from './exchange.ts';

/** Budgets in milliseconds. All end in `upstream_timeout` (a stalled TLS handshake in `upstream_tls_error`). */
export interface UpstreamTimeouts {
  /** From the first look-up of the name to a connection that can carry a request. */
  readonly connectMs: number;
  /** From sending the request to the status line. */
  readonly firstByteMs: number;
  /** Silence inside the answer while somebody waits for more. */
  readonly idleMs: number;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface UpstreamAnswer {
  readonly status: number;
  /** Names in lower case; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The decompressed body; one element is what one read of the socket brought. Throws a GatewayError after everything that arrived has been read, or the signal's
   * reason at once. It must be read to its end or stopped (`return`, leaving a `for await`), which destroys the socket.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The door to model servers. */
export interface UpstreamClient {
  /**
   * Sends one request. Redirects are not followed: their status is the answer. Rejects with a GatewayError, or with the signal's reason when it aborts; the socket is
   * destroyed at once then, also while the body is being read. A request that met a kept-alive connection just closed by the server is sent once more.
   */
  send(request: UpstreamRequest, signal: AbortSignal): Promise<UpstreamAnswer>;
  /** Closes idle connections; running exchanges go on to their end. */
  close(): Promise<void>;
}

/** `caFile`: PEM file with authorities to trust in addition to Node's own. Throws when it cannot be read. */
export function createUpstreamClient(options: { timeouts: UpstreamTimeouts; caFile?: string }): UpstreamClient {
  const { timeouts } = options;
  const sockets = createSocketFactory({ connectMs: timeouts.connectMs, secureContext: loadAuthorities(options.caFile) });
  const shared = { connect: sockets.connect, headersTimeout: 0, bodyTimeout: 0 };
  const agent = new Agent(shared);
  /** Without pipelining undici keeps no connection: every request gets a new one. */
  const freshAgent = new Agent({ ...shared, pipelining: 0 });
  let closing: Promise<void> | undefined;

  return {
    async send(request, signal) {
      signal.throwIfAborted();
      const { origin, dispatch } = toDispatch(request);
      const first = new Exchange({ origin, timeouts, signal });
      agent.dispatch(dispatch, first);
      try {
        return await first.answer;
      } catch (error) {
        if (!sockets.brokeUsedSocket(first.brokenUnanswered)) throw error;
      }
      signal.throwIfAborted();
      const second = new Exchange({ origin, timeouts, signal });
      freshAgent.dispatch(dispatch, second);
      return second.answer;
    },
    close: () => (closing ??= Promise.all([agent.close(), freshAgent.close()]).then(() => undefined)),
  };
}

function loadAuthorities(caFile: string | undefined): SecureContext | null {
  // Built once: reading Node's 140 authorities costs milliseconds.
  return caFile === undefined ? null : createSecureContext({ ca: [...rootCertificates, readFileSync(caFile, 'utf8')] });
}

function toDispatch(request: UpstreamRequest): { origin: string; dispatch: Dispatcher.DispatchOptions } {
  if (!URL.canParse(request.url))
    throw new GatewayError('server_error', 'The address of the model server is not a valid URL. Check base_url of the backend.');
  const url = new URL(request.url);
  const headers = { 'accept-encoding': 'identity', ...request.headers };
  const dispatch = {
    origin: url.origin,
    path: url.pathname + url.search,
    method: request.method,
    headers,
    body: request.body ?? null,
  };
  return { origin: url.origin, dispatch };
}
