import { expect } from 'vitest';
import type { StoredConversation } from '../src/model/session-store.ts';
import { hardText, type StoreCase, type StoreCaseContext } from './store-cases.ts';
import { sampleStored, userMessage, type SampleOptions } from './stored-samples.ts';

/** Saves the next response of a conversation and answers its id. */
async function saveTurn(
  { store, newId, owner }: StoreCaseContext,
  conversation: string,
  options: Partial<SampleOptions> = {},
): Promise<string> {
  const id = newId('resp');
  await store.saveResponse(sampleStored({ id, owner, conversation, ...options }));
  return id;
}

const locked = { code: 'conversation_locked', param: 'conversation', status: 400 };

const moving: readonly StoreCase[] = [
  {
    name: 'a conversation begins with its first response, and its head moves with each one',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      expect(await store.loadConversation(name, owner)).toBeUndefined();
      const first = await saveTurn(context, name, { createdAt: 100 });
      const made: StoredConversation = { id: name, owner, headResponseId: first, createdAt: 100, lastUsedAt: 100 };
      expect(await store.loadConversation(name, owner)).toEqual(made);
      const second = await saveTurn(context, name, { previousResponseId: first, createdAt: 200 });
      const third = await saveTurn(context, name, { previousResponseId: second, createdAt: 300, status: 'incomplete' });
      expect(await store.loadConversation(name, owner)).toEqual({ ...made, headResponseId: third, lastUsedAt: 300 });
      expect(await store.loadResponse(third, owner)).toMatchObject({ conversation: name, previousResponseId: second });
      expect((await store.loadChain(third, owner)).map(({ id }) => id)).toEqual([first, second, third]);
    },
  },
  {
    name: 'a response that does not follow the head of its conversation is refused, and nothing of it is written',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      const second = await saveTurn(context, name, { previousResponseId: first });
      const item = userMessage(newId('msg'), 'late');
      for (const previousResponseId of [null, first, newId('resp')]) {
        const late = sampleStored({ id: newId('resp'), owner, conversation: name, previousResponseId, input: [item] });
        await expect(store.saveResponse(late)).rejects.toMatchObject(locked);
        expect(await store.loadResponse(late.id, owner)).toBeUndefined();
        expect(await store.loadItems([item.id], owner)).toEqual(new Map());
      }
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: second });
      await store.ensureWritable();
      await saveTurn(context, name, { previousResponseId: second });
    },
  },
  {
    name: 'a response that goes on in a conversation which was forgotten meanwhile is refused',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      await store.removeConversation(name, owner);
      await expect(saveTurn(context, name, { previousResponseId: first })).rejects.toMatchObject(locked);
      expect(await store.loadConversation(name, owner)).toBeUndefined();
    },
  },
  {
    name: 'a failed response moves no head and begins no conversation, but is stored',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const stillborn = await saveTurn(context, name, { status: 'failed' });
      expect(await store.loadConversation(name, owner)).toBeUndefined();
      const first = await saveTurn(context, name);
      const failed = await saveTurn(context, name, { previousResponseId: first, status: 'failed' });
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: first });
      for (const id of [stillborn, failed]) expect(await store.loadResponse(id, owner)).toMatchObject({ id });
    },
  },
  {
    name: 'of many saves at once, those that come too late for their conversation fail alone',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      const others = Array.from({ length: 20 }, () => newId('conversation'));
      const outcomes = await Promise.allSettled([
        ...others.slice(0, 10).map((other) => saveTurn(context, other)),
        ...Array.from({ length: 10 }, () => saveTurn(context, name, { previousResponseId: first })),
        ...others.slice(10).map((other) => saveTurn(context, other)),
      ]);
      expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(9);
      for (const other of others) expect(await store.loadConversation(other, owner)).toBeDefined();
      const winner = outcomes.slice(10, 20).find((outcome) => outcome.status === 'fulfilled');
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: winner?.value });
    },
  },
  {
    name: 'a branch from an older response leaves the conversation alone',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      const second = await saveTurn(context, name, { previousResponseId: first });
      const branch = sampleStored({ id: newId('resp'), owner, previousResponseId: first });
      await store.saveResponse(branch);
      await store.saveResponse(sampleStored({ id: newId('resp'), owner, previousResponseId: second }));
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: second });
      expect((await store.loadChain(branch.id, owner)).map(({ id }) => id)).toEqual([first, branch.id]);
    },
  },
  {
    name: 'an id that is taken is refused and moves no head',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      await expect(saveTurn(context, name, { id: first, previousResponseId: first })).rejects.toThrow(Error);
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: first });
    },
  },
];

