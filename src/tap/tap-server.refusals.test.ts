import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { openRawUpstream, type RawUpstream } from '../../test/doubles/raw-upstream.ts';
import { sendBytes, sendHttp } from '../../test/doubles/send-http.ts';
import { openTestAuthority } from '../../test/doubles/open-test-authority.ts';
import { startTestTap, type TestTap, type TestTapOptions } from '../../test/doubles/start-test-tap.ts';
import {
  openTunnelSession,
  openTunnelSocket,
  proxyAuthorization,
  sendConnect,
  sendHttp2,
} from '../../test/doubles/tap-tunnel.ts';
import { Secret } from '../model/secret.ts';
import { startTapServer } from './tap-server.ts';

const authority = await openTestAuthority(['api.test', '127.0.0.1']);
let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await openRawUpstream(({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
});
afterAll(() => upstream.close());
const open = closedAfterEach();

async function start(options: TestTapOptions = {}): Promise<TestTap> {
  const tap = await startTestTap({ upstream: upstream.url, ...options });
  open.push(tap);
  return tap;
}

function startForward(options: TestTapOptions = {}): Promise<TestTap> {
  return start({ authority, hosts: ['api.test'], ...options });
}

function errorOf(text: string): unknown {
  return (JSON.parse(text.slice(text.indexOf('{'))) as { error: unknown }).error;
}

describe('a reverse tap', () => {
  test.each([
    ['attacker.test', [], 403],
    ['127.0.0.1.attacker.test', [], 403],
    ['192.0.2.1', [], 403],
    ['nonsense,', [], 403],
    ['127.0.0.1:9999', [], 200],
    ['localhost', [], 200],
    ['[::1]:80', [], 200],
    ['tap.test:1', ['tap.test'], 200],
    ['TAP.test', ['tap.test:443'], 200],
  ])('called by the name %j, with hosts %j: %i', async (host, hosts, status) => {
    const tap = await start({ hosts });
    expect((await sendHttp(tap.url, { headers: { host } })).status).toBe(status);
  });

  test.each([
    [{ origin: 'https://attacker.test' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'http://localhost:1', host: 'localhost:1' }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
  ])('asked by a web page %j: %i', async (headers, status) => {
    expect((await sendHttp((await start()).url, { headers })).status).toBe(status);
  });

  test('with two Host headers, or an absolute address', async () => {
    const tap = await start();
    const two = await sendBytes(tap.url, 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: attacker.test\r\nConnection: close\r\n\r\n');
    expect(two).toMatch(/^HTTP\/1\.1 40[03] /);
    const absolute = await sendHttp(tap.url, { path: 'http://localhost/v1/models' });
    expect(absolute.status).toBe(405);
    expect(errorOf(absolute.text)).toEqual({
      code: 405,
      message: expect.stringContaining('no') as string,
      status: 'UNIMPLEMENTED',
    });
  });

  test('is no forward proxy', async () => {
    const { head } = await sendConnect(await start(), 'api.test:443');
    expect(head).toMatch(/^HTTP\/1\.1 405 /);
  });

  test('passes on no upgrade, and ignores the offer of h2c', async () => {
    const tap = await start();
    const upgrade = (to: string): Promise<{ status: number }> =>
      sendHttp(tap.url, { headers: { connection: 'upgrade', upgrade: to } });
    expect((await upgrade('websocket')).status).toBe(501);
    expect((await upgrade('h2c')).status).toBe(200);
  });

  test('refuses a body in a coding it cannot undo', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n';
    expect(await sendBytes((await start()).url, head)).toMatch(/^HTTP\/1\.1 (400|501) /);
  });

  test('refuses headers without end', async () => {
    const answer = await sendBytes(
      (await start()).url,
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ).catch(() => '');
    expect(answer).toMatch(/^(HTTP\/1\.1 431 |$)/);
  });
});

describe('a forward tap', () => {
  test('asks for its credential before anything else', async () => {
    const tap = await startForward();
    for (const target of ['api.test:443', 'other.test:443', 'nonsense']) {
      for (const wrong of [
        '',
        'Basic',
        'Basic !!',
        'Bearer x',
        proxyAuthorization('antiphon:wrong'),
        proxyAuthorization(''),
        `${proxyAuthorization(tap.credential)}AAAA`,
      ]) {
        const { head } = await sendConnect(tap, target, wrong);
        expect(head, `${target} ${wrong}`).toMatch(/^HTTP\/1\.1 407 [^]*\r\nProxy-Authenticate: Basic realm="antiphon tap"/);
        expect(errorOf(head)).toMatchObject({ code: 407 });
      }
    }
    expect(tap.troubles).toHaveLength(21);
    for (const trouble of tap.troubles) expect(String(trouble)).toContain('without its credential, or with a wrong one');
  });

  test('takes its credential, whatever letters are in it', async () => {
    const chosen = await startForward({ credential: new Secret('me:päss:word') });
    expect((await sendConnect(chosen, 'api.test:443', proxyAuthorization('me:päss:word'))).head).toMatch(/^HTTP\/1\.1 200 /);
    expect((await sendConnect(chosen, 'api.test:443', `bAsIc  ${Buffer.from('me:päss:word').toString('base64')}`)).head).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });

  test.each([
    ['api.test:443', 200],
    ['API.TEST:443', 200],
    ['api.test:80', 403],
    ['sub.api.test:443', 403],
    ['api.test.:443', 403],
    ['127.0.0.1:22', 403],
    ['[::1]:443', 403],
    ['api.test', 400],
    ['https://api.test:443', 400],
    ['api.test:443@other.test:443', 400],
  ])('CONNECT %s: %i', async (target, status) => {
    const tap = await startForward();
    const { head } = await sendConnect(tap, target);
    expect(head.split(' ')[1]).toBe(String(status));
    expect(tap.troubles.map(String)).toEqual(
      status === 403 ? [expect.stringMatching(/asked for .*, which is not one of its hosts/)] : [],
    );
    if (status === 403)
      expect(errorOf(head)).toMatchObject({
        code: 403,
        status: 'PERMISSION_DENIED',
        message: expect.stringContaining('hosts') as string,
      });
  });

  test('passes on nothing without a CONNECT', async () => {
    const tap = await startForward();
    const headers = { 'proxy-authorization': proxyAuthorization(tap.credential) };
    for (const path of ['http://api.test/', '/v1beta/models']) {
      const answer = await sendHttp(tap.url, { path, headers });
      expect(answer.status).toBe(405);
      expect(answer.headers['allow']).toBe('CONNECT');
    }
  });

  test('lets no request out of its CONNECT: neither by the TLS server name nor by the host it names', async () => {
    const tap = await startForward();
    const call = { tap, target: 'api.test:443', ca: authority.certificate };
    await expect(openTunnelSocket({ ...call, servername: 'other.test' })).rejects.toThrow();
    const socket = await openTunnelSocket(call);
    socket.write('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n');
    const [text] = (await once(socket, 'data')) as [Buffer];
    expect(text.toString()).toMatch(/^HTTP\/1\.1 421 /);
    socket.destroy();
    const session = await openTunnelSession(call);
    const refused: readonly [headers: Record<string, string>, status: number][] = [
      [{ ':authority': 'other.test' }, 421],
      [{ ':authority': 'api.test:8443' }, 421],
      [{ ':authority': 'api.test', host: 'other.test' }, 421],
      [{ ':authority': 'api.test' }, 200],
      [{ ':authority': 'API.test:443' }, 200],
    ];
    for (const [headers, status] of refused)
      expect((await sendHttp2(session, headers)).status, JSON.stringify(headers)).toBe(status);
    session.destroy();
  });

  test('reports a program that does not trust it, or speaks no TLS', async () => {
    const tap = await startForward();
    const other = await openTestAuthority();
    const [user = '', password = ''] = (tap.credential ?? '').split(':');
    const proxy = ['-proxy', `127.0.0.1:${String(tap.port)}`, '-proxy_user', user, '-proxy_pass', `pass:${password}`];
    const trust = ['-CAfile', other.certificateFile, '-verify_return_error'];
    const client = execFile('openssl', ['s_client', '-connect', 'api.test:443', ...proxy, ...trust]);
    client.stdin?.end();
    await once(client, 'exit');
    const { socket } = await sendConnect(tap, 'api.test:443');
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(tap.troubles.map(String)).toEqual([
      expect.stringMatching(/api\.test failed: it does not trust .*antiphon tap ca/),
      expect.stringMatching(/api\.test failed: http request$/),
    ]);
  });
});

describe('it does not start', () => {
  const settings = {
    name: 'test',
    mode: 'forward',
    host: '127.0.0.1',
    port: 0,
    upstream: null,
    upstreamCaFile: null,
    hosts: ['a.test'],
    credential: null,
  } as const;
  const rest = {
    intercept: () => ({ type: 'pass' }) as const,
    authority: null,
    recorder: null,
    onTrouble: () => undefined,
  };

  test('on a port that is in use', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('with settings that cannot work', async () => {
    await expect(startTapServer({ ...rest, settings })).rejects.toThrow(/certificate authority/);
    await expect(startTapServer({ ...rest, settings, authority })).rejects.toThrow(/credential/);
    await expect(startTapServer({ ...rest, settings: { ...settings, mode: 'reverse' } })).rejects.toThrow(/upstream/);
    await expect(start({ hosts: ['a b'] })).rejects.toThrow(/'a b'/);
    await expect(start({ upstreamCaFile: '/nonexistent.pem' })).rejects.toThrow(/ENOENT/);
  });
});

test('when it is closed, nothing of it is left, and its port is free for the next one', async () => {
  const first = await startTestTap({ upstream: upstream.url });
  const idle = connect(first.port, '127.0.0.1');
  await once(idle, 'connect');
  expect((await sendHttp(first.url)).text).toBe('ok');
  await Promise.all([first.close(), first.close(), once(idle, 'close')]);
  const second = await start({ port: first.port });
  expect((await sendHttp(second.url)).text).toBe('ok');
});
