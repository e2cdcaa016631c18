import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { buffer } from 'node:stream/consumers';

/** A request that arrived whole, byte for byte. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  /** `Name: value`, in order and as written. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** A server that remembers what it was asked, and answers as a test wants. */
export interface HttpUpstream {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Connections opened so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Opens it on 127.0.0.1; `answer` runs when a request has arrived whole. With `tls` it speaks https. */
export async function openHttpUpstream(
  answer: (response: ServerResponse, request: SeenRequest) => void,
  tls?: TlsOptions,
): Promise<HttpUpstream> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const body = await buffer(request).catch(() => null);
    if (body === null) return;
    const raw = request.rawHeaders;
    const headers = raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1] ?? ''}`] : []));
    const seen = { method: request.method ?? '', url: request.url ?? '', headers, body };
    requests.push(seen);
    answer(response, seen);
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const server: Server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(address.port)}`,
    port: address.port,
    requests,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
