import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayError } from '../../src/model/errors.ts';
import type { ModelEvent } from '../../src/model/model-event.ts';
import type { ResponseStore } from '../../src/model/response-store.ts';
import type { UpstreamSession } from '../../src/model/session-store.ts';
import type { SessionResource } from '../../src/protocol/responses/session.ts';
import { troubleChannel } from '../../src/server/channels.ts';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { postResponse } from '../doubles/post-response.ts';
import { ScriptedBackend } from '../doubles/scripted-backend.ts';
import { errorLine, sendHttp, type HttpAnswer } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const keys = { alice: 'sk-alice-0123456789', bob: 'sk-bob-0123456789abc' };
const text: ModelEvent[] = [
  { type: 'text-delta', delta: 'Hi' },
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];

/** Keeps every conversation upstream, as an agent server does. */
class KeepingBackend extends ScriptedBackend {
  readonly ended: string[] = [];

  async endSession(upstreamId: string): Promise<void> {
    this.ended.push(upstreamId);
    if (upstreamId.includes('broken')) throw new GatewayError('upstream_unreachable', 'nobody there');
  }
}

let store: ResponseStore;
let backend: KeepingBackend;
let gateway: StartedGateway;
const second = 1_800_000_000;

beforeAll(async () => {
  store = createMemoryStore();
  backend = new KeepingBackend({ batches: [text] });
  const yaml = `server: { keys: ["${keys.alice}", "${keys.bob}"] }`;
  gateway = await startGateway(yaml, { backends: [backend], store, now: () => second * 1_000 });
});
afterAll(() => gateway.close());

const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

function call(method: 'GET' | 'DELETE', path: string, key = keys.alice): Promise<HttpAnswer> {
  return sendHttp(gateway.url, { method, path: `/v1/sessions${path}`, headers: as(key) });
}

async function list(key = keys.alice, query = ''): Promise<SessionResource[]> {
  const answer = JSON.parse((await call('GET', query, key)).text) as { object: string; data: SessionResource[] };
  expect(answer.object).toBe('list');
  return answer.data;
}

/** Asks once in a conversation; answers the id of the response. */
async function converse(conversation: string, model = 'scripted/one', key = keys.alice): Promise<string> {
  const { body } = await postResponse(gateway.url, { model, input: 'Hello', conversation }, as(key));
  return body.id;
}

/** What the backend would have saved with its turn. */
async function saveSession(change: Partial<UpstreamSession>): Promise<void> {
  const owner = backend.requests.at(-1)?.session?.owner ?? '';
  const times = { createdAt: second, lastUsedAt: second };
  const names = { backend: 'scripted', upstreamId: 'up', headResponseId: 'resp_none', conversation: null };
  await store.saveSession({ owner, ...names, ...times, ...change });
}

test('conversations and sessions are listed for their owner, each once, and forgotten one by one', async () => {
  expect(await list()).toEqual([]);
  const plain = await converse('plain', 'rehearsal/default');
  const head = await converse('kept');
  await saveSession({ upstreamId: 'up-old', conversation: 'kept', lastUsedAt: second - 5 });
  await saveSession({ upstreamId: 'up-1', conversation: 'kept', headResponseId: head });
  await saveSession({ upstreamId: 'up-2', lastUsedAt: second + 5 });
  await converse('kept', 'scripted/one', keys.bob);

  const times = { created_at: second, last_used_at: second };
  const kept = { object: 'session', id: 'kept', conversation: 'kept', backend: 'scripted', upstream_id: 'up-1' };
  expect(await list()).toEqual([
    {
      ...{ object: 'session', id: 'up-2', conversation: null, backend: 'scripted', upstream_id: 'up-2' },
      ...{ last_response_id: 'resp_none', ...times, last_used_at: second + 5 },
    },
    { ...kept, last_response_id: head, ...times },
    { ...kept, id: 'plain', conversation: 'plain', backend: null, upstream_id: null, last_response_id: plain, ...times },
  ]);
  expect((await list(keys.bob)).map(({ id, backend }) => [id, backend])).toEqual([['kept', null]]);
  expect((await list(keys.alice, '?limit=2')).map(({ id }) => id)).toEqual(['up-2', 'kept']);

  expect(errorLine(await call('DELETE', '/up-2', keys.bob))).toBe('404 invalid_request_error not_found id');
  const gone = await call('DELETE', '/kept');
  expect([gone.status, JSON.parse(gone.text)]).toEqual([200, { id: 'kept', object: 'session', deleted: true }]);
  expect(backend.ended.sort()).toEqual(['up-1', 'up-old']);
  expect(errorLine(await call('DELETE', '/kept'))).toBe('404 invalid_request_error not_found id');
  expect((await call('DELETE', '/up-2')).status).toBe(200);
  expect((await list()).map(({ id }) => id)).toEqual(['plain']);
  expect((await list(keys.bob)).map(({ id }) => id)).toEqual(['kept']);
  // The responses stay, and the conversation begins anew.
  expect((await sendHttp(gateway.url, { path: `/v1/responses/${head}`, headers: as(keys.alice) })).status).toBe(200);
  await converse('kept');
  expect(backend.requests.at(-1)?.session).toMatchObject({ previousResponseId: null, inheritedItems: 0 });
});

test.each(['a/b', '/', 'a//b/', 'ä 😀', '100%', '%2F', '?x=1#y', '..%2f', '  ', 'c'.repeat(256), '😀'.repeat(256)])(
  'a conversation named %j is forgotten by that name',
  async (name) => {
    await converse(name);
    expect((await list()).map(({ id }) => id)).toContain(name);
    const answer = await call('DELETE', `/${encodeURIComponent(name)}`);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { id: name, object: 'session', deleted: true }]);
    expect((await list()).map(({ id }) => id)).not.toContain(name);
  },
);

test('slashes may stand in the path as they are', async () => {
  await converse('team/red/1');
  expect((await call('DELETE', '/team/red/1')).status).toBe(200);
});

test('what the upstream could not delete is gone here, and told to the log', async () => {
  const troubles: unknown[] = [];
  const listen = (report: unknown): void => void troubles.push(report);
  subscribe(troubleChannel.name, listen);
  const head = await converse('half');
  await saveSession({ upstreamId: 'broken-1', conversation: 'half', headResponseId: head });
  await saveSession({ upstreamId: 'elsewhere', backend: 'no-such-backend', conversation: 'half' });
  expect((await call('DELETE', '/half')).status).toBe(200);
  expect((await list()).map(({ id }) => id)).not.toContain('half');
  expect(troubles).toMatchObject([{ error: { code: 'upstream_unreachable' } }]);
  unsubscribe(troubleChannel.name, listen);
});

test('the routes say what is wrong with a request', async () => {
  expect(errorLine(await call('GET', '?limit=0'))).toBe('400 invalid_request_error integer_below_min_value limit');
  expect(errorLine(await call('GET', '?limit=1001'))).toBe('400 invalid_request_error integer_above_max_value limit');
  expect(errorLine(await call('GET', '?limit=ten'))).toBe('400 invalid_request_error invalid_type limit');
  expect(errorLine(await call('DELETE', ''))).toBe('405 invalid_request_error method_not_allowed null');
  expect(errorLine(await call('DELETE', '/'))).toBe('404 invalid_request_error not_found id');
  expect(errorLine(await call('GET', '', 'sk-nobody'))).toBe('401 invalid_request_error invalid_api_key null');
});
