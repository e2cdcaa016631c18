import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Secret } from '../../model/secret.ts';
import { TapTrouble } from '../tap-trouble.ts';
import { findConnectSite, parseHostAndPort, type ConnectRules, type UpstreamSite } from './allowed-hosts.ts';
import type { NodeRequest, NodeResponse } from './caller.ts';
import { isProxyAuthorized } from './proxy-credential.ts';
import { encodeRefusal } from './refuse-call.ts';
import { openTunnel, type Leaf } from './tunnel.ts';

export interface ConnectFrontOptions {
  readonly rules: ConnectRules;
  readonly credential: Secret;
  /** A certificate for the host of a CONNECT. */
  readonly issueLeaf: (host: string) => Promise<Leaf>;
  readonly onRequest: (request: TunnelRequest) => void;
  readonly onTrouble: (thrown: unknown) => void;
}

/** A request that came through a CONNECT. */
export interface TunnelRequest {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly expectsContinue: boolean;
  /** What the CONNECT named. */
  readonly target: { readonly name: string; readonly port: number };
  /** Where it goes. */
  readonly site: UpstreamSite;
}

/** Answers CONNECT requests. First who asks, then where to: the list of hosts is not shown to strangers. */
export class ConnectFront {
  readonly #options: ConnectFrontOptions;

  constructor(options: ConnectFrontOptions) {
    this.#options = options;
  }

  /** `head`: what came behind the request already. Never rejects. */
  async accept(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    // Whatever breaks ends in `close`.
    socket.on('error', () => undefined);
    if (!isProxyAuthorized(request.headers['proxy-authorization'], this.#options.credential)) {
      const challenge = 'Proxy-Authenticate: Basic realm="antiphon tap", charset="UTF-8"';
      this.#options.onTrouble(
        new TapTrouble(
          'a program came without its credential, or with a wrong one, and was refused (407). HTTPS_PROXY must hold user and password.',
        ),
      );
      refuseConnect(socket, '407 Proxy Authentication Required', 'The credential of the tap is missing or wrong.', challenge);
      return;
    }
    const target = parseHostAndPort(request.url ?? '');
    if (target?.port === undefined || target.port === null) {
      refuseConnect(socket, '400 Bad Request', 'CONNECT must name a host and a port.');
      return;
    }
    const { name, port } = target;
    const site = findConnectSite(name, port, this.#options.rules);
    if (site === null) {
      this.#options.onTrouble(
        new TapTrouble(`a program asked for ${name}:${String(port)}, which is not one of its hosts, and was refused (403).`),
      );
      refuseConnect(socket, '403 Forbidden', `${name}:${String(port)} is not one of the tap's 'hosts'.`);
      return;
    }
    await this.#open({ name, port }, site, { socket, head });
  }

  async #open(
    target: TunnelRequest['target'],
    site: UpstreamSite,
    { socket, head }: { readonly socket: Socket; readonly head: Buffer },
  ): Promise<void> {
    const { issueLeaf, onRequest, onTrouble } = this.#options;
    let leaf: Leaf;
    try {
      leaf = await issueLeaf(target.name);
    } catch (thrown) {
      onTrouble(thrown);
      refuseConnect(socket, '500 Internal Server Error', 'The tap could not make a certificate.');
      return;
    }
    if (socket.destroyed) return;
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    openTunnel({
      socket,
      target,
      leaf,
      onRequest(request, response, expectsContinue) {
        onRequest({ request, response, expectsContinue, target, site });
      },
      onTlsFault(cause) {
        if (isHangUp(cause)) return;
        const message = `TLS with a program that came for ${target.name} failed: ${explainTlsFault(cause)}`;
        onTrouble(new TapTrouble(message, { cause }));
      },
    });
  }
}

function explainTlsFault(error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  const isDistrust = /unknown ca|bad certificate|certificate unknown/.test(reason);
  return isDistrust
    ? "it does not trust the tap's certificate authority. Give it the file that `antiphon tap ca` names."
    : reason;
}

/** A program that opens a connection in advance and then does not need it. */
function isHangUp(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNRESET';
}

/** The connection is over with that: nothing tells the bytes behind a refused CONNECT from a request. */
function refuseConnect(socket: Socket, statusLine: string, message: string, header?: string): void {
  const body = encodeRefusal(Number(statusLine.slice(0, 3)), message);
  const headers = [
    'Content-Type: application/json; charset=UTF-8',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
    ...(header === undefined ? [] : [header]),
  ];
  socket.end([`HTTP/1.1 ${statusLine}`, ...headers, '', body].join('\r\n'));
  socket.once('finish', () => {
    socket.destroySoon();
  });
  // Unread bytes would turn the end of the connection into a reset, and the answer could be lost.
  socket.resume();
}
