import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type SecureServerOptions } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';

/** One call as it came, and the means to answer it byte by byte. */
export interface ConnectCall {
  /** `StartCascade`. */
  readonly method: string;
  /** The message: of a stream, out of its envelope. */
  readonly message: Record<string, unknown>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly path: string;
  readonly httpVersion: string;
  /** Resolves when the client has gone or the answer is over. */
  readonly closed: Promise<void>;
  /** A whole unary answer: JSON, or bytes as they are. */
  answer(body: unknown, options?: { status?: number; headers?: Record<string, string> }): void;
  /** A unary Connect error. */
  fail(status: number, code: string, message: string): void;
  /** Status line and headers of a stream. */
  accept(): void;
  /** Bytes of a stream's answer, after its head. */
  write(bytes: Uint8Array): void;
  /** One message. */
  frame(message: unknown, flags?: number): void;
  /** The end frame, and the end. */
  end(error?: { code: string; message: string }): void;
  /** The end without an end frame. */
  stop(): void;
  /** Breaks the connection. */
  destroy(): void;
}

export interface ConnectServer {
  readonly url: string;
  readonly port: number;
  readonly calls: readonly ConnectCall[];
  /** Answers that method from now on; without one it is a 404 in plain words, as Go's own. */
  on(method: string, answer: (call: ConnectCall) => void): void;
  /** The calls of that method so far. */
  callsOf(method: string): readonly ConnectCall[];
  /** Resolves with the call number `count` (from 1) of that method, also when it has been there before. */
  arrived(method: string, count?: number): Promise<ConnectCall>;
  close(): Promise<void>;
}

const streamType = 'application/connect+json';

export interface ConnectServerOptions {
  /** Speaks https, and h2 with those who prefer it. */
  readonly tls?: SecureServerOptions;
  readonly allowH2?: boolean;
  /** Any free port when absent. */
  readonly port?: number;
}

/** A Connect server on 127.0.0.1 that does for every call what the test says. */
export async function openConnectServer(options: ConnectServerOptions = {}): Promise<ConnectServer> {
  const calls: ConnectCall[] = [];
  const answers = new Map<string, (call: ConnectCall) => void>();
  const sockets = new Set<Socket>();
  const secureSockets = new Set<Socket>();
  const onCall: (() => void)[] = [];

  async function onRequest(request: Request, response: Response): Promise<void> {
    const call = await readCall(request, response).catch(() => null);
    if (call === null) return;
    calls.push(call);
    (answers.get(call.method) ?? notFound)(call);
    for (const wake of onCall.splice(0)) wake();
  }

  const listener = (request: Request, response: Response): void => void onRequest(request, response);
  const server = createListener(options, listener);
  server.on('connection', (socket: Socket) => {
    keepWhileOpen(socket, sockets);
  });
  server.on('secureConnection', (socket: Socket) => {
    keepWhileOpen(socket, secureSockets);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const callsOf = (method: string): ConnectCall[] => calls.filter((call) => call.method === method);

  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(address.port)}`,
    port: address.port,
    calls,
    on: (method, answer) => answers.set(method, answer),
    callsOf,
    async arrived(method, count = 1) {
      for (;;) {
        const call = callsOf(method)[count - 1];
        if (call !== undefined) return call;
        await new Promise<void>((resolve) => onCall.push(resolve));
      }
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      // Not in the middle of a read, and TLS before what is under it: Node crashes when a connection vanishes from under its own TLS.
      for (const layer of [secureSockets, sockets]) {
        await new Promise(setImmediate);
        for (const socket of layer) socket.destroy();
      }
      await closed;
    },
  };
}

function keepWhileOpen(socket: Socket, open: Set<Socket>): void {
  open.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => open.delete(socket));
}

function createListener({ tls, allowH2 = true }: ConnectServerOptions, listener: (request: Request, response: Response) => void) {
  if (tls === undefined) return createServer(listener);
  return allowH2 ? createSecureServer({ allowHTTP1: true, ...tls }, listener) : createHttpsServer(tls, listener);
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** One message with its header. */
export function toFrame(message: unknown, flags = 0): Buffer {
  const payload = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
  return Buffer.concat([Buffer.from([flags]), lengthOf(payload), payload]);
}

function lengthOf(payload: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return length;
}

function notFound(call: ConnectCall): void {
  call.answer(Buffer.from('404 page not found\n'), { status: 404, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

async function readCall(request: Request, response: Response): Promise<ConnectCall> {
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const body = await readText(request.setEncoding('latin1'));
  const isStream = request.headers['content-type'] === streamType;
  const path = request.url ?? '';
  // One API for both kinds of response; their types are not one.
  const out = response as ServerResponse;
  const accept = (): void => {
    if (!out.headersSent) out.writeHead(200, { 'content-type': streamType }).flushHeaders();
  };
  const write = (bytes: Uint8Array): void => {
    accept();
    out.write(bytes);
  };
  const answer: ConnectCall['answer'] = (content, { status = 200, headers = { 'content-type': 'application/json' } } = {}) => {
    out.writeHead(status, headers).end(content instanceof Uint8Array ? content : JSON.stringify(content));
  };
  return {
    method: path.slice(path.lastIndexOf('/') + 1),
    message: JSON.parse(isStream ? openEnvelope(body) : toUtf8(body)) as Record<string, unknown>,
    headers: request.headers,
    path,
    httpVersion: request.httpVersion,
    closed,
    answer,
    fail(status, code, message) {
      answer({ code, message }, { status });
    },
    accept,
    write,
    frame(message, flags = 0) {
      write(toFrame(message, flags));
    },
    end(error) {
      write(toFrame(error === undefined ? {} : { error, metadata: {} }, 2));
      out.end();
    },
    stop() {
      accept();
      out.end();
    },
    destroy() {
      if ('stream' in request) request.stream.session?.destroy();
      else request.socket.destroy();
    },
  };
}

const toUtf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** The message of a stream's request, which must be one whole envelope, as real servers insist. */
function openEnvelope(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  if (bytes.length < 5 || bytes.readUInt8(0) !== 0 || bytes.readUInt32BE(1) !== bytes.length - 5) {
    throw new Error('invalid_argument: promised bytes in enveloped message');
  }
  return bytes.subarray(5).toString();
}
