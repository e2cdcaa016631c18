import { isIP } from 'node:net';

/** A host and maybe a port: an entry of `hosts`, the target of a CONNECT, the value of a `Host` header. */
export interface HostAndPort {
  /** Lower case, an IPv6 address without brackets. */
  readonly name: string;
  /** Null: none is given. */
  readonly port: number | null;
}

/** `host`, `host:port`, `[::1]`, `[::1]:443`, `::1`. Null: it is none of these. */
export function parseHostAndPort(written: string): HostAndPort | null {
  if (isIP(written) === 6) return { name: written.toLowerCase(), port: null };
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(written) ?? [];
  const name = (bracketed ?? plain)?.toLowerCase();
  const port = digits === undefined ? null : Number(digits);
  if (name === undefined || (bracketed !== undefined && isIP(bracketed) !== 6) || (port !== null && (port < 1 || port > 65_535)))
    return null;
  return { name, port };
}

/** Names and addresses of this machine. `name` as in HostAndPort. */
export function isLoopbackHost(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Where the model API is. */
export interface UpstreamSite {
  readonly protocol: 'http:' | 'https:';
  /** As in HostAndPort. */
  readonly name: string;
  readonly port: number;
  /** In front of every path; '' or `/…` without a slash at the end. */
  readonly basePath: string;
  /** The value of the `Host` header. */
  readonly host: string;
}

/** Throws TypeError when it is no URL. */
export function toUpstreamSite(baseUrl: string): UpstreamSite {
  const url = new URL(baseUrl);
  const protocol = url.protocol === 'http:' ? 'http:' : 'https:';
  return {
    protocol,
    name: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? defaultPort(protocol) : Number(url.port),
    basePath: url.pathname.replace(/\/+$/, ''),
    host: url.host,
  };
}

/** Where CONNECT may lead, and where what comes through it goes. */
export interface ConnectRules {
  readonly hosts: readonly HostAndPort[];
  readonly upstream: UpstreamSite | null;
}

/** The site for what comes through `CONNECT name:port`; null: the target is not on the list. */
export function findConnectSite(name: string, port: number, rules: ConnectRules): UpstreamSite | null {
  if (!isAllowed(name, port, rules)) return null;
  const { upstream } = rules;
  if (upstream !== null && !isAllowed(upstream.name, upstream.port, rules)) return upstream;
  // The very server that is configured as upstream: spoken to as the configuration says, in whatever way it is asked for.
  const isUpstream = upstream?.name === name && upstream.port === port;
  const protocol = isUpstream ? upstream.protocol : 'https:';
  const shown = isIP(name) === 6 ? `[${name}]` : name;
  return { protocol, name, port, basePath: '', host: port === defaultPort(protocol) ? shown : `${shown}:${String(port)}` };
}

/** An entry without a port stands for the usual one, for that of `upstream`, and on this machine, where tests and local servers take any free one, for all. */
function isAllowed(name: string, port: number, { hosts, upstream }: ConnectRules): boolean {
  return hosts.some((entry) => {
    if (entry.name !== name) return false;
    if (entry.port !== null) return entry.port === port;
    return port === 443 || isLoopbackHost(name) || (upstream?.name === name && upstream.port === port);
  });
}

function defaultPort(protocol: 'http:' | 'https:'): number {
  return protocol === 'http:' ? 80 : 443;
}
