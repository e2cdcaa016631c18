import { expect } from 'vitest';
import type { ResponseStore } from '../src/model/response-store.ts';
import type { StoreCase, StoreCaseContext } from './store-cases.ts';
import { sampleStored, userMessage } from './stored-samples.ts';

/** Which of the ids are still there. */
async function survivors(store: ResponseStore, owner: string, ids: readonly string[]): Promise<string[]> {
  const loaded = await Promise.all(ids.map((id) => store.loadResponse(id, owner)));
  return ids.filter((_, index) => loaded[index] !== undefined);
}

/** `tree` is written as `[name, parent, createdAt]`; every response is some 10 KB large. Answers the names that survived. */
async function plantTree(
  context: StoreCaseContext,
  tree: readonly (readonly [string, string | null, number])[],
): Promise<() => Promise<string[]>> {
  const { store, newId, owner } = context;
  const ids = new Map(tree.map(([name]) => [name, newId('resp')]));
  for (const [name, parent, createdAt] of tree) {
    const previousResponseId = parent === null ? null : (ids.get(parent) ?? null);
    const input = [userMessage(newId('msg'), 'x'.repeat(9_000))];
    await store.saveResponse(sampleStored({ id: ids.get(name) ?? '', owner, createdAt, previousResponseId, input }));
  }
  return async () => {
    const kept = new Set(await survivors(store, owner, [...ids.values()]));
    return tree.map(([name]) => name).filter((name) => kept.has(ids.get(name) ?? ''));
  };
}

/** Cases about retention, which sees the whole store: each needs an empty one. */
export const pruneCases: readonly StoreCase[] = [
  {
    name: 'without limits nothing goes',
    async run(context) {
      const kept = await plantTree(context, [['a', null, 1]]);
      expect(await context.store.pruneResponses({ olderThan: null, maxBytes: null })).toBe(0);
      expect(await kept()).toEqual(['a']);
    },
  },
  {
    name: 'by age, the older ones go; the limit itself stays; items go too',
    async run(context) {
      const { store, newId, owner } = context;
      const item = userMessage(newId('msg'), 'old');
      await store.saveResponse(sampleStored({ id: newId('resp'), owner, createdAt: 5, input: [item] }));
      const kept = await plantTree(context, [
        ['old', null, 99],
        ['limit', null, 100],
        ['young', null, 101],
      ]);
      expect(await store.pruneResponses({ olderThan: 100, maxBytes: null })).toBe(2);
      expect(await kept()).toEqual(['limit', 'young']);
      expect(await store.loadItems([item.id], owner)).toEqual(new Map());
      expect(await store.pruneResponses({ olderThan: 100, maxBytes: null })).toBe(0);
    },
  },
  {
    name: 'by age, an ancestor of a response that stays, stays; its other descendants go',
    async run(context) {
      const kept = await plantTree(context, [
        ['root', null, 1],
        ['trunk', 'root', 2],
        ['dead', 'trunk', 3],
        ['dead twig', 'dead', 4],
        ['live', 'trunk', 5],
        ['live twig', 'live', 200],
        ['other root', null, 6],
        ['other twig', 'other root', 7],
      ]);
      expect(await context.store.pruneResponses({ olderThan: 100, maxBytes: null })).toBe(4);
      expect(await kept()).toEqual(['root', 'trunk', 'live', 'live twig']);
    },
  },
  {
    name: 'by size, whole threads go, the one that was used longest ago first, youngest response first',
    async run(context) {
      const kept = await plantTree(context, [
        ['a1', null, 1],
        ['b1', null, 2],
        ['b2', 'b1', 3],
        ['a2', 'a1', 4],
        ['c1', null, 5],
      ]);
      const { store } = context;
      // Each is some 10 KB: five are about 50 KB.
      expect(await store.pruneResponses({ olderThan: null, maxBytes: 60_000 })).toBe(0);
      expect(await store.pruneResponses({ olderThan: null, maxBytes: 45_000 })).toBe(1);
      expect(await kept()).toEqual(['a1', 'b1', 'a2', 'c1']);
      expect(await store.pruneResponses({ olderThan: null, maxBytes: 25_000 })).toBe(2);
      expect(await kept()).toEqual(['a1', 'c1']);
      expect(await store.pruneResponses({ olderThan: null, maxBytes: 15_000 })).toBe(1);
      expect(await kept()).toEqual(['c1']);
      expect(await store.pruneResponses({ olderThan: null, maxBytes: 0 })).toBe(1);
    },
  },
  {
    name: 'a stranger who names a response as previous does not keep it alive',
    async run(context) {
      const { store, newId, owner, stranger } = context;
      const mine = sampleStored({ id: newId('resp'), owner, createdAt: 1 });
      const theirs = sampleStored({ id: newId('resp'), owner: stranger, createdAt: 500, previousResponseId: mine.id });
      await store.saveResponse(mine);
      await store.saveResponse(theirs);
      expect(await store.pruneResponses({ olderThan: 100, maxBytes: null })).toBe(1);
      expect(await store.loadResponse(mine.id, owner)).toBeUndefined();
    },
  },
  {
    name: 'a thousand responses go in one call, a deep thread and single ones, while others are saved',
    async run(context) {
      const { store, newId, owner } = context;
      const old: string[] = [];
      for (let n = 0; n < 1000; n++) {
        const id = newId('resp');
        const previousResponseId = n < 500 ? (old.at(-1) ?? null) : null;
        old.push(id);
        await store.saveResponse(sampleStored({ id, owner, createdAt: n, previousResponseId }));
      }
      const young = Array.from({ length: 50 }, () => sampleStored({ id: newId('resp'), owner, createdAt: 2000 }));
      const [removed] = await Promise.all([
        store.pruneResponses({ olderThan: 1000, maxBytes: null }),
        ...young.map((one) => store.saveResponse(one)),
      ]);
      expect(removed).toBe(1000);
      expect(await survivors(store, owner, old)).toEqual([]);
      expect(
        await survivors(
          store,
          owner,
          young.map(({ id }) => id),
        ),
      ).toHaveLength(50);
    },
  },
];
