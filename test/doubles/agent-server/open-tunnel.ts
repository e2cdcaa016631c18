import { connect, type Socket } from 'node:net';
import type { ProxySettings } from './agent-server-options.ts';

/** A proxy refused the tunnel. */
class TunnelError extends Error {
  override readonly name = 'TunnelError';
  readonly status: number;

  constructor(status: number) {
    super(`the proxy answered ${status}`);
    this.status = status;
  }
}

/** CONNECT to `host:port`. The socket is the tunnel; bytes of the other side that came with the proxy's answer are put back into it. */
export async function openTunnel(proxy: ProxySettings, authority: string): Promise<Socket> {
  const url = new URL(proxy.url);
  const credential =
    proxy.credential ?? (url.username === '' ? null : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`);
  const socket = connect(Number(url.port), url.hostname);
  const lines = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    ...(credential === null ? [] : [`Proxy-Authorization: Basic ${Buffer.from(credential).toString('base64')}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const { head, rest } = await readHead(socket);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
  if (status !== 200) {
    socket.destroy();
    throw new TunnelError(status);
  }
  if (rest.length > 0) socket.unshift(rest);
  return socket;
}

function readHead(socket: Socket): Promise<{ head: string; rest: Buffer }> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const onData = (piece: Buffer): void => {
      bytes = Buffer.concat([bytes, piece]);
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) return;
      socket.off('data', onData);
      socket.pause();
      resolve({ head: bytes.subarray(0, end).toString('latin1'), rest: bytes.subarray(end + 4) });
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('the proxy closed the connection'));
    });
  });
}
