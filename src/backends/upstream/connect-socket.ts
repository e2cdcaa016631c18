import { connect as connectTcp, isIP, type Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { GatewayError } from '../../model/errors.ts';
import { mapTransportError, type TransportPhase } from './map-transport-error.ts';

export interface SocketFactory {
  /** What undici calls when it needs a connection. */
  readonly connect: buildConnector.connector;
  /** Whether this error broke a connection that had brought bytes before: a keep-alive race rather than a dead server. */
  brokeUsedSocket(error: unknown): boolean;
}

/**
 * Opens sockets. undici's own connector counts its timeout in steps of half a second and does not tell TCP from TLS; here one exact timer spans name lookup, TCP and
 * TLS handshake. undici's callback gets a GatewayError: `upstream_unreachable`, `upstream_timeout`, or `upstream_tls_error`, also when the handshake stalls. Nothing of
 * a request has been sent then.
 */
export function createSocketFactory(options: {
  readonly connectMs: number;
  readonly secureContext: SecureContext | null;
  /** Offers h2 on https. */
  readonly allowH2: boolean;
}): SocketFactory {
  const { connectMs, secureContext } = options;
  const protocols = options.allowH2 ? ['h2', 'http/1.1'] : ['http/1.1'];
  const sessions = new Map<string, Buffer>();
  const breaksOfUsedSockets = new WeakSet<Error>();

  function openSecureSocket(target: buildConnector.Options): Socket {
    const session = sessions.get(target.hostname);
    const address: ConnectionOptions & TcpNetConnectOpts = {
      host: target.hostname,
      port: Number(target.port || 443),
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
      // An address is not a server name (RFC 6066 §3).
      servername: isIP(target.hostname) === 0 ? target.hostname : '',
      ALPNProtocols: protocols,
      ...(session !== undefined && { session }),
      ...(secureContext !== null && { secureContext }),
    };
    const socket = connectTls(address);
    return socket.on('session', (fresh: Buffer) => {
      if (socket.authorized) sessions.set(target.hostname, fresh);
    });
  }

  function openSocket(target: buildConnector.Options): Socket {
    if (target.protocol === 'https:') return openSecureSocket(target);
    const address: TcpNetConnectOpts & SocketConstructorOpts & { highWaterMark: number } = {
      host: target.hostname,
      port: Number(target.port || 80),
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
      highWaterMark: 65_536,
    };
    return connectTcp(address);
  }

  function connect(target: buildConnector.Options, callback: buildConnector.Callback): void {
    const isSecure = target.protocol === 'https:';
    const origin = `${target.protocol}//${target.host ?? target.hostname}`;
    let phase: TransportPhase = 'connecting';
    const socket = openSocket(target).setNoDelay(true).setKeepAlive(true, 60_000);
    const timer = setTimeout(() => socket.destroy(connectTimeout(phase, origin, connectMs)), connectMs);
    if (isSecure) socket.once('connect', () => (phase = 'securing'));
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      phase = 'waiting';
      callback(null, socket);
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      if (socket.bytesRead > 0) breaksOfUsedSockets.add(error);
      if (phase !== 'waiting') callback(mapTransportError(error, { origin, phase }), null);
    });
  }

  return { connect, brokeUsedSocket: (error) => error instanceof Error && breaksOfUsedSockets.has(error) };
}

/** How long one address of a name may take before the next is tried. Node's 250 ms give a far IPv6 address up before it can answer. */
const addressAttemptMs = 1000;

function connectTimeout(phase: TransportPhase, origin: string, connectMs: number): GatewayError {
  if (phase === 'securing') {
    return new GatewayError(
      'upstream_tls_error',
      `The TLS handshake with ${origin} took longer than ${connectMs} ms (connect timeout). Does this port speak https?`,
    );
  }
  return new GatewayError(
    'upstream_timeout',
    `${origin} did not accept a connection within ${connectMs} ms (connect timeout). Is the server running there?`,
  );
}
