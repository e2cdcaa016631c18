import { expect } from 'vitest';
import type { ResponseStore, StoredResponse } from '../src/model/response-store.ts';
import { assistantMessage, sampleStored, userMessage } from './stored-samples.ts';

/** What a case gets: a store, and names that no other case on the same store uses. */
export interface StoreCaseContext {
  readonly store: ResponseStore;
  readonly newId: (prefix: string) => string;
  readonly owner: string;
  readonly stranger: string;
}

export interface StoreCase {
  readonly name: string;
  readonly run: (context: StoreCaseContext) => Promise<void>;
}

const depth = 300;
const fiveMegabytes = 5_000_000;
/** Lone surrogates, NUL, astral characters, separators that JavaScript once refused, a line feed. */
export const hardText = 'a\u0000b \ud800 \udc00 😀 \u2028\u2029 "\\\n\u007f\uffff';

/** Saves a chain of that many responses under a parent; answers their ids, oldest first. */
async function saveChain({ store, newId, owner }: StoreCaseContext, length: number, parent: string | null): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < length; n++) {
    const id = newId('resp');
    await store.saveResponse(
      sampleStored({ id, owner, previousResponseId: ids.at(-1) ?? parent, input: [userMessage(newId('msg'), `turn ${n}`)] }),
    );
    ids.push(id);
  }
  return ids;
}

const idsOf = (chain: readonly StoredResponse[]): string[] => chain.map(({ id }) => id);

