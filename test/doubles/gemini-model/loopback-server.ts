import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { connect, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import { createTestAuthority } from '../test-certificates.ts';

export interface LoopbackOptions {
  /** Absent: plain http. `self-signed`: a new certificate for 127.0.0.1 and localhost. */
  readonly tls?: 'self-signed' | { readonly key: string; readonly cert: string };
  /** With TLS: offers h2 by ALPN beside http/1.1 (default true). */
  readonly h2?: boolean;
  /** 0 (default): a free one. */
  readonly port?: number;
}

/** One exchange; an h2 stream looks the same. */
export type LoopbackHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface LoopbackServer {
  readonly url: string;
  readonly port: number;
  /** PEM file of the self-signed certificate, for clients that must trust it; null without one. */
  readonly caFile: string | null;
  /** Connections opened so far. */
  readonly connections: number;
  dropConnections(): void;
  /** Nobody listens at its address any more: connections break, new ones are refused. Resolves with what makes it listen there again. */
  leave(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** An HTTP server on 127.0.0.1: http/1.1, and h2 through ALPN with TLS. Whatever a handler throws breaks off its exchange. */
export async function openLoopbackServer(handler: LoopbackHandler, options: LoopbackOptions = {}): Promise<LoopbackServer> {
  const certificate = options.tls === 'self-signed' ? createSelfSigned() : null;
  const tls = certificate ?? (options.tls === 'self-signed' ? undefined : options.tls);
  const sockets = new Set<Socket>();
  let connections = 0;

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined);
    void (async () => {
      await handler(request, response);
    })().catch(() => {
      breakOff(response);
    });
  }

  const server = openServer(onRequest, tls, options.h2 ?? true);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server, options.port ?? 0);

  function dropConnections(): void {
    for (const socket of sockets) socket.destroy();
  }

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    dropConnections();
    await closed;
  }

  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}`,
    port,
    caFile: certificate?.file ?? null,
    get connections() {
      return connections;
    },
    dropConnections,
    async leave() {
      await stop();
      const held = await holdPort(port);
      return async () => {
        await held.close();
        await listen(server, port);
      };
    },
    async close() {
      await stop();
      certificate?.remove();
    },
  };
}

/** Resolves with the port. Who names one waits until it is free. */
async function listen(server: Server, wanted: number): Promise<number> {
  for (;;) {
    try {
      await once(server.listen(wanted, '127.0.0.1'), 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      return address.port;
    } catch (error) {
      if (wanted === 0 || !isInUse(error)) throw error;
      await sleep(20);
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/** Keeps the port of a server that has left, as the near end of a connection: whoever connects to it is refused, and the kernel gives it to no other test that asks for any free one. */
async function holdPort(port: number): Promise<{ close(): Promise<void> }> {
  const far = createTcpServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(far, 'listening');
  const near = connect({
    host: '127.0.0.1',
    port: (far.address() as AddressInfo).port,
    localAddress: '127.0.0.1',
    localPort: port,
  });
  await once(near, 'connect');
  return {
    async close() {
      near.resetAndDestroy();
      far.close();
      await once(far, 'close');
    },
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

function openServer(listener: Listener, tls: { key: string; cert: string } | undefined, offersH2: boolean): Server {
  if (tls === undefined) return createServer(listener);
  const server = createSecureServer({ ...tls, allowHTTP1: true, ...(!offersH2 && { ALPNProtocols: ['http/1.1'] }) });
  // Node's compatibility objects have every method of the http/1.1 ones that is used here.
  server.on('request', listener as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void);
  server.on('sessionError', () => undefined);
  server.on('tlsClientError', () => undefined);
  return server;
}

/** Ends an exchange without ending its body: RST for an h2 stream, a closed connection otherwise. */
export function breakOff(response: ServerResponse): void {
  const { stream } = response as unknown as { stream?: { close(code: number): void } };
  const internalError = 2;
  if (stream === undefined) response.socket?.destroy();
  else stream.close(internalError);
}

/** The whole body, decompressed (gzip, br); rejects when it breaks off. */
export async function readBody(request: IncomingMessage): Promise<{ readonly raw: Buffer; readonly text: string }> {
  const raw = await readAll(request);
  const encoding = request.headers['content-encoding'];
  if (encoding !== 'gzip' && encoding !== 'br') return { raw, text: raw.toString() };
  const decoder = encoding === 'gzip' ? createGunzip() : createBrotliDecompress();
  decoder.end(raw);
  return { raw, text: (await readAll(decoder)).toString() };
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

interface SelfSigned {
  readonly key: string;
  readonly cert: string;
  readonly file: string;
  remove(): void;
}

function createSelfSigned(): SelfSigned {
  const authority = createTestAuthority();
  const { key, cert } = authority.selfSigned('IP:127.0.0.1,DNS:localhost');
  authority.remove();
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-self-signed-'));
  const file = join(folder, 'certificate.pem');
  writeFileSync(file, cert);
  return {
    key,
    cert,
    file,
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
