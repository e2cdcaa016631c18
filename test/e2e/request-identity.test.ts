import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestChannel } from '../../src/server/channels.ts';
import type { LogResponse } from '../check-event-log/log-event.ts';
import { errorLine, postJson, sendHttp, type HttpAnswer } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const keys = { alice: 'sk-alice-0123456789', bob: 'sk-bob-0123456789abc' };
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

let open: StartedGateway;
let locked: StartedGateway;

beforeAll(async () => {
  open = await startGateway();
  locked = await startGateway(`server: { keys: ["${keys.alice}", "${keys.bob}"] }\nstore: { url: "memory:" }`);
});

afterAll(async () => {
  await open.close();
  await locked.close();
});

function messageOf({ text }: HttpAnswer): string {
  return (JSON.parse(text) as { error: { message: string } }).error.message;
}

async function createAs(key: string): Promise<LogResponse> {
  const answer = await postJson(locked.url, { model: 'rehearsal/default', input: 'One' }, bearer(key));
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as LogResponse;
}

describe('an unknown model', () => {
  test.each([
    ['gpt-unknown', false],
    ['gpt-unknown', true],
    ['nobody/gpt-unknown', false],
    ['rehearsal/gpt-unknown', true],
  ])('%s (stream %s) lists what there is', async (model, stream) => {
    const answer = await postJson(open.url, { model, input: 'x', stream });
    expect(errorLine(answer)).toBe('400 invalid_request_error model_not_found model');
    expect(messageOf(answer)).toContain('default');
    expect(messageOf(answer)).toContain('slow');
    expect(answer.headers['x-should-retry']).toBe('false');
  });

  test('is a 404 where it is the resource that was asked for', async () => {
    for (const path of ['/v1/models/gpt-unknown', '/v1/models/a/b/c', '/v1/models/']) {
      const answer = await sendHttp(open.url, { path });
      expect(errorLine(answer)).toBe('404 invalid_request_error model_not_found model');
    }
    expect((await sendHttp(open.url, { path: '/v1/models/rehearsal/default' })).status).toBe(200);
    expect((await sendHttp(open.url, { path: '/v1/models/rehearsal%2Fdefault' })).status).toBe(200);
  });
});

describe('previous_response_id', () => {
  const unknown = `resp_${'0'.repeat(48)}`;

  test('an unknown one and a foreign one cannot be told apart', async () => {
    const { id } = await createAs(keys.alice);
    const ask = (previous: string, stream: boolean): Promise<HttpAnswer> =>
      postJson(
        locked.url,
        { model: 'rehearsal/default', input: 'Two', previous_response_id: previous, stream },
        bearer(keys.bob),
      );
    for (const stream of [false, true]) {
      const [foreign, missing] = await Promise.all([ask(id, stream), ask(unknown, stream)]);
      expect(errorLine(foreign)).toBe('400 invalid_request_error previous_response_not_found previous_response_id');
      expect(foreign.text.replaceAll(id, '*')).toBe(missing.text.replaceAll(unknown, '*'));
      expect(Object.keys(foreign.headers)).toEqual(Object.keys(missing.headers));
      expect(messageOf(foreign)).toBe(`Previous response with id '${id}' not found.`);
    }
    const own = await postJson(
      locked.url,
      { model: 'rehearsal/default', input: 'Two', previous_response_id: id },
      bearer(keys.alice),
    );
    expect(own.status).toBe(200);
  });

  test('a foreign response cannot be read, replayed, listed, cancelled or removed, and stays', async () => {
    const { id } = await createAs(keys.alice);
    const calls = [
      ['GET', ''],
      ['GET', '?stream=true'],
      ['GET', '/input_items'],
      ['POST', '/cancel'],
      ['DELETE', ''],
    ] as const;
    for (const [method, rest] of calls) {
      const ask = (asked: string): Promise<HttpAnswer> =>
        sendHttp(locked.url, { method, path: `/v1/responses/${asked}${rest}`, headers: bearer(keys.bob) });
      const [foreign, missing] = await Promise.all([ask(id), ask(unknown)]);
      expect(errorLine(foreign)).toBe('404 invalid_request_error not_found id');
      expect(foreign.text.replaceAll(id, '*')).toBe(missing.text.replaceAll(unknown, '*'));
    }
    expect((await sendHttp(locked.url, { path: `/v1/responses/${id}`, headers: bearer(keys.alice) })).status).toBe(200);
  });

  test('items and sealed reasoning of another owner are refused like unknown ones', async () => {
    const made = await postJson(
      locked.url,
      {
        model: 'rehearsal/default',
        input: 'Think',
        reasoning: { effort: 'low' },
        include: ['reasoning.encrypted_content'],
      },
      bearer(keys.alice),
    );
    const { output } = JSON.parse(made.text) as { output: { id: string; type: string }[] };
    const [reasoning] = output.filter(({ type }) => type === 'reasoning');
    const ask = (item: object, key: string): Promise<HttpAnswer> =>
      postJson(locked.url, { model: 'rehearsal/default', input: [item, { role: 'user', content: 'Go on' }] }, bearer(key));
    const reference = { type: 'item_reference', id: output[0]?.id };
    expect((await ask(reference, keys.alice)).status).toBe(200);
    expect(errorLine(await ask(reference, keys.bob))).toBe('404 invalid_request_error not_found input[0].id');
    expect((await ask(reasoning ?? {}, keys.alice)).status).toBe(200);
    expect(errorLine(await ask(reasoning ?? {}, keys.bob))).toBe(
      '400 invalid_request_error invalid_encrypted_content input[0].encrypted_content',
    );
  });
});