const keeping: readonly StoreCase[] = [
  {
    name: 'a response comes back as it was when it was saved',
    async run({ store, newId, owner }) {
      const id = newId('resp');
      const stored = sampleStored({
        id,
        owner,
        previousResponseId: newId('resp'),
        input: [userMessage(newId('msg'), 'hello')],
        output: [
          { id: `${id}_rs`, type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
          assistantMessage(newId('msg'), 'hi'),
        ],
        states: { [`${id}_rs`]: 'sealed' },
      });
      const before = structuredClone(stored);
      const saved = store.saveResponse(stored);
      stored.response.status = 'failed';
      stored.response.output.pop();
      await saved;
      expect(await store.loadResponse(id, owner)).toEqual(before);
      expect(await store.loadResponse(id, owner)).toEqual(before);
    },
  },
  {
    name: 'an id that is taken is refused, also for another owner, and the first response stays',
    async run({ store, newId, owner, stranger }) {
      const first = sampleStored({ id: newId('resp'), owner });
      await store.saveResponse(first);
      await expect(store.saveResponse({ ...first, events: 'other' })).rejects.toThrow(Error);
      await expect(store.saveResponse({ ...first, owner: stranger })).rejects.toThrow(Error);
      expect(await store.loadResponse(first.id, owner)).toEqual(first);
      expect(await store.loadResponse(first.id, stranger)).toBeUndefined();
    },
  },
  {
    name: 'of many saves at once, one with a taken id among them, each ends by itself',
    async run({ store, newId, owner }) {
      const taken = sampleStored({ id: newId('resp'), owner });
      await store.saveResponse(taken);
      const batch = Array.from({ length: 100 }, (_, n) =>
        n === 50 ? taken : sampleStored({ id: newId('resp'), owner, events: `e${n}` }),
      );
      const outcomes = await Promise.allSettled(batch.map((stored) => store.saveResponse(stored)));
      expect(outcomes.map(({ status }, n) => [n, status]).filter(([, status]) => status === 'rejected')).toEqual([
        [50, 'rejected'],
      ]);
      for (const stored of batch) expect(await store.loadResponse(stored.id, owner)).toEqual(stored);
    },
  },
  {
    name: 'any text survives: lone surrogates, NUL, astral characters, in values, keys and ids',
    async run({ store, newId, owner }) {
      const id = newId('resp');
      const item = { id: `${id} ${hardText}`, type: 'message', [hardText]: hardText };
      const twin = { id: `${id} ${hardText.replace('\ud800', '\ud801')}`, type: 'message', text: 'not the same id' };
      const stored = sampleStored({
        id,
        owner: `${owner}${hardText}`,
        input: [item, twin],
        states: { [item.id]: hardText },
        events: hardText,
      });
      await store.saveResponse(stored);
      expect(await store.loadResponse(id, stored.owner)).toEqual(stored);
      expect(await store.loadResponse(id, `${owner}a`)).toBeUndefined();
      const found = await store.loadItems([item.id, twin.id], stored.owner);
      expect(found.get(item.id)).toEqual({ ...item, encrypted_content: hardText });
      expect(found.get(twin.id)).toEqual(twin);
    },
  },
  {
    name: 'keys that mean something to JavaScript are only keys',
    async run({ store, newId, owner }) {
      const id = newId('resp');
      const text = `{"id":"__proto__","type":"message","__proto__":{"polluted":true},"constructor":"c","toString":null}`;
      const item = JSON.parse(text) as { id: string; type: string };
      const states = JSON.parse(`{"__proto__":"sealed","constructor":"also sealed"}`) as StoredResponse['states'];
      const stored = sampleStored({ id, owner, input: [item, { id: 'toString', type: 'message' }], states });
      await store.saveResponse(stored);
      const loaded = await store.loadResponse(id, owner);
      expect(JSON.stringify(loaded?.input[0])).toBe(text);
      expect(Object.entries(loaded?.states ?? {})).toEqual([
        ['__proto__', 'sealed'],
        ['constructor', 'also sealed'],
      ]);
      const found = await store.loadItems(['__proto__', 'constructor', 'toString', 'valueOf'], owner);
      expect([...found.keys()].sort()).toEqual(['__proto__', 'toString']);
      expect(found.get('__proto__')).toHaveProperty('encrypted_content', 'sealed');
      expect(found.get('toString')).toEqual({ id: 'toString', type: 'message' });
      expect({}).not.toHaveProperty('polluted');
    },
  },
  {
    name: 'a response of 5 MB comes back whole',
    async run({ store, newId, owner }) {
      const image = {
        id: newId('msg'),
        type: 'message',
        content: [{ type: 'input_image', image_url: 'A'.repeat(fiveMegabytes) }],
      };
      const stored = sampleStored({ id: newId('resp'), owner, input: [image], events: 'ü'.repeat(1000) });
      await store.saveResponse(stored);
      expect(await store.loadResponse(stored.id, owner)).toEqual(stored);
      expect((await store.loadItems([image.id], owner)).get(image.id)).toEqual(image);
    },
  },
  {
    name: 'a response is removed once; then it is unknown, and its id is free',
    async run({ store, newId, owner }) {
      const item = userMessage(newId('msg'), 'secret');
      const stored = sampleStored({ id: newId('resp'), owner, input: [item] });
      await store.saveResponse(stored);
      expect(await store.removeResponse(stored.id, owner)).toBe(true);
      expect(await store.removeResponse(stored.id, owner)).toBe(false);
      expect(await store.loadResponse(stored.id, owner)).toBeUndefined();
      expect(await store.loadChain(stored.id, owner)).toEqual([]);
      expect(await store.loadItems([item.id], owner)).toEqual(new Map());
      await store.saveResponse(stored);
      expect(await store.loadResponse(stored.id, owner)).toEqual(stored);
    },
  },
  {
    name: 'for everybody but its owner a response is unknown to every method',
    async run(context) {
      const { store, newId, owner, stranger } = context;
      const item = userMessage(newId('msg'), 'mine');
      const mine = sampleStored({ id: newId('resp'), owner, input: [item] });
      await store.saveResponse(mine);
      expect(await store.loadResponse(mine.id, stranger)).toBeUndefined();
      expect(await store.loadChain(mine.id, stranger)).toEqual([]);
      expect(await store.loadItems([item.id], stranger)).toEqual(new Map());
      expect(await store.removeResponse(mine.id, stranger)).toBe(false);
      expect(await store.loadResponse(mine.id, owner)).toEqual(mine);

      // A stranger who names it as previous does not see it through the chain, and items of one name do not mix.
      const theirs = sampleStored({
        id: newId('resp'),
        owner: stranger,
        previousResponseId: mine.id,
        input: [userMessage(item.id, 'theirs')],
      });
      await store.saveResponse(theirs);
      expect(idsOf(await store.loadChain(theirs.id, stranger))).toEqual([theirs.id]);
      expect((await store.loadItems([item.id], owner)).get(item.id)).toEqual(item);
      expect((await store.loadItems([item.id], stranger)).get(item.id)).toEqual(theirs.input[0]);
    },
  },
  {
    name: 'a store that works is writable',
    async run({ store }) {
      await store.ensureWritable();
    },
  },
];

const chains: readonly StoreCase[] = [
  {
    name: `a chain of ${depth} comes oldest first, and whole`,
    async run(context) {
      const ids = await saveChain(context, depth, null);
      const chain = await context.store.loadChain(ids[depth - 1] ?? '', context.owner);
      expect(idsOf(chain)).toEqual(ids);
      expect(chain[7]).toEqual(await context.store.loadResponse(ids[7] ?? '', context.owner));
      expect(idsOf(await context.store.loadChain(ids[10] ?? '', context.owner))).toEqual(ids.slice(0, 11));
    },
  },
  {
    name: 'each of 32 branches, saved at once, sees exactly its parents',
    async run(context) {
      const { store, newId, owner } = context;
      const trunk = await saveChain(context, 3, null);
      const branches = Array.from({ length: 32 }, () => newId('resp'));
      const twigs = branches.map((id) => [id, newId('resp')] as const);
      await Promise.all(
        branches.map((id) => store.saveResponse(sampleStored({ id, owner, previousResponseId: trunk[2] ?? null }))),
      );
      await Promise.all(twigs.map(([branch, id]) => store.saveResponse(sampleStored({ id, owner, previousResponseId: branch }))));
      for (const [branch, twig] of twigs) {
        expect(idsOf(await store.loadChain(branch, owner))).toEqual([...trunk, branch]);
        expect(idsOf(await store.loadChain(twig, owner))).toEqual([...trunk, branch, twig]);
      }
    },
  },
  {
    name: 'a chain whose ancestor is gone begins after the gap; an unknown response has no chain',
    async run(context) {
      const { store, newId, owner } = context;
      const ids = await saveChain(context, 5, newId('resp'));
      expect(idsOf(await store.loadChain(ids[4] ?? '', owner))).toEqual(ids);
      await store.removeResponse(ids[1] ?? '', owner);
      expect(idsOf(await store.loadChain(ids[4] ?? '', owner))).toEqual(ids.slice(2));
      expect(await store.loadChain(newId('resp'), owner)).toEqual([]);
    },
  },
  {
    name: 'a chain that bites its tail ends',
    async run({ store, newId, owner }) {
      const [a, b] = [newId('resp'), newId('resp')];
      await store.saveResponse(sampleStored({ id: a, owner, previousResponseId: b }));
      await store.saveResponse(sampleStored({ id: b, owner, previousResponseId: a }));
      expect(idsOf(await store.loadChain(a, owner))).toEqual([b, a]);
    },
  },
];

/** Cases about single responses and chains: they may share one store. */
export const responseCases: readonly StoreCase[] = [...keeping, ...chains];
