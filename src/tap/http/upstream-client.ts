import { Agent, request as openRequest, type ClientRequest, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import { Readable, type Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { createSocketFactory, type SocketFactory } from '../../backends/upstream/connect-socket.ts';
import { loadAuthorities } from '../../backends/upstream/load-authorities.ts';
import { mapTransportError } from '../../backends/upstream/map-transport-error.ts';
import { GatewayError } from '../../model/errors.ts';
import type { UpstreamSite } from './allowed-hosts.ts';
import type { BodyFraming } from './caller.ts';
import { findHeader, withHeader, type HeaderList } from './header-list.ts';

/** A request to the model API. */
interface UpstreamRequest {
  readonly site: UpstreamSite;
  readonly method: string;
  /** Path and query, behind the base path of the site. */
  readonly path: string;
  /** End-to-end headers; `Host` is set to the site's. */
  readonly headers: HeaderList;
  /** A stream can be sent only once, so it gets a connection of its own: none that the server may just be closing. */
  readonly body: Uint8Array | Readable;
  readonly framing: BodyFraming;
  /** Breaks it off, before and after the answer has begun. */
  readonly signal: AbortSignal;
  /** The server wants the body. */
  readonly onContinue?: () => void;
}

/** Speaks HTTP/1.1 to model APIs. */
export interface UpstreamClient {
  /** Resolves with status and headers. Rejects with a GatewayError when there is no answer, or with the signal's reason. */
  send(request: UpstreamRequest): Promise<IncomingMessage>;
  /** Closes all connections. */
  close(): void;
}

const connectMs = 10_000;
/** The same bound as for the callers' headers. */
export const maxHeaderSize = 16 * 1024;

/** `caFile`: PEM file with authorities to trust in addition to Node's own; null: the usual ones. Throws when it cannot be read. */
export function createUpstreamClient(caFile: string | null): UpstreamClient {
  const secureContext = caFile === null ? null : loadAuthorities(caFile);
  const sockets = createSocketFactory({ connectMs, secureContext, allowH2: false });
  const agents = {
    'http:': { kept: new SiteAgent('http:', sockets, true), fresh: new SiteAgent('http:', sockets, false) },
    'https:': { kept: new SiteAgent('https:', sockets, true), fresh: new SiteAgent('https:', sockets, false) },
  };

  return {
    async send(request) {
      const { kept, fresh } = agents[request.site.protocol];
      if (request.body instanceof Readable) return sendOnce(request, fresh);
      try {
        return await sendOnce(request, kept);
      } catch (thrown) {
        // The server closed the idle connection while we wrote to it: not one byte of an answer came, so the request may go out again.
        if (!(thrown instanceof StaleConnectionError)) throw thrown;
        return sendOnce(request, fresh);
      }
    },
    close() {
      for (const pair of Object.values(agents)) for (const agent of Object.values(pair)) agent.destroy();
    },
  };
}

class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';
}

/** Opens connections for one scheme; Node's two agents would take TLS settings from each request. */
class SiteAgent extends Agent {
  readonly #protocol: 'http:' | 'https:';
  readonly #sockets: SocketFactory;

  constructor(protocol: 'http:' | 'https:', sockets: SocketFactory, keepAlive: boolean) {
    super({ keepAlive });
    this.#protocol = protocol;
    this.#sockets = sockets;
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const address = { protocol: this.#protocol, hostname: host ?? '', port: String(port ?? '') };
    this.#sockets.connect(address, (error, socket) => {
      const failure = error ?? findTlsFault(socket);
      if (failure !== null) socket?.destroy();
      // Node calls it with an error alone; the types do not know that.
      if (failure !== null) (callback as ((error: Error) => void) | undefined)?.(failure);
      else if (socket !== null) callback?.(null, socket);
    });
  }
}

/** Verification can be switched off for the whole process by an environment variable. Not here: what goes through carries the key of the model API. */
function findTlsFault(socket: Duplex | null): GatewayError | null {
  if (!(socket instanceof TLSSocket) || socket.authorized) return null;
  return new GatewayError('upstream_tls_error', 'The certificate of the model API could not be verified.', {
    cause: socket.authorizationError,
  });
}

function sendOnce(request: UpstreamRequest, agent: Agent): Promise<IncomingMessage> {
  const { site, body, signal } = request;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const outgoing = openClientRequest(request, agent);
    const stop = (): void => {
      outgoing.destroy();
    };
    signal.addEventListener('abort', stop, { once: true });
    let readBefore = 0;
    outgoing.once('socket', (socket) => {
      readBefore = socket.bytesRead;
    });
    const fail = (thrown: unknown): void => {
      const isStale = outgoing.reusedSocket && outgoing.socket?.bytesRead === readBefore && isLostConnection(thrown);
      if (signal.aborted) reject(toError(signal.reason));
      else reject(isStale ? new StaleConnectionError() : toUpstreamError(thrown, site));
    };
    outgoing.on('error', fail);
    outgoing.once('close', () => {
      fail(new Error('closed without an answer'));
    });
    outgoing.once('response', (answer) => {
      // Whatever breaks it ends in `close`.
      answer.on('error', () => undefined);
      answer.once('close', () => {
        signal.removeEventListener('abort', stop);
      });
      resolve(answer);
    });
    if (request.onContinue !== undefined) outgoing.once('continue', request.onContinue);
    if (!(body instanceof Readable)) {
      outgoing.end(body);
      return;
    }
    // The server may have something to say before the body is there. Not flushHeaders: it writes the head as UTF-8.
    outgoing.write(new Uint8Array(0));
    body.pipe(outgoing);
  });
}

function openClientRequest({ site, method, path, headers, framing }: UpstreamRequest, agent: Agent): ClientRequest {
  try {
    return openRequest({
      agent,
      host: site.name,
      port: site.port,
      method,
      path: site.basePath + path,
      headers: toFlatHeaders(withHeader(headers, 'host', site.host), framing, method),
      maxHeaderSize,
    });
  } catch (cause) {
    throw new GatewayError('invalid_value', 'The request cannot be sent on: its path or a header is not valid.', { cause });
  }
}

/** Node frames a body by the headers it is given, and one of unknown length where it is given none. */
function toFlatHeaders(headers: HeaderList, framing: BodyFraming, method: string): string[] {
  const hasLength = findHeader(headers, 'content-length') !== undefined;
  const isBodyUsual = !['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].includes(method);
  const extra: HeaderList =
    framing === 'chunked' && !hasLength
      ? [['Transfer-Encoding', 'chunked']]
      : isBodyUsual && !hasLength
        ? [['Content-Length', '0']]
        : [];
  return [...headers, ...extra].flat();
}

function isLostConnection(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ECONNRESET' || thrown.code === 'EPIPE');
}

function toUpstreamError(thrown: unknown, { protocol, host }: UpstreamSite): GatewayError {
  const origin = `${protocol}//${host}`;
  if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('HPE_'))
    return new GatewayError('upstream_invalid_response', `What ${origin} answered is not valid HTTP/1.1. Is it the right port?`, {
      cause: thrown,
    });
  return mapTransportError(thrown, { origin, phase: 'waiting' });
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('broken off');
}
