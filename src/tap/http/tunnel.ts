import { createSecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { NodeRequest, NodeResponse } from './caller.ts';
import type { HostAndPort } from './allowed-hosts.ts';

/** A certificate with its key, both PEM. */
export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

export interface TunnelOptions {
  /** The connection behind an answered CONNECT. */
  readonly socket: Socket;
  /** What the CONNECT named. */
  readonly target: HostAndPort;
  readonly leaf: Leaf;
  readonly onRequest: (request: NodeRequest, response: NodeResponse, expectsContinue: boolean) => void;
  /** The handshake failed: the caller does not trust us, say. */
  readonly onTlsFault: (error: Error) => void;
}

const handshakeTimeout = 10_000;

/** Ends the TLS inside a CONNECT and serves the requests in it, as HTTP/2 or HTTP/1.1. A server of its own for each tunnel, so that a request cannot be taken for one of another tunnel. */
export function openTunnel({ socket, target, leaf, onRequest, onTlsFault }: TunnelOptions): void {
  const server = createSecureServer({
    ...leaf,
    allowHTTP1: true,
    handshakeTimeout,
    SNICallback(name, callback) {
      const isTarget = name.toLowerCase() === target.name;
      callback(isTarget ? null : new Error(`the TLS server name is ${name}, the CONNECT was for ${target.name}`));
    },
  });
  server.on('request', (request, response) => {
    onRequest(request, response, false);
  });
  server.on('checkContinue', (request, response) => {
    onRequest(request, response, true);
  });
  server.on('tlsClientError', onTlsFault);
  // Broken sessions end in `close` of their streams.
  server.on('sessionError', () => undefined);
  server.emit('connection', socket);
}
