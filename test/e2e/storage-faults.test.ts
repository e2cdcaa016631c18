import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../src/store/memory/memory-store.ts';
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { errorLine, sendHttp } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { scratchFolder } from '../scratch-folder.ts';

const folder = scratchFolder();
const ask = ({ url }: StartedGateway, request: object): Promise<StreamAnswer> =>
  postResponse(url, { model: 'rehearsal/default', input: 'Hello', ...request });

/** Another process that holds the database exclusively until it is told to let go. */
async function lockDatabase(file: string): Promise<{ release: () => Promise<void> }> {
  const script = `
    import Database from 'libsql';
    const db = new Database(process.argv[1]);
    db.exec('begin exclusive');
    console.log('locked');
    process.stdin.once('data', () => { db.exec('rollback'); db.close(); console.log('free'); process.exit(); });
  `;
  const cwd = join(import.meta.dirname, '../..');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, file], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout);
  expect(await once(lines, 'line')).toEqual(['locked']);
  return {
    async release() {
      child.stdin.write('\n');
      expect(await once(lines, 'line')).toEqual(['free']);
    },
  };
}

test('while the database is locked for 2 s streams grow, ends wait, and not one request fails', async () => {
  const file = join(folder, 'locked.db');
  const gateway = await startGateway(`store: { url: "sqlite:${file}" }`);
  const earlier = await ask(gateway, {});
  const lock = await lockDatabase(file);
  const began = performance.now();
  const answers: Promise<StreamAnswer>[] = [];
  let reads = 0;
  while (performance.now() - began < 2000) {
    for (const stream of [true, false]) answers.push(ask(gateway, { stream, previous_response_id: earlier.body.id }));
    // Reads and requests that store nothing go on meanwhile.
    expect((await sendHttp(gateway.url, { path: `/v1/responses/${earlier.body.id}` })).status).toBe(200);
    expect((await ask(gateway, { store: false, stream: true })).body.status).toBe('completed');
    reads += 1;
  }
  await lock.release();
  const results = await Promise.all(answers);
  const bad = results.filter(({ status, faults, body }) => status !== 200 || faults.length > 0 || body.status !== 'completed');
  console.log(
    `database locked for 2 s: ${String(bad.length)} bad / ${String(results.length)} tried, ${String(reads)} reads meanwhile`,
  );
  expect(bad).toEqual([]);
  for (const { body } of results) expect((await sendHttp(gateway.url, { path: `/v1/responses/${body.id}` })).status).toBe(200);
  await gateway.close();
}, 60_000);

test('a lock that outlasts the busy timeout fails what has to be stored, and nothing else; then all is well again', async () => {
  const file = join(folder, 'stuck.db');
  const gateway = await startGateway(`store: { url: "sqlite:${file}", busy_timeout: 100ms }`);
  await ask(gateway, {});
  const lock = await lockDatabase(file);
  const streamed = await ask(gateway, { stream: true });
  expect(streamed.faults).toEqual([]);
  expect(streamed.body).toMatchObject({
    status: 'failed',
    error: { code: 'storage_unavailable' },
    output: [{ type: 'message' }],
  });
  for (const stream of [false, true]) {
    const refused = await ask(gateway, { stream });
    expect(errorLine(refused)).toBe('503 server_error storage_unavailable null');
    expect(refused.headers.get('x-should-retry')).toBe('true');
    expect((await ask(gateway, { stream, store: false })).body.status).toBe('completed');
  }
  const deleted = await sendHttp(gateway.url, { method: 'DELETE', path: `/v1/responses/${streamed.body.id}` });
  expect([404, 503]).toContain(deleted.status);
  await lock.release();
  expect((await ask(gateway, {})).body.status).toBe('completed');
  await gateway.close();
}, 60_000);

test('a full disk: the response fails with storage_full, later ones are refused before a model is asked, and deleting helps', async () => {
  const store = await openSqliteStore({ file: join(folder, 'full.db'), maxFileBytes: 1_000_000 });
  const gateway = await startGateway('', { store });
  const big = { input: 'x'.repeat(60_000) };
  const kept: string[] = [];
  let last = await ask(gateway, { ...big, stream: true });
  for (; last.body.status === 'completed'; last = await ask(gateway, { ...big, stream: true })) kept.push(last.body.id);
  expect(kept.length).toBeGreaterThan(3);
  expect([last.status, last.faults]).toEqual([200, []]);
  expect(last.body).toMatchObject({
    status: 'failed',
    error: { code: 'storage_full' },
    output: [{ type: 'message', status: 'completed' }],
  });
  expect(last.body.error?.message).toContain('store: false');
  expect((await sendHttp(gateway.url, { path: `/v1/responses/${last.body.id}` })).status).toBe(404);

  for (const stream of [false, true]) {
    const refused = await ask(gateway, { ...big, stream });
    expect(errorLine(refused)).toBe('507 server_error storage_full null');
    expect(refused.headers.get('x-should-retry')).toBe('false');
    expect(JSON.stringify(refused.body)).not.toMatch(/sqlite|\.db|\/tmp/i);
    expect((await ask(gateway, { ...big, stream, store: false })).body.status).toBe('completed');
  }
  for (const id of kept) expect((await sendHttp(gateway.url, { path: `/v1/responses/${id}` })).status).toBe(200);
  for (const id of kept.slice(0, 4))
    expect((await sendHttp(gateway.url, { method: 'DELETE', path: `/v1/responses/${id}` })).status).toBe(200);
  expect((await ask(gateway, big)).body.status).toBe('completed');
  await gateway.close();
}, 60_000);

test('a store that breaks in the middle of a save ends the stream with a terminal event all the same', async () => {
  const broken = { ...createMemoryStore(), saveResponse: () => Promise.reject(new Error('secret /path')) };
  const gateway = await startGateway('', { store: broken });
  const streamed = await ask(gateway, { stream: true });
  expect(streamed.faults).toEqual([]);
  expect(streamed.body).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  expect(JSON.stringify(streamed.events)).not.toContain('secret');
  expect(errorLine(await ask(gateway, {}))).toBe('500 server_error server_error null');
  await gateway.close();
});
