import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorLine, sendBytes, sendHttp, splitAnswers, type HttpAnswer } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const app = 'https://app.example.com';
let gateway: StartedGateway;
let port: string;
/** One that other machines may reach. */
let exposed: StartedGateway;

beforeAll(async () => {
  gateway = await startGateway(
    `server: { allowed_hosts: [antiphon.lan, Gateway.Example], allowed_origins: ["${app}"] }\nstore: { url: "memory:" }`,
  );
  port = new URL(gateway.url).port;
  exposed = await startGateway('server: { host: "0.0.0.0", keys: [sk-0123456789] }\nstore: { url: "memory:" }');
});

afterAll(async () => {
  await gateway.close();
  await exposed.close();
});

async function fate(headers: Record<string, string>, path = '/v1/models'): Promise<string> {
  const answer = await sendHttp(gateway.url, { path, headers });
  return answer.status === 200 ? '200' : errorLine(answer);
}

describe('Host', () => {
  test.each([
    'localhost',
    'LocalHost',
    'localhost:1',
    '127.0.0.1',
    '127.0.0.1:8720',
    '127.1.2.3:80',
    '[::1]',
    '[::1]:8720',
    'antiphon.lan',
    'ANTIPHON.lan:443',
    'gateway.example:8720',
  ])('%s is let in', async (host) => {
    for (const path of ['/health', '/v1/models']) expect(await fate({ host }, path)).toBe('200');
  });

  test.each([
    ['a space', ' '],
    ['a foreign name', 'example.com'],
    ['a rebinding name', '127.0.0.1.nip.io'],
    ['a name that begins right', 'localhost.example.com'],
    ['a name that ends right', 'evil-localhost'],
    ['a subdomain', 'x.localhost'],
    ['a trailing dot', 'localhost.'],
    ['an allowed name with more', 'antiphon.lan.example.com'],
    ['another address', '192.168.1.7'],
    ['any address', '0.0.0.0'],
    ['a decimal address', '2130706433'],
    ['a short address', '127.1'],
    ['an octal address', '0177.0.0.1'],
    ['IPv6 without brackets', '::1'],
    ['any IPv6', '[::]:8720'],
    ['mapped IPv6', '[::ffff:127.0.0.1]'],
    ['a user name', 'localhost@example.com'],
    ['a user name, reversed', 'example.com@localhost'],
    ['a path', 'localhost/x'],
    ['a port that is none', 'localhost:http'],
    ['an empty port', 'localhost:'],
    ['two ports', 'localhost:80:80'],
    ['a list', 'localhost, example.com'],
    ['an open bracket', '[::1'],
    ['an encoded name', 'local%68ost'],
    ['a long one', `${'a'.repeat(4000)}.example`],
  ])('%s is refused, everywhere', async (_what, host) => {
    const refused = '403 invalid_request_error forbidden_host null';
    for (const path of ['/health', '/metrics', '/v1/models', '/nowhere']) expect(await fate({ host }, path)).toBe(refused);
    const create = await sendHttp(gateway.url, { path: '/v1/responses', headers: { host }, body: '{}' });
    expect(errorLine(create)).toBe(refused);
  });

  test.each([
    ['an empty one', 'Host:\r\n'],
    ['a blank one', 'Host: \t \r\n'],
    ['none', ''],
    ['two', 'Host: localhost\r\nHost: example.com\r\n'],
    ['two, the other way round', 'Host: example.com\r\nHost: localhost\r\n'],
    ['two equal ones', 'Host: localhost\r\nHost: localhost\r\n'],
  ])('%s is refused, with a body like any other', async (_what, lines) => {
    const text = await sendBytes(gateway.url, `GET /health HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
    const [answer] = splitAnswers(text);
    expect([answer?.status, answer?.body]).toEqual([403, expect.stringContaining('"code":"forbidden_host"') as string]);
  });

  test('on a gateway that others reach, addresses are let in and foreign names are not', async () => {
    const url = exposed.url.replace('0.0.0.0', '127.0.0.1');
    const ask = async (host: string): Promise<number> => (await sendHttp(url, { path: '/health', headers: { host } })).status;
    for (const host of ['192.168.1.7:8720', '10.0.0.1', '[fe80::1]', 'localhost']) expect(await ask(host)).toBe(200);
    for (const host of ['example.com', '192.168.1.7.nip.io']) expect(await ask(host)).toBe(403);
  });
});

describe('Origin', () => {
  const own = (): string => `http://127.0.0.1:${port}`;
  const forbidden = '403 invalid_request_error forbidden_origin null';

  test.each([
    'https://example.com',
    'http://localhost:3000',
    'null',
    'https://app.example.com.evil.example',
    'https://app.example.com:444',
    'http://app.example.com',
    'file://',
    'chrome-extension://abc',
    '',
    'https://APP.example.com',
  ])('%s is refused, before anything is done', async (origin) => {
    for (const path of ['/health', '/v1/models', '/metrics']) expect(await fate({ origin }, path)).toBe(forbidden);
    const answer = await sendHttp(gateway.url, { path: '/v1/responses', headers: { origin }, body: '{not json' });
    expect(errorLine(answer)).toBe(forbidden);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('the own one and an allowed one are let in; only the allowed one is told to the browser', async () => {
    const mine = await sendHttp(gateway.url, { path: '/v1/models', headers: { origin: own() } });
    expect([mine.status, mine.headers['access-control-allow-origin']]).toEqual([200, undefined]);
    const allowed = await sendHttp(gateway.url, {
      path: '/v1/models',
      headers: { origin: app, 'sec-fetch-site': 'cross-site' },
    });
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([200, app]);
    expect(allowed.headers['access-control-expose-headers']).toContain('antiphon-losses');
    expect(allowed.headers.vary).toContain('Origin');
    expect(allowed.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test.each([
    ['cross-site', forbidden],
    ['same-origin', '200'],
    ['same-site', '200'],
    ['none', '200'],
  ])('Sec-Fetch-Site: %s without an Origin', async (site, fated) => {
    expect(await fate({ 'sec-fetch-site': site })).toBe(fated);
  });

  test('an error tells an allowed page, too, what is wrong', async () => {
    const answer = await sendHttp(gateway.url, { path: '/v1/responses', headers: { origin: app }, body: '{}' });
    expect(errorLine(answer)).toBe('415 invalid_request_error unsupported_media_type null');
    expect(answer.headers['access-control-allow-origin']).toBe(app);
  });
});

describe('a preflight', () => {
  const ask = (origin: string, path: string): Promise<HttpAnswer> =>
    sendHttp(gateway.url, {
      method: 'OPTIONS',
      path,
      headers: {
        origin,
        'sec-fetch-site': 'cross-site',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os,x-stainless-retry-count',
      },
    });

  test('of an allowed page is granted for all that SDKs send', async () => {
    for (const path of ['/v1/responses', '/v1/responses/resp_1', '/v1/models']) {
      const answer = await ask(app, path);
      expect(answer.status).toBe(204);
      expect(answer.text).toBe('');
      expect(answer.headers['access-control-allow-origin']).toBe(app);
      expect(answer.headers['access-control-allow-methods']).toBe('GET, POST, DELETE');
      for (const header of ['authorization', 'content-type', 'x-stainless-os', 'x-stainless-retry-count'])
        expect(answer.headers['access-control-allow-headers']).toContain(header);
    }
  });

  test('of another page is not', async () => {
    for (const origin of ['https://example.com', 'null']) {
      const answer = await ask(origin, '/v1/responses');
      expect(errorLine(answer)).toBe('403 invalid_request_error forbidden_origin null');
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});
