import { isIPv6 } from 'node:net';

export interface ListenAddress {
  /** Bare: an IPv6 address has no brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

const hostName = /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/i;

/**
 * `127.0.0.1:8721`, `[::1]:8721`, `:8721`, `8721`; without a host it is loopback. `localhost` becomes 127.0.0.1, because what it means differs from program to program. Undefined: it is
 * none of these.
 */
export function parseListen(written: unknown): ListenAddress | undefined {
  const text = typeof written === 'number' ? String(written) : typeof written === 'string' ? written.trim() : '';
  const { host, port } = splitPort(/^\d+$/.test(text) ? `:${text}` : text);
  if (port === undefined) return undefined;
  if (host === '' || host.toLowerCase() === 'localhost') return { host: '127.0.0.1', port };
  return isHost(host) ? { host, port } : undefined;
}

/** `host`, `host:port`, `[::1]:443`; in lower case, as certificates and `CONNECT` lines are compared. Undefined: it is none of these. */
export function parseAllowedHost(written: unknown): string | undefined {
  const text = typeof written === 'string' ? written.trim().toLowerCase() : '';
  if (isIPv6(text)) return `[${text}]`;
  const { host, port } = splitPort(text);
  if (port === 0 || !isHost(host) || (port === undefined && text.includes(':') && !text.endsWith(']'))) return undefined;
  const shown = isIPv6(host) ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
}

/** The port is undefined when there is none, or none that can be. Brackets around the host go. */
function splitPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined || Number(digits) > 65_535 ? undefined : Number(digits);
  if (bracketed !== undefined) return { host: isIPv6(bracketed) ? bracketed : '*', port };
  return { host: plain ?? '*', port };
}

function isHost(host: string): boolean {
  return isIPv6(host) || (hostName.test(host) && !host.includes('..'));
}
