import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { sampleStored, userMessage } from '../../../test/stored-samples.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { openWorkerClient } from './worker-client.ts';

const folder = scratchFolder();
const newName = counterId();
const newFile = (): string => join(folder, `${newName('file')}.db`);
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Another process that holds the database; it says `locked`, and `free` after `release`. */
async function lockDatabase(file: string): Promise<{ release: () => Promise<void> }> {
  const script = `
    import Database from 'libsql';
    const db = new Database(process.argv[1]);
    db.exec('begin exclusive');
    console.log('locked');
    process.stdin.once('data', () => {
      db.exec('rollback');
      db.close();
      console.log('free');
      process.exit();
    });
  `;
  const cwd = join(import.meta.dirname, '../../..');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, file], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines = createInterface(child.stdout);
  expect(await once(lines, 'line')).toEqual(['locked']);
  return {
    async release() {
      child.stdin.write('\n');
      expect(await once(lines, 'line')).toEqual(['free']);
    },
  };
}

test('while another process has the database locked for 2 s, saves wait, reads are answered, the event loop runs, nothing fails', async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, busyTimeoutMs: 60_000 });
  await store.saveResponse(sampleStored({ id: 'resp_old', owner: 'me', input: [userMessage('msg_old', 'hi')] }));
  const lock = await lockDatabase(file);

  let saved = 0;
  const ids = Array.from({ length: 50 }, (_, n) => `resp_${n}`);
  const saves = ids.map((id) => store.saveResponse(sampleStored({ id, owner: 'me' })).then(() => saved++));
  // A main thread that waited with the database would not get through these turns.
  const end = performance.now() + 2000;
  for (let turns = 0; turns < 40 || performance.now() < end; turns++) {
    await nextTurn();
    if (turns % 100 > 2) continue;
    expect((await store.loadChain('resp_old', 'me')).length).toBe(1);
    expect((await store.loadItems(['msg_old'], 'me')).size).toBe(1);
    await store.ensureWritable();
  }
  expect(saved).toBe(0);
  await lock.release();
  await Promise.all(saves);
  for (const id of ids) expect((await store.loadResponse(id, 'me'))?.id).toBe(id);
  await store.close();
});

test('a lock that outlasts the busy timeout is an answer, not a hang; afterwards all is well', async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, busyTimeoutMs: 100 });
  const lock = await lockDatabase(file);
  const saves = Array.from({ length: 5 }, (_, n) => store.saveResponse(sampleStored({ id: `resp_${n}`, owner: 'me' })));
  for (const outcome of await Promise.allSettled(saves))
    expect(outcome).toMatchObject({ reason: { code: 'storage_unavailable', status: 503 } });
  await expect(store.removeResponse('resp_0', 'me')).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(store.pruneResponses({ olderThan: 5, maxBytes: null })).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(store.ensureWritable()).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await store.loadResponse('resp_0', 'me')).toBeUndefined();

  await lock.release();
  await store.ensureWritable();
  await store.saveResponse(sampleStored({ id: 'resp_0', owner: 'me' }));
  await store.close();
});

test('a full database refuses what does not fit, reads on, says so before a model is asked, and recovers', async () => {
  const store = await openSqliteStore({ file: newFile(), maxFileBytes: 2_000_000 });
  const input = [userMessage('msg_1', 'x'.repeat(50_000))];
  const kept: string[] = [];
  const refusals: unknown[] = [];
  for (let n = 0; refusals.length === 0; n++) {
    const stored = sampleStored({ id: `resp_${n}`, owner: 'me', createdAt: n, input });
    await store.saveResponse(stored).then(
      () => kept.push(stored.id),
      (thrown: unknown) => refusals.push(thrown),
    );
  }
  expect(refusals).toMatchObject([
    { code: 'storage_full', status: 507, message: expect.not.stringMatching(/SQLITE|\.db/) as string },
  ]);
  await expect(store.ensureWritable()).rejects.toMatchObject({ code: 'storage_full' });
  for (const id of kept) expect((await store.loadResponse(id, 'me'))?.id).toBe(id);

  // One that does not fit does not take the others of its transaction with it.
  const small = ['small_1', 'small_2', 'small_3'];
  const outcomes = await Promise.allSettled([
    store.saveResponse(sampleStored({ id: 'alone', owner: 'me' })),
    ...small.slice(0, 2).map((id) => store.saveResponse(sampleStored({ id, owner: 'me' }))),
    store.saveResponse(sampleStored({ id: 'large', owner: 'me', input })),
    store.saveResponse(sampleStored({ id: 'small_3', owner: 'me' })),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);

  await expect(store.saveResponse(sampleStored({ id: 'large', owner: 'me', input }))).rejects.toMatchObject({
    code: 'storage_full',
  });
  expect(await store.pruneResponses({ olderThan: 10, maxBytes: null })).toBe(10);
  await store.ensureWritable();
  await store.saveResponse(sampleStored({ id: 'large', owner: 'me', input }));
  for (const id of small) expect((await store.loadResponse(id, 'me'))?.id).toBe(id);
  await store.close();
});

test('a database thread that dies answers what it was given, and the next call has a new one', async () => {
  // A thread that speaks the messages, counts its lives, and dies of `remove`.
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage({ opened: null });
    parentPort.on('message', ({ id, kind }) => {
      if (kind === 'remove') throw new Error('out of memory');
      if (kind === 'prune') return;
      parentPort.postMessage({ id, result: kind === 'items' ? String(workerData) : null });
      if (kind === 'close') parentPort.close();
    });
  `;
  let lives = 0;
  const client = await openWorkerClient(() => new Worker(script, { eval: true, workerData: ++lives }));
  const life = (): Promise<string> => client.call('items', { ids: [], owner: 'me' });
  expect(await life()).toBe('1');
  const waiting = client.call('prune', { olderThan: null, maxBytes: null });
  const fatal = client.call('remove', { id: 'resp_1', owner: 'me' });
  await expect(waiting).rejects.toMatchObject({ code: 'storage_unavailable' });
  await expect(fatal).rejects.toMatchObject({
    code: 'storage_unavailable',
    cause: { message: expect.stringContaining('out of memory') as string },
  });
  expect(await Promise.all([life(), life()])).toEqual(['2', '2']);
  await client.close();
  await expect(life()).rejects.toMatchObject({ code: 'storage_unavailable' });
});

test('a database thread that cannot start at all is an error, not a hang', async () => {
  const start = openWorkerClient(() => new Worker('process.exit(3)', { eval: true }));
  await expect(start).rejects.toMatchObject({ code: 'storage_unavailable' });
});
