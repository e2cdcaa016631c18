import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { storeSuite } from '../../../test/store-suite.ts';
import { sampleStored, userMessage } from '../../../test/stored-samples.ts';
import { GatewayError } from '../../model/errors.ts';
import { createMemoryStore } from '../memory/memory-store.ts';
import { openSqliteStore } from './sqlite-store.ts';

const folder = scratchFolder();
const newName = counterId();
const newFile = (): string => join(folder, newName('folder'), 'antiphon.db');

storeSuite('sqlite', () => openSqliteStore({ file: newFile() }));

test('what was saved is there when the file is opened again; close writes what is still under way', async () => {
  const file = newFile();
  const store = await openSqliteStore({ file, synchronous: 'full' });
  const stored = Array.from({ length: 50 }, (_, n) =>
    sampleStored({ id: `resp_${n}`, owner: 'me', input: [userMessage(`msg_${n}`, 'hi')] }),
  );
  const saves = stored.map((one) => store.saveResponse(one));
  await store.close();
  await Promise.all(saves);
  await expect(store.loadResponse('resp_1', 'me')).rejects.toMatchObject({ code: 'storage_unavailable' });
  await store.close();

  const again = await openSqliteStore({ file });
  for (const one of stored) expect(await again.loadResponse(one.id, 'me')).toEqual(one);
  expect((await again.loadItems(['msg_7'], 'me')).get('msg_7')).toEqual(userMessage('msg_7', 'hi'));
  await again.close();
});

test('conversations and sessions are there when the file is opened again', async () => {
  const file = newFile();
  const store = await openSqliteStore({ file });
  const conversation = 'all about Oslo';
  await store.saveResponse(sampleStored({ id: 'resp_1', owner: 'me', conversation, createdAt: 10 }));
  await store.saveResponse(
    sampleStored({ id: 'resp_2', owner: 'me', conversation, previousResponseId: 'resp_1', createdAt: 20 }),
  );
  const times = { createdAt: 10, lastUsedAt: 20 };
  const session = { backend: 'b', upstreamId: 'u', owner: 'me', headResponseId: 'resp_2', conversation, ...times };
  await store.saveSession(session);
  await store.close();

  const again = await openSqliteStore({ file });
  expect(await again.loadConversation(conversation, 'me')).toEqual({
    id: conversation,
    owner: 'me',
    headResponseId: 'resp_2',
    ...times,
  });
  expect(await again.loadSession(session)).toEqual(session);
  await again.close();
});

test('of two stores on one file only one carries a conversation on; the other learns that it was late', async () => {
  const file = newFile();
  const stores = await Promise.all([openSqliteStore({ file }), openSqliteStore({ file })]);
  let head: string | null = null;
  let late = 0;
  for (let round = 0; round < 20; round++) {
    const previousResponseId = head;
    const outcomes = await Promise.allSettled(
      stores.map(async (store, at) => {
        const id = `resp_${String(round)}_${String(at)}`;
        await store.saveResponse(sampleStored({ id, owner: 'me', conversation: 'shared', previousResponseId }));
        return id;
      }),
    );
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    late += outcomes.filter(({ status, ...rest }) => status === 'rejected' && isLocked(rest)).length;
    expect(won).toHaveLength(1);
    head = won[0] ?? null;
  }
  expect(late).toBe(20);
  expect(await stores[1].loadChain(head ?? '', 'me')).toHaveLength(20);
  for (const store of stores) await store.close();
});

function isLocked(outcome: object): boolean {
  return 'reason' in outcome && outcome.reason instanceof GatewayError && outcome.reason.code === 'conversation_locked';
}

test('folder and files are for their owner alone; after close only the database is left', async () => {
  const file = newFile();
  const store = await openSqliteStore({ file });
  await store.saveResponse(sampleStored({ id: 'resp_1', owner: 'me' }));
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  expect(modeOf(join(file, '..'))).toBe('700');
  expect(['', '-wal', '-shm'].map((suffix) => modeOf(file + suffix))).toEqual(['600', '600', '600']);
  await store.close();
  expect(readdirSync(join(file, '..'))).toEqual(['antiphon.db']);
});

test('a name with signs that mean something in a URL is a file name', async () => {
  const file = join(folder, 'file:a b?mode=memory&x=%41#1.db');
  const store = await openSqliteStore({ file });
  await store.saveResponse(sampleStored({ id: 'resp_1', owner: 'me' }));
  expect(existsSync(file)).toBe(true);
  await store.close();
});

test('two stores share a file', async () => {
  const file = newFile();
  const [first, second] = await Promise.all([openSqliteStore({ file }), openSqliteStore({ file })]);
  const ids = Array.from({ length: 200 }, (_, n) => `resp_${n}`);
  await Promise.all(ids.map((id, n) => (n % 2 === 0 ? first : second).saveResponse(sampleStored({ id, owner: 'me' }))));
  for (const id of ids) expect((await first.loadResponse(id, 'me'))?.id).toBe(id);
  await first.close();
  await second.close();
});

test('the file gets shorter when much of it is pruned', async () => {
  const file = newFile();
  const store = await openSqliteStore({ file });
  const text = 'x'.repeat(100_000);
  const input = [userMessage('msg_1', text)];
  await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      store.saveResponse(sampleStored({ id: `resp_${n}`, owner: 'me', createdAt: n, input })),
    ),
  );
  await store.pruneResponses({ olderThan: 0, maxBytes: null });
  const before = statSync(file).size + statSync(`${file}-wal`).size;
  expect(before).toBeGreaterThan(20_000_000);
  expect(await store.pruneResponses({ olderThan: 190, maxBytes: null })).toBe(190);
  expect(statSync(file).size).toBeLessThan(4_000_000);
  expect(await store.loadResponse('resp_195', 'me')).toBeDefined();
  await store.close();
});

test('whatever the threads look like, memory and SQLite prune the same', async () => {
  const sqlite = await openSqliteStore({ file: newFile() });
  const newId = counterId();
  const node = fc.record({
    parent: fc.nat(),
    hasParent: fc.boolean(),
    createdAt: fc.integer({ min: 0, max: 20 }),
    size: fc.integer({ min: 0, max: 4000 }),
  });
  const limit = (max: number): fc.Arbitrary<number | null> => fc.option(fc.integer({ min: 0, max }));
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 25 }), limit(21), limit(60_000), async (nodes, olderThan, maxBytes) => {
      const memory = createMemoryStore();
      const ids = nodes.map(() => newId('resp'));
      for (const [n, { parent, hasParent, createdAt, size }] of nodes.entries()) {
        const previousResponseId = hasParent && n > 0 ? (ids[parent % n] ?? null) : null;
        const stored = sampleStored({ id: ids[n] ?? '', owner: 'me', previousResponseId, createdAt, events: 'e'.repeat(size) });
        await Promise.all([memory.saveResponse(stored), sqlite.saveResponse(stored)]);
      }
      const chains = await Promise.all(ids.map((id) => memory.loadChain(id, 'me')));
      const counts = await Promise.all([memory, sqlite].map((store) => store.pruneResponses({ olderThan, maxBytes })));
      expect(counts[0]).toBe(counts[1]);
      for (const [n, id] of ids.entries()) {
        const kept = await memory.loadChain(id, 'me');
        expect(await sqlite.loadChain(id, 'me')).toEqual(kept);
        // What stays has kept all of its ancestors.
        if (kept.length > 0) expect(kept).toEqual(chains[n]);
      }
      await sqlite.pruneResponses({ olderThan: null, maxBytes: 0 });
    }),
    { numRuns: 40 },
  );
  await sqlite.close();
}, 60_000);
