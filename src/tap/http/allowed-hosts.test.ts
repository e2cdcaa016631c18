import { describe, expect, test } from 'vitest';
import { findConnectSite, parseHostAndPort, toUpstreamSite, type HostAndPort } from './allowed-hosts.ts';

function hosts(...written: readonly string[]): readonly HostAndPort[] {
  return written.map((one) => parseHostAndPort(one)!);
}

test.each([
  ['Example.COM', { name: 'example.com', port: null }],
  ['example.com:8443', { name: 'example.com', port: 8443 }],
  ['[::1]:443', { name: '::1', port: 443 }],
  ['[::1]', { name: '::1', port: null }],
  ['::1', { name: '::1', port: null }],
  ['127.0.0.1:1', { name: '127.0.0.1', port: 1 }],
  ['', null],
  ['a b', null],
  ['example.com:0', null],
  ['example.com:65536', null],
  ['[example.com]', null],
  ['https://example.com', null],
  ['user@example.com', null],
  ['example.com:443/path', null],
])('%s is read as host and port', (written, expected) => {
  expect(parseHostAndPort(written)).toEqual(expected);
});

test.each([
  ['https://api.test', { protocol: 'https:', name: 'api.test', port: 443, basePath: '', host: 'api.test' }],
  [
    'http://127.0.0.1:8080/base/',
    { protocol: 'http:', name: '127.0.0.1', port: 8080, basePath: '/base', host: '127.0.0.1:8080' },
  ],
  ['https://[::1]:8443/', { protocol: 'https:', name: '::1', port: 8443, basePath: '', host: '[::1]:8443' }],
])('%s as upstream', (url, site) => {
  expect(toUpstreamSite(url)).toEqual(site);
});

describe('where CONNECT may lead', () => {
  function allows(entries: readonly string[], name: string, port: number, upstream: string | null = null): boolean {
    const rules = { hosts: hosts(...entries), upstream: upstream === null ? null : toUpstreamSite(upstream) };
    return findConnectSite(name, port, rules) !== null;
  }

  test('a host without a port: 443, the port of an upstream of that name, and any port of this machine', () => {
    expect(allows(['api.test'], 'api.test', 443)).toBe(true);
    expect(allows(['api.test'], 'api.test', 8443)).toBe(false);
    expect(allows(['api.test'], 'api.test', 8443, 'https://api.test:8443')).toBe(true);
    expect(allows(['api.test'], 'api.test', 8443, 'https://other.test:8443')).toBe(false);
    expect(allows(['127.0.0.1'], '127.0.0.1', 12345)).toBe(true);
    expect(allows(['localhost'], 'localhost', 12345)).toBe(true);
    expect(allows(['localhost'], '127.0.0.1', 12345)).toBe(false);
  });

  test('a host with a port: nothing else', () => {
    expect(allows(['api.test:8443'], 'api.test', 8443)).toBe(true);
    expect(allows(['api.test:8443'], 'api.test', 443)).toBe(false);
    expect(allows(['127.0.0.1:1'], '127.0.0.1', 2)).toBe(false);
  });

  test('no relatives of a host', () => {
    expect(allows(['api.test'], 'sub.api.test', 443)).toBe(false);
    expect(allows(['api.test'], 'api.test.', 443)).toBe(false);
    expect(allows(['api.test'], 'xapi.test', 443)).toBe(false);
  });
});

describe('where what comes through goes', () => {
  function siteOf(entries: readonly string[], target: string, upstream: string | null): string | null {
    const { name, port } = parseHostAndPort(target)!;
    const rules = { hosts: hosts(...entries), upstream: upstream === null ? null : toUpstreamSite(upstream) };
    const site = findConnectSite(name, port ?? 0, rules);
    return site === null ? null : `${site.protocol}//${site.host}${site.basePath}`;
  }

  test('to the target of the CONNECT', () => {
    expect(siteOf(['api.test'], 'api.test:443', null)).toBe('https://api.test');
    expect(siteOf(['[::1]'], '[::1]:8443', null)).toBe('https://[::1]:8443');
    expect(siteOf(['a.test', 'b.test'], 'b.test:443', 'https://a.test')).toBe('https://b.test');
  });

  test('to an upstream that no CONNECT could reach', () => {
    expect(siteOf(['api.test'], 'api.test:443', 'http://127.0.0.1:8080/base')).toBe('http://127.0.0.1:8080/base');
    expect(siteOf(['127.0.0.1:7777'], '127.0.0.1:7777', 'http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080');
  });

  test('to the upstream itself in the way it is configured', () => {
    expect(siteOf(['127.0.0.1:8080'], '127.0.0.1:8080', 'http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080');
  });
});
