import { isIP } from 'node:net';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { GatewayError } from '../../model/errors.ts';

/** Which `Host` and `Origin` headers are let in. */
export interface HostRules {
  /** The address the gateway listens on. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/**
 * Refuses what a browser page of somebody else could send. DNS rebinding: the page's own name would stand in `Host`, so only known names and addresses pass, on every request. Cross-site
 * requests: a foreign `Origin` or `Sec-Fetch-Site: cross-site` is refused before anything is done.
 */
export function checkHost({ headers, rawHeaders }: IncomingMessage, rules: HostRules): void {
  const name = hostName(headers.host ?? '');
  // Of several ones Node shows the first, another server on the way may have looked at another.
  const hosts = rawHeaders.filter((header, at) => at % 2 === 0 && header.toLowerCase() === 'host').length;
  if (hosts !== 1 || name === undefined || !isAllowedHost(name, rules)) {
    const message = `The Host header does not name this gateway. Call it by its address, or add the name to 'server.allowed_hosts'.`;
    throw new GatewayError('forbidden_host', message);
  }
  if (!isAllowedOrigin(headers, rules)) {
    throw new GatewayError(
      'forbidden_origin',
      `Requests from other web origins are refused. Add the origin to 'server.allowed_origins' to allow it.`,
    );
  }
}

/** Name or address in a Host header, lower case, without port and brackets; undefined when it is not one. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isAllowedHost(name: string, { host, allowedHosts }: HostRules): boolean {
  if (isLoopback(name) || name === host.toLowerCase()) return true;
  // An address cannot be rebound; but on a loopback gateway no foreign address can be the right one.
  if (isIP(name) !== 0) return !isLoopback(host);
  return allowedHosts.some((allowed) => allowed.toLowerCase() === name);
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

function isAllowedOrigin(headers: IncomingHttpHeaders, { allowedOrigins }: HostRules): boolean {
  const { origin } = headers;
  if (origin !== undefined && allowedOrigins.includes(origin)) return true;
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  return origin === undefined || origin === `http://${headers.host ?? ''}` || origin === `https://${headers.host ?? ''}`;
}
