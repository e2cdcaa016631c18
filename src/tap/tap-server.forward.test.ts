import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { ProxyAgent, request } from 'undici';
import { gzipSync } from 'node:zlib';
import { openHttpUpstream, type HttpUpstream } from '../../test/doubles/http-upstream.ts';
import { httpAnswer, openRawUpstream } from '../../test/doubles/raw-upstream.ts';
import { startTestTap, type TestTap, type TestTapOptions } from '../../test/doubles/start-test-tap.ts';
import { openTunnelSession, proxyAuthorization, sendHttp2 } from '../../test/doubles/tap-tunnel.ts';
import { createTestAuthority, type TestAuthority } from '../../test/doubles/test-certificates.ts';
import { scratchFolder } from '../../test/scratch-folder.ts';
import { openCertificateAuthority, type CertificateAuthority } from './certificate-authority.ts';

const directory = `${scratchFolder()}/tap`;
let authority: CertificateAuthority;
/** Signs the upstreams' certificates. */
let trusted: TestAuthority;
beforeAll(async () => {
  authority = await openCertificateAuthority({ directory, hosts: ['api.test', '127.0.0.1', 'localhost'], now: Date.now });
  trusted = createTestAuthority();
});
afterAll(() => {
  trusted.remove();
});
const open = closedAfterEach();

async function start(options: TestTapOptions): Promise<TestTap> {
  const tap = await startTestTap({ authority, upstreamCaFile: trusted.caFile, ...options });
  open.push(tap);
  return tap;
}

/** A program with `HTTPS_PROXY` set to the tap, over HTTP/1.1. */
function programOf(tap: TestTap): ProxyAgent {
  const program = new ProxyAgent({
    uri: tap.url,
    token: proxyAuthorization(tap.credential),
    requestTls: { ca: authority.certificate },
  });
  open.unshift(program);
  return program;
}

async function openEcho(subject = 'IP:127.0.0.1'): Promise<HttpUpstream> {
  const upstream = await openHttpUpstream((response, { method, url, body }) => {
    response
      .writeHead(201, { 'x-answer': 'yes', 'content-type': 'application/octet-stream' })
      .end(`${method} ${url} ${body.toString('base64')}`);
  }, trusted.issue(subject));
  open.push(upstream);
  return upstream;
}

const body = gzipSync('some bytes');
const echoed = `POST /v1beta/x?y=%20 ${body.toString('base64')}`;

describe('a call through CONNECT reaches its target', () => {
  test('by HTTP/1.1, at an address', async () => {
    const upstream = await openEcho();
    const tap = await start({ hosts: ['127.0.0.1'] });
    const call = { dispatcher: programOf(tap), method: 'POST', body, headers: { 'content-encoding': 'gzip' } } as const;
    const answer = await request(`${upstream.url}/v1beta/x?y=%20`, call);
    expect([answer.statusCode, answer.headers['x-answer'], await answer.body.text()]).toEqual([201, 'yes', echoed]);
    expect(upstream.requests[0]!.headers.slice(0, 2)).toEqual([
      `host: 127.0.0.1:${String(upstream.port)}`,
      'content-encoding: gzip',
    ]);
    expect(upstream.requests[0]!.headers.join()).not.toMatch(/proxy/i);
  });

  test('by HTTP/2, at a name', async () => {
    const upstream = await openEcho('DNS:localhost');
    const tap = await start({ hosts: [`localhost:${String(upstream.port)}`] });
    const session = await openTunnelSession({ tap, target: `localhost:${String(upstream.port)}`, ca: authority.certificate });
    const answer = await sendHttp2(session, { ':path': '/v1beta/x?y=%20', 'content-encoding': 'gzip', cookie: 'a=1' }, body);
    expect([answer.status, answer.headers['x-answer'], answer.body.toString()]).toEqual([201, 'yes', echoed]);
    const { headers } = upstream.requests[0]!;
    expect(headers).toContain(`host: localhost:${String(upstream.port)}`);
    expect(headers.join()).not.toMatch(/^:|,:/);
    session.destroy();
  });

  test('many at once in one HTTP/2 connection, and bodies larger than any window', async () => {
    const upstream = await openHttpUpstream(
      (response, { url, body: sent }) => response.end(Buffer.concat([Buffer.from(url), sent])),
      trusted.issue('IP:127.0.0.1'),
    );
    open.push(upstream);
    const tap = await start({ hosts: ['127.0.0.1'] });
    const session = await openTunnelSession({ tap, target: `127.0.0.1:${String(upstream.port)}`, ca: authority.certificate });
    const large = Buffer.alloc(200_000, 'x');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sendHttp2(session, { ':path': `/${String(index)}` }, large)),
    );
    for (const [index, answer] of answers.entries())
      expect(answer.body.equals(Buffer.concat([Buffer.from(`/${String(index)}`), large]))).toBe(true);
    session.destroy();
  });
});

