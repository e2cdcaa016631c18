import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest, type ClientRequestArgs, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect as connectH2, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ModelWay } from './agent-server-options.ts';
import { openTunnel } from './open-tunnel.ts';

interface ModelHttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

export interface ModelHttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Fails when the body breaks off. */
  readonly body: Readable;
}

/** The agent server's way to the model API: kept connections, h2 where it is offered, through a proxy's tunnel where one is set. */
export interface ModelHttp {
  post(request: ModelHttpRequest): Promise<ModelHttpResponse>;
  close(): void;
}

export function openModelHttp(options: ModelWay): ModelHttp {
  const url = new URL(options.modelUrl);
  const basePath = url.pathname.replace(/\/$/, '');
  const dialer = new Dialer(url, options);

  async function post(request: ModelHttpRequest): Promise<ModelHttpResponse> {
    const rooted = { ...request, path: basePath + request.path };
    try {
      return await postOnce(rooted);
    } catch (error) {
      // A kept connection may have died meanwhile; a fresh one tells.
      if (!(error instanceof StaleConnection) || request.signal.aborted) throw error;
      return postOnce(rooted);
    }
  }

  async function postOnce(request: ModelHttpRequest): Promise<ModelHttpResponse> {
    request.signal.throwIfAborted();
    const session = await dialer.session();
    return session === null ? postH1(request, url, dialer.agent) : postH2(request, url, session);
  }

  return {
    post,
    close: () => {
      dialer.close();
    },
  };
}

class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

/** Opens connections. The first one shows whether the other side speaks h2; if not, it is the first one of the agent's. */
class Dialer {
  readonly agent: Agent;
  readonly #url: URL;
  readonly #options: Omit<ModelWay, 'modelUrl'>;
  readonly #sockets = new Set<Socket>();
  #session: Promise<ClientHttp2Session | null> | null = null;
  #spare: Socket | null = null;

  constructor(url: URL, options: Omit<ModelWay, 'modelUrl'>) {
    this.#url = url;
    this.#options = options;
    this.agent = new DialAgent(() => this.#take());
  }

  /** Null: the other side speaks http/1.1. */
  async session(): Promise<ClientHttp2Session | null> {
    if (this.#url.protocol === 'http:' || this.#options.modelH2 === false) return null;
    const session = await (this.#session ??= this.#probe());
    if (session === null || !(session.closed || session.destroyed)) return session;
    this.#session = this.#probe();
    return this.#session;
  }

  close(): void {
    this.agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #probe(): Promise<ClientHttp2Session | null> {
    try {
      const { socket, protocol } = await this.#dial();
      if (protocol !== 'h2') {
        this.#spare = socket;
        return null;
      }
      const session = connectH2(this.#url.origin, { createConnection: () => socket });
      session.on('error', () => undefined);
      return session;
    } catch (error) {
      this.#session = null;
      throw error;
    }
  }

  async #take(): Promise<Socket> {
    const spare = this.#spare;
    this.#spare = null;
    return spare === null || spare.destroyed ? (await this.#dial()).socket : spare;
  }

  async #dial(): Promise<{ readonly socket: Socket; readonly protocol: string | false | null }> {
    const { proxy } = this.#options;
    const port = Number(this.#url.port === '' ? (this.#url.protocol === 'https:' ? 443 : 80) : this.#url.port);
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    const raw =
      proxy === undefined ? await dialTcp(host, port) : await openTunnel(proxy, `${this.#url.hostname}:${String(port)}`);
    if (this.#url.protocol === 'http:') return { socket: this.#track(raw), protocol: null };
    const socket = await this.#encrypt(raw, host);
    return { socket: this.#track(socket), protocol: socket.alpnProtocol };
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  async #encrypt(raw: Socket, host: string): Promise<TLSSocket> {
    const { proxy, modelCaFile, modelH2 } = this.#options;
    const caFile = proxy === undefined ? modelCaFile : proxy.caFile;
    const socket = connectTls({
      socket: raw,
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: modelH2 === false ? ['http/1.1'] : ['h2', 'http/1.1'],
      ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    });
    return opened(socket, 'secureConnect');
  }
}

function dialTcp(host: string, port: number): Promise<Socket> {
  return opened(connectTcp(port, host), 'connect');
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('the connection was closed before it was open'));
    });
  });
}

class DialAgent extends Agent {
  readonly #dial: () => Promise<Socket>;

  constructor(dial: () => Promise<Socket>) {
    super({ keepAlive: true });
    this.#dial = dial;
  }

  override createConnection(_options: ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#dial().then(
      (socket) => callback?.(null, socket),
      // Node reads only the error then.
      (error: unknown) => callback?.(error as Error, undefined as unknown as Duplex),
    );
  }
}

function postH1(request: ModelHttpRequest, url: URL, agent: Agent): Promise<ModelHttpResponse> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({
      agent,
      method: 'POST',
      path: request.path,
      headers: { host: url.host, 'content-length': request.body.length, ...request.headers },
    });
    const stop = (): void => {
      call.destroy(request.signal.reason as Error);
    };
    request.signal.addEventListener('abort', stop, { once: true });
    call.once('close', () => {
      request.signal.removeEventListener('abort', stop);
    });
    call.once('response', (response: IncomingMessage) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
    });
    call.on('error', (error: Error) => {
      reject(call.reusedSocket ? new StaleConnection('stale', { cause: error }) : error);
    });
    call.end(request.body);
  });
}

function postH2(request: ModelHttpRequest, url: URL, session: ClientHttp2Session): Promise<ModelHttpResponse> {
  return new Promise((resolve, reject) => {
    const stream: ClientHttp2Stream = session.request({
      ':method': 'POST',
      ':path': request.path,
      ':authority': url.host,
      ':scheme': 'https',
      ...request.headers,
    });
    const stop = (): void => {
      stream.close(constants.NGHTTP2_CANCEL);
    };
    request.signal.addEventListener('abort', stop, { once: true });
    stream.once('response', (headers) => {
      resolve({ status: Number(headers[':status']), headers, body: stream });
    });
    stream.on('error', (error: Error) => {
      reject(session.destroyed ? new StaleConnection('stale', { cause: error }) : error);
    });
    stream.once('close', () => {
      request.signal.removeEventListener('abort', stop);
      reject(new StaleConnection('the stream was closed without an answer'));
    });
    stream.end(request.body);
  });
}
