import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface RawRequest {
  readonly socket: Socket;
  /** Start line and headers as they came. */
  readonly head: string;
  readonly body: string;
  /** 0 for the first request of the server. */
  readonly index: number;
}

/** A model server that writes exactly the bytes a test wants, on a real socket. */
export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  /** Connections opened so far. */
  readonly connections: number;
  /** Requests that arrived whole. */
  readonly requests: readonly RawRequest[];
  /** Bytes received so far, over all connections. */
  readonly receivedBytes: number;
  /** Resolves when connection number `index` (from 0) is closed, also when it has been before. */
  closed(index?: number): Promise<void>;
  /** Resolves when `count` requests have arrived. */
  arrived(count?: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens it on 127.0.0.1. `answer` runs once per request. With `tls` it speaks https. */
export async function openRawUpstream(answer: (request: RawRequest) => void, tls?: TlsOptions): Promise<RawUpstream> {
  const requests: RawRequest[] = [];
  const closes: Promise<void>[] = [];
  const sockets = new Set<Socket>();
  let receivedBytes = 0;
  let onChange: (() => void)[] = [];

  function changed(): void {
    const waiting = onChange;
    onChange = [];
    for (const wake of waiting) wake();
  }

  function onConnection(socket: Socket): void {
    sockets.add(socket);
    let pending = '';
    socket.on('error', () => undefined);
    closes.push(
      new Promise((resolve) => {
        socket.once('close', () => {
          sockets.delete(socket);
          resolve();
        });
      }),
    );
    socket.on('data', (bytes: Buffer) => {
      receivedBytes += bytes.length;
      pending += bytes.toString('latin1');
      for (let request = takeRequest(pending); request !== null; request = takeRequest(pending)) {
        pending = request.rest;
        const arrived = {
          socket,
          head: request.head,
          body: Buffer.from(request.body, 'latin1').toString(),
          index: requests.length,
        };
        requests.push(arrived);
        answer(arrived);
      }
      changed();
    });
    changed();
  }

  const server: Server = tls === undefined ? createServer(onConnection) : createTlsServer(tls, onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  async function until(isReached: () => boolean): Promise<void> {
    while (!isReached()) await new Promise<void>((resolve) => onChange.push(resolve));
  }

  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(address.port)}`,
    port: address.port,
    get connections() {
      return closes.length;
    },
    requests,
    get receivedBytes() {
      return receivedBytes;
    },
    async closed(index = 0) {
      await until(() => closes.length > index);
      await closes[index];
    },
    arrived: (count = 1) => until(() => requests.length >= count),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function takeRequest(text: string): { head: string; body: string; rest: string } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = text.slice(0, end);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const bodyEnd = end + 4 + length;
  return text.length < bodyEnd ? null : { head, body: text.slice(end + 4, bodyEnd), rest: text.slice(bodyEnd) };
}

/** A whole answer with its length; the connection stays open. */
export function httpAnswer(body: string | Uint8Array, headers: Record<string, string> = {}, status = '200 OK'): Buffer {
  const bytes = Buffer.from(body);
  const all = { 'content-type': 'application/json', 'content-length': String(bytes.length), ...headers };
  return Buffer.concat([Buffer.from(httpHead(all, status)), bytes]);
}

/** Status line and headers. Without content-length and transfer-encoding the body ends with the connection. */
export function httpHead(headers: Record<string, string>, status = '200 OK'): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status}`, ...lines, '', ''].join('\r\n');
}

/** The head of a chunked event stream. */
export const eventStreamHead = httpHead({ 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' });

/** One HTTP chunk. */
export function httpChunk(text: string | Uint8Array): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

export const lastHttpChunk = '0\r\n\r\n';