describe('a call through CONNECT goes to the configured upstream', () => {
  test('when the list of hosts does not lead there', async () => {
    const upstream = await openHttpUpstream((response, { url }) => response.end(url));
    open.push(upstream);
    const tap = await start({ hosts: ['api.test'], upstream: `${upstream.url}/base` });
    const answer = await request('https://api.test/v1beta/models', { dispatcher: programOf(tap) });
    expect(await answer.body.text()).toBe('/base/v1beta/models');
    expect(upstream.requests[0]!.headers).toContain(`host: 127.0.0.1:${String(upstream.port)}`);
  });

  test('which may be the target itself, without TLS', async () => {
    const upstream = await openHttpUpstream((response) => response.end('plain'));
    open.push(upstream);
    const tap = await start({ hosts: [`127.0.0.1:${String(upstream.port)}`], upstream: upstream.url });
    const answer = await request(`https://127.0.0.1:${String(upstream.port)}/`, { dispatcher: programOf(tap) });
    expect(await answer.body.text()).toBe('plain');
  });
});

describe('an upstream that cannot be verified gets no byte, and the caller a 502', () => {
  const cases: readonly [name: string, tls: () => ReturnType<TestAuthority['issue']>, caFile: boolean][] = [
    ['unknown authority', () => trusted.issue('IP:127.0.0.1'), false],
    ['self-signed', () => trusted.selfSigned('IP:127.0.0.1'), true],
    ['another name', () => trusted.issue('DNS:localhost'), true],
    ['expired', () => trusted.issue('IP:127.0.0.1', -1), true],
  ];
  test.each(cases)('%s', async (_name, tls, isTrusted) => {
    const upstream = await openRawUpstream(({ socket }) => socket.write(httpAnswer('{}')), tls());
    open.push(upstream);
    const tap = await start({ hosts: ['127.0.0.1'], upstreamCaFile: isTrusted ? trusted.caFile : null });
    const dispatcher = programOf(tap);
    for (const path of ['/v1/models/m:generateContent', '/other']) {
      const answer = await request(`${upstream.url}${path}`, { dispatcher, method: 'POST', body: '{"key":"secret"}' });
      expect(answer.statusCode).toBe(502);
      const message = expect.stringContaining('No secure connection') as string;
      expect(await answer.body.json()).toEqual({ error: { code: 502, status: 'UNAVAILABLE', message } });
    }
    expect(upstream.receivedBytes).toBe(0);
    expect(tap.troubles).toHaveLength(2);
  });

  test('also when verification is switched off for the process', async () => {
    const upstream = await openRawUpstream(({ socket }) => socket.write(httpAnswer('{}')), trusted.selfSigned('IP:127.0.0.1'));
    open.push(upstream);
    const tap = await start({ hosts: ['127.0.0.1'] });
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const answer = await request(upstream.url, { dispatcher: programOf(tap), method: 'POST', body: 'secret' });
      expect(answer.statusCode).toBe(502);
      await answer.body.dump();
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    expect(upstream.receivedBytes).toBe(0);
  });
});
