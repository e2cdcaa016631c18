import { isIP } from 'node:net';
import { isLoopbackHost, parseHostAndPort, type HostAndPort, type UpstreamSite } from './allowed-hosts.ts';
import type { Caller } from './caller.ts';
import { findHeader } from './header-list.ts';
import type { Refusal } from './refuse-call.ts';

/**
 * Refuses what a browser page of somebody else could send to a reverse tap. DNS rebinding: the page's own name would stand in `Host`, so only known names and addresses pass. Cross-site
 * requests: a foreign `Origin` or `Sec-Fetch-Site: cross-site`. `listens`: as in HostAndPort. Null: it may come in.
 */
export function checkReverseCaller(caller: Caller, listens: string, hosts: readonly HostAndPort[]): Refusal | null {
  const name = parseHostAndPort(caller.host ?? '')?.name;
  if (name === undefined || !isOwnName(name, listens, hosts)) {
    const message = `The Host header does not name this tap. Call it by its address, or add the name to the tap's 'hosts'.`;
    return { status: 403, message };
  }
  const isForeign = findHeader(caller.headers, 'sec-fetch-site') === 'cross-site' || !isOwnOrigin(caller);
  return isForeign ? { status: 403, message: 'Requests of other web pages are refused.' } : null;
}

function isOwnName(name: string, listens: string, hosts: readonly HostAndPort[]): boolean {
  if (isLoopbackHost(name) || name === listens) return true;
  // An address cannot be rebound; but on loopback no foreign address can be the right one.
  if (isIP(name) !== 0 && !isLoopbackHost(listens)) return true;
  return hosts.some((host) => host.name === name);
}

function isOwnOrigin({ headers, host = '' }: Caller): boolean {
  const origin = findHeader(headers, 'origin');
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

/** A request inside a CONNECT must be for the host that the CONNECT named, or the list of hosts would be worth nothing. `target`: what the CONNECT named. Null: it is. */
export function checkTunnelCaller(caller: Caller, target: Pick<UpstreamSite, 'name' | 'port'>): Refusal | null {
  const host = parseHostAndPort(caller.host ?? '');
  if (host?.name === target.name && (host.port === null || host.port === target.port)) return null;
  return { status: 421, message: 'The request is for another host than the CONNECT it came through.' };
}
