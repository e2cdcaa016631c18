import { expect } from 'vitest';
import type { UpstreamSession } from '../src/model/session-store.ts';
import { hardText, type StoreCase, type StoreCaseContext } from './store-cases.ts';
import { sampleStored } from './stored-samples.ts';

/** A session with names of its own; `change` says what matters. */
function sampleSession({ newId, owner }: StoreCaseContext, change: Partial<UpstreamSession> = {}): UpstreamSession {
  return {
    backend: 'cascade',
    upstreamId: newId('cascade'),
    owner,
    headResponseId: newId('resp'),
    conversation: null,
    createdAt: 100,
    lastUsedAt: 200,
    ...change,
  };
}

/** Cases about upstream sessions: they may share one store. */
export const sessionCases: readonly StoreCase[] = [
  {
    name: 'a session is found by the response it stands after, before that response is stored too',
    async run(context) {
      const { store, newId, owner } = context;
      const session = sampleSession(context, { conversation: newId('conversation') });
      const { backend, headResponseId } = session;
      expect(await store.loadSession({ backend, headResponseId, owner })).toBeUndefined();
      await store.saveSession(session);
      await store.saveResponse(sampleStored({ id: headResponseId, owner }));
      expect(await store.loadSession({ backend, headResponseId, owner })).toEqual(session);
      expect(await store.listSessions(owner)).toEqual([session]);
      expect(await store.loadSession({ backend, headResponseId: newId('resp'), owner })).toBeUndefined();
      expect(await store.loadSession({ backend: newId('backend'), headResponseId, owner })).toBeUndefined();
    },
  },
  {
    name: 'a session that goes on is saved in its own place',
    async run(context) {
      const { store, newId, owner } = context;
      const session = sampleSession(context);
      await store.saveSession(session);
      const later = { ...session, headResponseId: newId('resp'), lastUsedAt: 300 };
      await store.saveSession(later);
      const { backend } = session;
      expect(await store.loadSession({ backend, headResponseId: session.headResponseId, owner })).toBeUndefined();
      expect(await store.loadSession({ backend, headResponseId: later.headResponseId, owner })).toEqual(later);
      expect(await store.listSessions(owner)).toEqual([later]);
      // The same id at another backend is another session.
      const other = { ...later, backend: newId('backend') };
      await store.saveSession(other);
      expect(await store.loadSession({ backend, headResponseId: later.headResponseId, owner })).toEqual(later);
    },
  },
  {
    name: 'of several sessions after one response, the one used last counts; in one second, the one saved last',
    async run(context) {
      const { store, owner } = context;
      const first = sampleSession(context, { lastUsedAt: 300 });
      const { backend, headResponseId } = first;
      const second = sampleSession(context, { headResponseId, lastUsedAt: 200 });
      const third = sampleSession(context, { headResponseId, lastUsedAt: 300 });
      const load = (): Promise<UpstreamSession | undefined> => store.loadSession({ backend, headResponseId, owner });
      await store.saveSession(first);
      await store.saveSession(second);
      expect(await load()).toEqual(first);
      await store.saveSession(third);
      expect(await load()).toEqual(third);
      expect(await store.listSessions(owner)).toEqual([third, first, second]);
      await store.saveSession(first);
      expect(await load()).toEqual(first);
    },
  },
  {
    name: "nobody sees another owner's session",
    async run(context) {
      const { store, owner, stranger } = context;
      const mine = sampleSession(context);
      const { backend, headResponseId } = mine;
      await store.saveSession(mine);
      expect(await store.loadSession({ backend, headResponseId, owner: stranger })).toBeUndefined();
      expect(await store.listSessions(stranger)).toEqual([]);
      const theirs = sampleSession({ ...context, owner: stranger }, { headResponseId });
      await store.saveSession(theirs);
      expect(await store.loadSession({ backend, headResponseId, owner })).toEqual(mine);
      expect(await store.loadSession({ backend, headResponseId, owner: stranger })).toEqual(theirs);
    },
  },
  {
    name: 'a session is removed by its two names; removing nothing is no error',
    async run(context) {
      const { store, owner } = context;
      const session = sampleSession(context);
      const { backend, upstreamId, headResponseId } = session;
      await store.saveSession(session);
      await store.removeSession({ backend: 'other', upstreamId });
      expect(await store.loadSession({ backend, headResponseId, owner })).toEqual(session);
      await store.removeSession({ backend, upstreamId });
      await store.removeSession({ backend, upstreamId });
      expect(await store.loadSession({ backend, headResponseId, owner })).toBeUndefined();
      expect(await store.listSessions(owner)).toEqual([]);
    },
  },
  {
    name: 'sessions go with the response they stand after, and with no other',
    async run(context) {
      const { store, newId, owner } = context;
      const id = newId('resp');
      await store.saveResponse(sampleStored({ id, owner }));
      const gone = [sampleSession(context, { headResponseId: id }), sampleSession(context, { headResponseId: id })];
      const kept = sampleSession(context);
      for (const session of [...gone, kept]) await store.saveSession(session);
      await store.removeResponse(kept.headResponseId, owner);
      expect(await store.listSessions(owner)).toHaveLength(3);
      await store.removeResponse(id, owner);
      expect(await store.listSessions(owner)).toEqual([kept]);
    },
  },
  {
    name: 'any text survives in a session',
    async run(context) {
      const { store, newId } = context;
      const owner = `${context.owner}${hardText}`;
      const session = sampleSession(context, {
        owner,
        backend: `b${hardText}`,
        upstreamId: `${newId('cascade')}${hardText}`,
        headResponseId: '__proto__',
        conversation: hardText,
      });
      await store.saveSession(session);
      expect(await store.loadSession(session)).toEqual(session);
      expect(await store.listSessions(owner)).toEqual([session]);
      await store.removeSession(session);
      expect(await store.listSessions(owner)).toEqual([]);
    },
  },
];

