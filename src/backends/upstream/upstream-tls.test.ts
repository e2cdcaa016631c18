import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { httpAnswer, openRawUpstream, type RawUpstream } from '../../../test/doubles/raw-upstream.ts';
import { createTestAuthority, type TestAuthority } from '../../../test/doubles/test-certificates.ts';
import { createUpstreamClient } from './upstream-client.ts';
import type { TlsOptions } from 'node:tls';

let authority: TestAuthority;
const open: { close(): Promise<unknown> }[] = [];
beforeAll(() => {
  authority = createTestAuthority();
});
afterAll(() => {
  authority.remove();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function serve(tls?: TlsOptions): Promise<RawUpstream> {
  const upstream = await openRawUpstream(({ socket }) => socket.write(httpAnswer('{"ok":true}')), tls);
  open.push(upstream);
  return upstream;
}

async function ask(url: string, caFile?: string): Promise<string> {
  const timeouts = { connectMs: 300, firstByteMs: 5000, idleMs: 5000 };
  const client = createUpstreamClient({ timeouts, ...(caFile !== undefined && { caFile }) });
  open.push(client);
  const headers = { authorization: 'Bearer sk-canary' };
  const answer = await client.send({ method: 'POST', url, headers, body: '{}' }, new AbortController().signal);
  let text = '';
  for await (const piece of answer.body) text += Buffer.from(piece).toString();
  return text;
}

test('an authority given as ca_file is trusted, for names and addresses', async () => {
  const named = await serve(authority.issue('DNS:localhost'));
  expect(await ask(named.url.replace('127.0.0.1', 'localhost'), authority.caFile)).toBe('{"ok":true}');
  const numbered = await serve(authority.issue('IP:127.0.0.1'));
  expect(await ask(numbered.url, authority.caFile)).toBe('{"ok":true}');
});

test('a ca_file that cannot be read is an error at the start', () => {
  const timeouts = { connectMs: 1, firstByteMs: 1, idleMs: 1 };
  expect(() => createUpstreamClient({ timeouts, caFile: '/nonexistent/ca.pem' })).toThrow(/ENOENT/);
});

describe('a connection that is not secure gets nothing of the request', () => {
  const cases: readonly [name: string, tls: () => TlsOptions | undefined, trusted: boolean, words: RegExp][] = [
    ['self-signed', () => authority.selfSigned('IP:127.0.0.1'), false, /does not trust.*ca_file/],
    ['unknown authority', () => authority.issue('IP:127.0.0.1'), false, /does not trust.*ca_file/],
    ['expired', () => authority.issue('IP:127.0.0.1', -1), true, /expired/],
    ['wrong host', () => authority.issue('IP:127.0.0.2'), true, /another host name/],
    [
      'TLS 1.1 only',
      () => ({ ...authority.issue('IP:127.0.0.1'), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      true,
      /handshake failed/,
    ],
    ['plain text port', () => undefined, true, /handshake failed|TLS handshake/],
  ];
  test.each(cases)('%s: upstream_tls_error', async (_name, tls, trusted, words) => {
    const upstream = await serve(tls());
    const url = upstream.url.replace(/^http:/, 'https:');
    const error = await ask(url, trusted ? authority.caFile : undefined).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'upstream_tls_error', status: 502, message: expect.stringMatching(words) as string });
    expect((error as Error).message).toContain(url);
    expect(upstream.requests).toEqual([]);
    expect(tls() === undefined ? 0 : upstream.receivedBytes).toBe(0);
  });

  test('a handshake that stalls', async () => {
    const upstream = await openRawUpstream(() => undefined);
    open.push(upstream);
    const error = await ask(upstream.url.replace(/^http:/, 'https:')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'upstream_tls_error', message: expect.stringMatching(/longer than 300 ms/) as string });
    expect(upstream.requests).toEqual([]);
  });
});