describe('API keys', () => {
  const wrong: readonly [string, Record<string, string>][] = [
    ['none', {}],
    ['an empty header', { authorization: '' }],
    ['no token', { authorization: 'Bearer' }],
    ['no token, a space', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`x:${keys.alice}`).toString('base64')}` }],
    ['the bare key', { authorization: keys.alice }],
    ['a wrong key', bearer('sk-mallory')],
    ['a prefix', bearer(keys.alice.slice(0, -1))],
    ['one character more', bearer(`${keys.alice}x`)],
    ['another case', bearer(keys.alice.toUpperCase())],
    ['two keys', bearer(`${keys.alice} ${keys.bob}`)],
    ['two keys with a comma', bearer(`${keys.alice},${keys.bob}`)],
    ['a key that is no ASCII', bearer('schl\u00fcssel')],
    ['another header', { 'api-key': keys.alice }],
    ['a very long one', bearer('x'.repeat(8000))],
  ];

  test.each(wrong)('%s is refused', async (_what, headers) => {
    const answer = await sendHttp(locked.url, { path: '/v1/models', headers });
    expect(errorLine(answer)).toBe('401 invalid_request_error invalid_api_key null');
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(answer.headers['x-should-retry']).toBe('false');
    expect(answer.text).not.toContain('sk-');
  });

  test.each([
    bearer(keys.alice),
    bearer(keys.bob),
    { authorization: `bearer ${keys.alice}` },
    { authorization: `BEARER   ${keys.bob} ` },
    { 'x-api-key': keys.alice },
    { 'x-goog-api-key': keys.bob },
    { authorization: 'Bearer none', 'x-api-key': keys.alice },
  ])('a right one is let in: %s', async (headers) => {
    expect((await sendHttp(locked.url, { path: '/v1/models', headers })).status).toBe(200);
  });

  test.each([
    ['anthropic', { 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-mallory' }, 'type'],
    ['gemini', { 'x-goog-api-key': 'sk-mallory' }, 'error'],
  ])('a wrong one is refused in the words of the caller: %s', async (_dialect, headers, member) => {
    const answer = await sendHttp(locked.url, { path: '/v1/models', headers });
    expect([answer.status, Object.keys(JSON.parse(answer.text) as object)]).toEqual([401, expect.arrayContaining([member])]);
    expect(answer.text).not.toContain('sk-');
  });

  test.each([
    ['GET', '/v1beta/models', 'models'],
    ['GET', '/v1beta/models/rehearsal/default', 'name'],
    ['GET', '/v1/models', 'models'],
    ['POST', '/v1beta/models/rehearsal/default:generateContent', 'candidates'],
    ['POST', '/v1/models/rehearsal/default:generateContent', 'candidates'],
    ['POST', '/v1beta/models/rehearsal/default:countTokens', 'totalTokens'],
  ])("Gemini's clients may put it into the URL: %s %s", async (method, path, member) => {
    const body = method === 'POST' ? '{"contents":[{"parts":[{"text":"Hi"}]}]}' : '';
    const ask = (key: string): Promise<HttpAnswer> =>
      sendHttp(locked.url, { method, path: `${path}?key=${key}`, headers: { 'content-type': 'application/json' }, body });
    const reported: unknown[] = [];
    const listen = (report: unknown): unknown => reported.push(report);
    subscribe(requestChannel.name, listen);
    const [right, wrong, none] = [await ask(keys.alice), await ask('sk-mallory'), await ask('')];
    unsubscribe(requestChannel.name, listen);
    // All that the log and the metrics are made of.
    expect([reported.length, JSON.stringify(reported).includes('sk-')]).toEqual([3, false]);
    expect([right.status, wrong.status, none.status]).toEqual([200, 401, 401]);
    expect(JSON.parse(right.text)).toHaveProperty(member);
    expect(wrong.text + none.text + right.text).not.toContain('sk-');
  });

  test('elsewhere a key in the URL is none', async () => {
    for (const path of ['/v1/responses/resp_1', '/metrics', '/v1/sessions', '/nowhere'])
      expect((await sendHttp(locked.url, { path: `${path}?key=${keys.alice}` })).status).toBe(401);
  });

  test('/health is open, everything else is not, not even what does not exist', async () => {
    const health = await sendHttp(locked.url, { path: '/health' });
    expect([health.status, JSON.parse(health.text)]).toEqual([200, { status: 'ok', version: expect.any(String) as string }]);
    const closed = [
      '/metrics',
      '/v1/models',
      '/v1/models/x',
      '/v1/responses',
      '/v1/responses/resp_1',
      '/',
      '/nowhere',
      '/health/x',
    ];
    for (const path of closed) expect((await sendHttp(locked.url, { path })).status).toBe(401);
    expect((await sendHttp(locked.url, { path: '/v1/responses', body: '{}' })).status).toBe(401);
    const metrics = await sendHttp(locked.url, { path: '/metrics', headers: bearer(keys.bob) });
    expect(metrics.status).toBe(200);
    expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
    expect(metrics.text).toMatch(/antiphon_http_requests_total\{method="GET",route="\/health",status="200"\} \d/);
  });

  test('without keys nobody needs one, and one that is sent is ignored', async () => {
    for (const headers of [{}, bearer('anything'), { authorization: 'garbage' }])
      expect((await sendHttp(open.url, { path: '/metrics', headers })).status).toBe(200);
  });

  test('without keys a gateway that others can reach refuses to start', async () => {
    for (const host of ['0.0.0.0', '::', '[::]', '192.168.1.1', 'example.com'])
      await expect(startGateway(`server: { host: "${host}" }\nstore: { url: "memory:" }`)).rejects.toThrow(/no API key is set/);
  });
});
