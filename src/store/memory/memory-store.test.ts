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

const conversationDefects: readonly Defect[] = [
  {
    name: 'lets a conversation go on from anywhere',
    caughtBy: 'does not follow the head',
    change: (sound) => ({
      saveResponse: async (stored) => {
        const head = stored.conversation === null ? undefined : await sound.loadConversation(stored.conversation, stored.owner);
        const previousResponseId = head?.headResponseId ?? stored.previousResponseId;
        await sound.saveResponse({ ...stored, previousResponseId });
      },
    }),
  },
  {
    name: 'moves heads to failed responses',
    caughtBy: 'a failed response moves no head',
    change: (sound) => ({
      saveResponse: (stored) => sound.saveResponse({ ...stored, response: { ...stored.response, status: 'completed' } }),
    }),
  },
  {
    name: 'shares conversations between owners',
    caughtBy: 'as many as their owners',
    change(sound) {
      const owners = new Map<string, string>();
      return {
        saveResponse: async (stored) => {
          await sound.saveResponse(stored);
          if (stored.conversation !== null) owners.set(stored.conversation, stored.owner);
        },
        loadConversation: (id, owner) => sound.loadConversation(id, owners.get(id) ?? owner),
      };
    },
  },
  {
    name: 'shows sessions to everybody',
    caughtBy: "nobody sees another owner's session",
    change(sound) {
      const owners = new Map<string, string>();
      return {
        saveSession: (session) => {
          owners.set(session.headResponseId, session.owner);
          return sound.saveSession(session);
        },
        loadSession: (key) => sound.loadSession({ ...key, owner: owners.get(key.headResponseId) ?? key.owner }),
      };
    },
  },
  {
    name: 'keeps sessions where they were',
    caughtBy: 'in its own place',
    change(sound) {
      const known = new Set<string>();
      return {
        saveSession: async (session) => {
          if (!known.has(session.upstreamId)) await sound.saveSession(session);
          known.add(session.upstreamId);
        },
      };
    },
  },
  {
    name: 'never forgets a session',
    caughtBy: 'sessions go with the response',
    change(sound) {
      const saved = new Map<string, Parameters<ResponseStore['saveSession']>[0]>();
      return {
        saveSession: async (session) => {
          saved.set(session.upstreamId, session);
          await sound.saveSession(session);
        },
        listSessions: (owner) => Promise.resolve([...saved.values()].filter((session) => session.owner === owner)),
      };
    },
  },
];

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

test.each([...defects, ...conversationDefects])('the suite catches a store that $name', async ({ change, caughtBy }) => {
  const failed = await failedStoreCases(async () => {
    const sound = createMemoryStore();
    return { ...sound, ...change(sound) };
  });
  expect(failed.join('\n')).toContain(caughtBy);
});
