import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newEngine } from '../../../test/doubles/engine-deps.ts';
import { ScriptedBackend } from '../../../test/doubles/scripted-backend.ts';
import { sendHttp, type HttpAnswer } from '../../../test/doubles/send-http.ts';
import type { Backend } from '../../model/backend.ts';
import { Secret } from '../../model/secret.ts';
import type { App } from '../app-options.ts';
import { createApp } from '../app.ts';
import { requestChannel } from '../channels.ts';

/** Remembers the tokens it was given. */
class TokenBackend extends ScriptedBackend {
  readonly tokens: string[] = [];

  setToken(token: Secret): void {
    this.tokens.push(token.reveal());
  }
}

let taker: TokenBackend;
let apps: App[];

beforeEach(() => {
  taker = new TokenBackend();
  apps = [];
});

afterEach(async () => {
  for (const app of apps) await app.close(0);
});

async function listen(adminKey: string | null, backends: readonly Backend[] = [taker]): Promise<string> {
  const app = createApp({
    engine: newEngine(taker),
    keys: [new Secret('client-key')],
    adminKey: adminKey === null ? null : new Secret(adminKey),
    backends: () => Promise.resolve(backends),
    host: '127.0.0.1',
    allowedHosts: [],
    allowedOrigins: [],
    maxBodyBytes: 1024 ** 2,
    timeouts: { totalMs: 60_000, maxTotalMs: 60_000 },
    keepAlive: { commentMs: 60_000, eventMs: 60_000 },
    version: 'test',
  });
  apps.push(app);
  return app.listen(0, '127.0.0.1');
}

function send(url: string, body: unknown, key: string | null = 'admin-key', path = '/v1/token'): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) };
  return sendHttp(url, { path, headers, body: JSON.stringify(body) });
}

test('the admin key sets a token, and the answer does not repeat it', async () => {
  const url = await listen('admin-key');
  const reports: unknown[] = [];
  const listenIn = (report: unknown): number => reports.push(report);
  subscribe(requestChannel.name, listenIn);
  const answer = await send(url, { backend: 'scripted', token: 'token-1' });
  expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { object: 'token', backend: 'scripted', updated: true }]);
  await send(url, { backend: 'scripted', token: 'token-2' });
  unsubscribe(requestChannel.name, listenIn);
  expect(taker.tokens).toEqual(['token-1', 'token-2']);
  expect(reports.length).toBeGreaterThan(0);
  expect(JSON.stringify(reports)).not.toContain('token-1');
});

test.each(['client-key', 'admin-ke', 'admin-keyy', 'ADMIN-KEY', null])(
  'with %j as its key the route stays closed',
  async (key) => {
    const url = await listen('admin-key');
    const answer = await send(url, { backend: 'scripted', token: 'token-1' }, key);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { type: 'invalid_request_error', code: 'invalid_api_key', param: null },
    });
    expect(answer.text).toContain('server.admin_key');
    expect(taker.tokens).toEqual([]);
  },
);

test('the admin key opens nothing else', async () => {
  const url = await listen('admin-key');
  expect((await send(url, { model: 'scripted/one', input: 'Hello' }, 'admin-key', '/v1/responses')).status).toBe(401);
  expect((await send(url, { model: 'scripted/one', input: 'Hello' }, 'client-key', '/v1/responses')).status).not.toBe(401);
});

test.each(['client-key', 'admin-key', null])('without an admin key there is no such route, with %j as without', async (key) => {
  const url = await listen(null);
  const answer = await send(url, { backend: 'scripted', token: 'token-1' }, key);
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    404,
    { error: { code: 'not_found', message: 'Unknown request URL: POST /v1/token.' } },
  ]);
  expect(taker.tokens).toEqual([]);
  const headers = { authorization: 'Bearer client-key' };
  const other = await sendHttp(url, { path: '/v1/token', headers });
  expect([other.status, other.headers.allow]).toEqual([404, undefined]);
});

test('another method is told which one there is', async () => {
  const answer = await sendHttp(await listen('admin-key'), {
    path: '/v1/token',
    headers: { authorization: 'Bearer client-key' },
  });
  expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
});

test.each<[unknown, string, string]>([
  [[], 'invalid_type', 'body'],
  [{}, 'missing_required_parameter', 'backend'],
  [{ backend: 7, token: 't' }, 'invalid_type', 'backend'],
  [{ backend: 'scripted' }, 'missing_required_parameter', 'token'],
  [{ backend: 'scripted', token: null }, 'invalid_type', 'token'],
  [{ backend: 'scripted', token: '' }, 'string_below_min_length', 'token'],
  [{ backend: 'scripted', token: 's3cret value' }, 'invalid_value', 'token'],
  [{ backend: 'scripted', token: 's3cret\n' }, 'invalid_value', 'token'],
  [{ backend: 'scripted', token: 's3cret'.repeat(2_000) }, 'string_above_max_length', 'token'],
  [{ backend: 'scripted', token: 's3cret', tokn: 1 }, 'unknown_parameter', 'tokn'],
  [{ backend: 'other', token: 's3cret' }, 'invalid_value', 'backend'],
])('%j is refused', async (body, code, param) => {
  const answer = await send(await listen('admin-key'), body);
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    400,
    { error: { type: 'invalid_request_error', code, param } },
  ]);
  expect(answer.text).not.toContain('s3cret');
  expect(taker.tokens).toEqual([]);
});

test('who names a wrong backend learns which ones take a token', async () => {
  const named = await send(await listen('admin-key'), { backend: 'agent', token: 't' });
  expect(named.text).toContain("Backends that take a token: 'scripted'.");
  const none = await send(await listen('admin-key', [new ScriptedBackend()]), { backend: 'scripted', token: 't' });
  expect(none.status).toBe(400);
  expect(none.text).toContain('No backend of this gateway takes a token');
});