/** Saves a chain of responses in a conversation, one for each time, with a session after the last; answers their ids. */
async function plantConversation(
  context: StoreCaseContext,
  conversation: string,
  times: readonly number[],
): Promise<readonly string[]> {
  const { store, newId, owner } = context;
  const ids: string[] = [];
  for (const createdAt of times) {
    const id = newId('resp');
    await store.saveResponse(sampleStored({ id, owner, conversation, previousResponseId: ids.at(-1) ?? null, createdAt }));
    ids.push(id);
  }
  const headResponseId = ids.at(-1) ?? '';
  await store.saveSession(sampleSession(context, { conversation, headResponseId, lastUsedAt: times.at(-1) ?? 0 }));
  return ids;
}

/** Cases about retention of conversations and sessions: each needs an empty store. */
export const sessionPruneCases: readonly StoreCase[] = [
  {
    name: 'by age, a conversation goes as a whole with its sessions, or stays as a whole with them',
    async run(context) {
      const { store, owner } = context;
      await plantConversation(context, 'old', [1, 2, 3]);
      const live = await plantConversation(context, 'live', [1, 2, 200]);
      expect(await store.pruneResponses({ olderThan: 100, maxBytes: null })).toBe(3);
      expect((await store.listConversations(owner)).map(({ id }) => id)).toEqual(['live']);
      expect((await store.listSessions(owner)).map(({ conversation }) => conversation)).toEqual(['live']);
      expect((await store.loadChain(live[2] ?? '', owner)).map(({ id }) => id)).toEqual(live);
    },
  },
  {
    name: 'by size, the conversation that was used longest ago goes first, youngest response first',
    async run(context) {
      const { store, owner } = context;
      await plantConversation(context, 'first', [1, 2]);
      const second = await plantConversation(context, 'second', [3, 4]);
      const first = await store.loadConversation('first', owner);
      const bytes = Buffer.byteLength(JSON.stringify(await store.loadResponse(second[0] ?? '', owner)));
      // Room for three and a half of the four: the head of the conversation that was used longest ago goes, and with it the conversation.
      expect(await store.pruneResponses({ olderThan: null, maxBytes: bytes * 3.5 })).toBe(1);
      expect(await store.loadResponse(first?.headResponseId ?? '', owner)).toBeUndefined();
      expect(await store.loadConversation('first', owner)).toBeUndefined();
      expect((await store.listSessions(owner)).map(({ conversation }) => conversation)).toEqual(['second']);
      expect(await store.loadConversation('second', owner)).toMatchObject({ headResponseId: second[1] });
    },
  },
  {
    name: 'old sessions after a response that was never stored go; young ones stay, and all of them without a limit by age',
    async run(context) {
      const { store, owner } = context;
      const old = sampleSession(context, { lastUsedAt: 99 });
      const young = sampleSession(context, { lastUsedAt: 100 });
      for (const session of [old, young]) await store.saveSession(session);
      await store.pruneResponses({ olderThan: null, maxBytes: 0 });
      expect(await store.listSessions(owner)).toEqual([young, old]);
      expect(await store.pruneResponses({ olderThan: 100, maxBytes: null })).toBe(0);
      expect(await store.listSessions(owner)).toEqual([young]);
    },
  },
];
