import { isIP } from 'node:net';
import { parseHostAndPort } from './http/allowed-hosts.ts';

/** OID of the X.509 extension `nameConstraints`. */
export const nameConstraintsOid = '2.5.29.30';

/**
 * The DER value of `nameConstraints` (RFC 5280 §4.2.1.10) that permits the hosts and nothing else. A kind of name that no host has is excluded as a whole, because a kind that is not mentioned
 * is not constrained at all. `hosts`: `host` or `host:port`; throws when there is none, or one is neither.
 */
export function encodeNameConstraints(hosts: readonly string[]): Uint8Array {
  const names = [...new Set(hosts.map(readName))].sort();
  if (names.length === 0) throw new Error('a certificate authority without hosts would be good for everything');
  const domains = names.filter((name) => isIP(name) === 0).map((name) => encodeDer(dnsName, Buffer.from(name, 'latin1')));
  const addresses = names.filter((name) => isIP(name) !== 0).map(encodeAddress);
  const excluded = [
    ...(domains.length === 0 ? [encodeDer(dnsName, new Uint8Array(0))] : []),
    ...(addresses.length === 0 ? [encodeRange(0, 4), encodeRange(0, 16)] : []),
  ];
  return encodeDer(sequence, encodeSubtrees(permittedTag, [...domains, ...addresses]), encodeSubtrees(excludedTag, excluded));
}

function readName(written: string): string {
  const host = parseHostAndPort(written);
  if (host === null) throw new Error(`'${written}' is neither a host nor host:port`);
  return host.name;
}

function encodeSubtrees(tag: number, names: readonly Uint8Array[]): Uint8Array {
  if (names.length === 0) return new Uint8Array(0);
  return encodeDer(tag, ...names.map((name) => encodeDer(sequence, name)));
}

/** One address: itself and a mask that has all bits. */
function encodeAddress(address: string): Uint8Array {
  const bytes = isIP(address) === 4 ? address.split('.').map(Number) : toIpv6Bytes(address);
  return encodeDer(ipAddress, Uint8Array.from(bytes), new Uint8Array(bytes.length).fill(0xff));
}

/** All addresses of a kind: a mask without bits. */
function encodeRange(value: number, length: 4 | 16): Uint8Array {
  return encodeDer(ipAddress, new Uint8Array(length * 2).fill(value));
}

function toIpv6Bytes(address: string): number[] {
  // The URL parser writes every valid address in one way: lower case, groups without leading zeros, no dotted end.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const before = toGroups(head);
  const after = toGroups(tail ?? '');
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}

function toGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** Tag, length and content. */
function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...encodeLength(content.length)]), content]);
}

function encodeLength(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

const sequence = 0x30;
/** GeneralName: `dNSName [2]` and `iPAddress [7]`, implicit and primitive. */
const dnsName = 0x82;
const ipAddress = 0x87;
/** NameConstraints: `permittedSubtrees [0]` and `excludedSubtrees [1]`, implicit and constructed. */
const permittedTag = 0xa0;
const excludedTag = 0xa1;
