import { expect, test } from 'vitest';
import { failedStoreCases, storeSuite } from '../../../test/store-suite.ts';
import type { ResponseStore, StoredResponse } from '../../model/response-store.ts';
import { createMemoryStore } from './memory-store.ts';

storeSuite('memory', () => Promise.resolve(createMemoryStore()));

test('the suite finds no fault with a sound store', async () => {
  expect(await failedStoreCases(() => Promise.resolve(createMemoryStore()))).toEqual([]);
});

interface Defect {
  readonly name: string;
  readonly change: (sound: ResponseStore) => Partial<ResponseStore>;
  /** A part of the name of the case that must fail. */
  readonly caughtBy: string;
}

/** A `saveResponse` that also remembers what it saved. */
function recordSaves(sound: ResponseStore): { saved: Map<string, StoredResponse>; saveResponse: ResponseStore['saveResponse'] } {
  const saved = new Map<string, StoredResponse>();
  return {
    saved,
    saveResponse: async (stored) => {
      await sound.saveResponse(stored);
      saved.set(stored.id, stored);
    },
  };
}

const defects: readonly Defect[] = [
  {
    name: 'loads whatever id it is given',
    caughtBy: 'for everybody but its owner',
    change(sound) {
      const { saved, saveResponse } = recordSaves(sound);
      return { saveResponse, loadResponse: (id) => sound.loadResponse(id, saved.get(id)?.owner ?? '') };
    },
  },
  {
    name: 'removes whatever id it is given',
    caughtBy: 'for everybody but its owner',
    change(sound) {
      const { saved, saveResponse } = recordSaves(sound);
      return { saveResponse, removeResponse: (id) => sound.removeResponse(id, saved.get(id)?.owner ?? '') };
    },
  },
  {
    name: 'loses states',
    caughtBy: 'sealed state is filled in',
    change: (sound) => ({ saveResponse: (stored) => sound.saveResponse({ ...stored, states: {} }) }),
  },
  {
    name: 'lets an echo hide the state',
    caughtBy: 'an id in several responses',
    change(sound) {
      const { saved, saveResponse } = recordSaves(sound);
      const isEchoed = (id: string): boolean => [...saved.values()].some(({ input }) => input.some((item) => item.id === id));
      return {
        saveResponse,
        loadItems: async (ids, owner) =>
          new Map(
            Array.from(await sound.loadItems(ids, owner), ([id, item]) => [
              id,
              isEchoed(id) ? { ...item, encrypted_content: null } : item,
            ]),
          ),
      };
    },
  },
  {
    name: 'keeps the object instead of a copy',
    caughtBy: 'as it was when it was saved',
    change(sound) {
      const { saved, saveResponse } = recordSaves(sound);
      return { saveResponse, loadResponse: async (id, owner) => (await sound.loadResponse(id, owner)) && saved.get(id) };
    },
  },
  {
    name: 'prunes ancestors of what stays',
    caughtBy: 'an ancestor of a response that stays, stays',
    change(sound) {
      const { saved, saveResponse } = recordSaves(sound);
      return {
        saveResponse,
        pruneResponses: async ({ olderThan }) => {
          const old = [...saved.values()].filter(({ createdAt }) => createdAt < (olderThan ?? 0));
          for (const { id, owner } of old) await sound.removeResponse(id, owner);
          return old.length;
        },
      };
    },
  },
  { name: 'prunes nothing', caughtBy: 'by size', change: () => ({ pruneResponses: () => Promise.resolve(0) }) },
  {
    name: 'shows chains youngest first',
    caughtBy: 'oldest first',
    change: (sound) => ({ loadChain: async (id, owner) => (await sound.loadChain(id, owner)).toReversed() }),
  },
  {
    name: 'gives up in deep chains',
    caughtBy: 'a chain of 300',
    change: (sound) => ({ loadChain: async (id, owner) => (await sound.loadChain(id, owner)).slice(-100) }),
  },
];

test.each(defects)('the suite catches a store that $name', async ({ change, caughtBy }) => {
  const failed = await failedStoreCases(async () => {
    const sound = createMemoryStore();
    return { ...sound, ...change(sound) };
  });
  expect(failed.join('\n')).toContain(caughtBy);
});