const naming: readonly StoreCase[] = [
  {
    name: 'conversations of one name are as many as their owners',
    async run(context) {
      const { store, newId, owner, stranger } = context;
      const name = newId('conversation');
      const mine = await saveTurn(context, name);
      expect(await store.loadConversation(name, stranger)).toBeUndefined();
      expect(await store.listConversations(stranger)).toEqual([]);
      expect(await store.removeConversation(name, stranger)).toBe(false);
      const theirs = await saveTurn({ ...context, owner: stranger }, name);
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: mine });
      expect(await store.loadConversation(name, stranger)).toMatchObject({ headResponseId: theirs, owner: stranger });
      // A stranger's response as the one before is no head of theirs.
      await expect(saveTurn({ ...context, owner: stranger }, name, { previousResponseId: mine })).rejects.toMatchObject(locked);
      expect(await store.removeConversation(name, stranger)).toBe(true);
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: mine });
    },
  },
  {
    name: 'any text names a conversation',
    async run(context) {
      const { store, newId } = context;
      const owner = `${context.owner} ${hardText}`;
      const names = [
        hardText,
        hardText.replace('\ud800', '\ud801'),
        '__proto__',
        'constructor',
        '../a/b?c#d%2F',
        ' ',
        newId('c'),
      ];
      const heads = new Map<string, string>();
      for (const name of names) heads.set(name, await saveTurn({ ...context, owner }, name));
      for (const [name, headResponseId] of heads)
        expect(await store.loadConversation(name, owner)).toMatchObject({ id: name, owner, headResponseId });
      expect((await store.listConversations(owner)).map(({ id }) => id).sort()).toEqual([...names].sort());
    },
  },
  {
    name: 'conversations are listed with the one used last first',
    async run(context) {
      const { store, newId, owner } = context;
      const [a, b, c] = [newId('c'), newId('c'), newId('c')];
      const first = await saveTurn(context, a, { createdAt: 10 });
      await saveTurn(context, b, { createdAt: 20 });
      await saveTurn(context, c, { createdAt: 20 });
      expect((await store.listConversations(owner)).map(({ id }) => id)).toEqual([c, b, a]);
      await saveTurn(context, a, { createdAt: 30, previousResponseId: first });
      expect((await store.listConversations(owner)).map(({ id }) => id)).toEqual([a, c, b]);
    },
  },
  {
    name: 'a conversation is forgotten once; its responses stay, and its name can begin again',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      expect(await store.removeConversation(name, owner)).toBe(true);
      expect(await store.removeConversation(name, owner)).toBe(false);
      expect(await store.loadResponse(first, owner)).toBeDefined();
      const again = await saveTurn(context, name);
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: again });
    },
  },
  {
    name: 'a conversation goes with its head, and stays when an older response goes',
    async run(context) {
      const { store, newId, owner } = context;
      const name = newId('conversation');
      const first = await saveTurn(context, name);
      const second = await saveTurn(context, name, { previousResponseId: first });
      await store.removeResponse(first, owner);
      expect(await store.loadConversation(name, owner)).toMatchObject({ headResponseId: second });
      await store.removeResponse(second, owner);
      expect(await store.loadConversation(name, owner)).toBeUndefined();
      expect(await store.listConversations(owner)).toEqual([]);
      await saveTurn(context, name);
    },
  },
];

/** Cases about named conversations: they may share one store. */
export const conversationCases: readonly StoreCase[] = [...moving, ...naming];
