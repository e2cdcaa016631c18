import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TestTap } from './start-test-tap.ts';

/** How a program uses a forward tap. */
export interface TunnelCall {
  readonly tap: Pick<TestTap, 'port' | 'credential'>;
  /** `host:port` */
  readonly target: string;
  /** PEM of the authority that it trusts. */
  readonly ca: string;
  /** The TLS server name, if not the target's host; '' for none. */
  readonly servername?: string;
  readonly protocols?: readonly string[];
}

/** The header that a tap's credential belongs into. */
export function proxyAuthorization(credential: string | null): string {
  return `Basic ${Buffer.from(credential ?? '').toString('base64')}`;
}

/** Sends CONNECT and returns the connection and what came back: status line and headers, or the whole refusal. */
export async function sendConnect(
  tap: Pick<TestTap, 'port' | 'credential'>,
  target: string,
  authorization = proxyAuthorization(tap.credential),
): Promise<{ readonly socket: Socket; readonly head: string }> {
  const socket = connect(tap.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const proof = authorization === '' ? '' : `Proxy-Authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${proof}\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  return { socket, head: first.toString() };
}

/** A TLS connection through the tap. */
export async function openTunnelSocket({ tap, target, ca, servername, protocols = [] }: TunnelCall): Promise<TLSSocket> {
  const { socket, head } = await sendConnect(tap, target);
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head);
  const host = target.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const isAddress = /^[\d.]+$/.test(host) || host.includes(':');
  const name = servername ?? (isAddress ? '' : host);
  const secure = connectTls({ socket, ca, host, servername: name, ALPNProtocols: [...protocols] });
  await once(secure, 'secureConnect');
  return secure;
}

/** An HTTP/2 session through the tap. */
export async function openTunnelSession(call: Omit<TunnelCall, 'protocols'>): Promise<ClientHttp2Session> {
  const socket = await openTunnelSocket({ ...call, protocols: ['h2'] });
  const session = connectHttp2(`https://${call.target}`, { createConnection: () => socket });
  session.on('error', () => undefined);
  return session;
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** How the stream ended: 0 as it should. */
  readonly resetCode: number;
}

/** One request on the session. */
export function sendHttp2(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
): Promise<Http2Answer> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/', ':method': body === undefined ? 'GET' : 'POST', ...headers });
    const pieces: Buffer[] = [];
    let seen: Record<string, unknown> = {};
    stream.on('response', (answer) => {
      seen = { ...answer };
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.once('close', () => {
      resolve({ status: Number(seen[':status']), headers: seen, body: Buffer.concat(pieces), resetCode: stream.rstCode });
    });
    stream.end(body);
  });
}
