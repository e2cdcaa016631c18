import { expect, test } from 'vitest';
import { sampleStored } from '../../../test/stored-samples.ts';
import { encodeStored, type StoredRow } from '../stored-row.ts';
import { createSaveQueue, type SaveQueue } from './save-queue.ts';
import type { Failure } from './worker-messages.ts';

/** A queue whose transactions end when the test says so. */
function heldQueue(): {
  queue: SaveQueue;
  batches: string[][];
  end: (outcome: (row: string) => Failure | null) => Promise<void>;
} {
  const batches: string[][] = [];
  const endings: ((outcome: (row: string) => Failure | null) => void)[] = [];
  const queue = createSaveQueue((rows: readonly StoredRow[]) => {
    batches.push(rows.map(({ id }) => id));
    return new Promise((resolve) => endings.push((outcome) => resolve(rows.map(({ id }) => outcome(id)))));
  });
  return {
    queue,
    batches,
    async end(outcome) {
      endings.shift()?.(outcome);
      await new Promise(setImmediate);
    },
  };
}

const row = (id: string, size = 10): StoredRow => encodeStored(sampleStored({ id, owner: 'me', events: 'x'.repeat(size) }));
const written = (): null => null;

test('what arrives during a transaction goes into the next one, together', async () => {
  const { queue, batches, end } = heldQueue();
  const saves = ['a', 'b', 'c'].map((id) => queue.save(row(id)));
  expect(batches).toEqual([['a']]);
  await end(written);
  await saves[0];
  expect(batches).toEqual([['a'], ['b', 'c']]);
  saves.push(queue.save(row('d')));
  await end(written);
  await end(written);
  await Promise.all(saves);
  expect(batches).toEqual([['a'], ['b', 'c'], ['d']]);
});

test('each save learns its own outcome, after its transaction', async () => {
  const { queue, end } = heldQueue();
  const outcomes = Promise.allSettled(['a', 'b', 'c'].map((id) => queue.save(row(id))));
  await end(written);
  await end((id) => (id === 'b' ? { code: 'storage_full', detail: 'no room' } : null));
  expect(await outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'storage_full' } }, { status: 'fulfilled' }]);
});

test('a transaction stays short: 128 rows, or 8 million characters', async () => {
  const { queue, batches, end } = heldQueue();
  const rows = [
    ...Array.from({ length: 200 }, (_, n) => row(`resp_${n}`)),
    ...Array.from({ length: 5 }, (_, n) => row(`large_${n}`, 3_000_000)),
    row('huge', 9_000_000),
  ];
  const saves = rows.map((one) => queue.save(one));
  for (let n = 0; n < 6; n++) await end(written);
  await Promise.all(saves);
  expect(batches.map((batch) => batch.length)).toEqual([1, 128, 73, 2, 1, 1]);
  expect(batches.flat()).toEqual(rows.map(({ id }) => id));
});

test('drain waits for what has come, also for what comes meanwhile', async () => {
  const { queue, end } = heldQueue();
  let isDrained = false;
  const save = queue.save(row('a'));
  const drained = queue.drain().then(() => (isDrained = true));
  const late = queue.save(row('b'));
  await end(written);
  expect(isDrained).toBe(false);
  await end(written);
  await Promise.all([save, late, drained]);
  await queue.drain();
});

test('a transaction that cannot even be begun fails its saves, and the next one is tried', async () => {
  let isDown = true;
  const queue = createSaveQueue((rows) => (isDown ? Promise.reject(new Error('gone')) : Promise.resolve(rows.map(() => null))));
  await expect(queue.save(row('a'))).rejects.toThrow('gone');
  isDown = false;
  await queue.save(row('b'));
});
