import { expect } from 'vitest';
import type { StoredItem } from '../src/model/response-store.ts';
import type { StoreCase } from './store-cases.ts';
import { assistantMessage, sampleStored, userMessage } from './stored-samples.ts';

const reasoning = (id: string): { id: string; type: 'reasoning'; summary: [] } => ({ id, type: 'reasoning', summary: [] });

/** Cases about items that are looked up by id: they may share one store. */
export const itemCases: readonly StoreCase[] = [
  {
    name: 'input and output items are found by id, unknown ones are missing',
    async run({ store, newId, owner }) {
      const [asked, answered] = [userMessage(newId('msg'), 'question'), assistantMessage(newId('msg'), 'answer')];
      await store.saveResponse(sampleStored({ id: newId('resp'), owner, input: [asked], output: [answered] }));
      const found = await store.loadItems([answered.id, newId('msg'), asked.id, asked.id], owner);
      expect(found).toEqual(
        new Map<string, unknown>([
          [asked.id, asked],
          [answered.id, answered],
        ]),
      );
      expect(await store.loadItems([], owner)).toEqual(new Map());
    },
  },
  {
    name: 'sealed state is filled in; a response is still shown without it',
    async run({ store, newId, owner }) {
      const thought = reasoning(newId('rs'));
      const stored = sampleStored({ id: newId('resp'), owner, output: [thought], states: { [thought.id]: 'sealed' } });
      await store.saveResponse(stored);
      expect((await store.loadItems([thought.id], owner)).get(thought.id)).toEqual({ ...thought, encrypted_content: 'sealed' });
      expect((await store.loadResponse(stored.id, owner))?.response.output[0]).toEqual(thought);
    },
  },
  {
    name: 'what an item carries itself is kept; null and empty count as missing',
    async run({ store, newId, owner }) {
      const items = ['own', null, ''].map((own): StoredItem => ({ ...reasoning(newId('rs')), encrypted_content: own }));
      const states = Object.fromEntries(items.map(({ id }) => [id, 'sealed']));
      await store.saveResponse(sampleStored({ id: newId('resp'), owner, input: items, states }));
      const found = await store.loadItems(Object.keys(states), owner);
      expect(items.map(({ id }) => found.get(id)?.['encrypted_content'])).toEqual(['own', 'sealed', 'sealed']);
    },
  },
  {
    name: 'an id in several responses means the newest; state comes from the newest response that has one',
    async run({ store, newId, owner }) {
      const thought = reasoning(newId('rs'));
      const first = sampleStored({ id: newId('resp'), owner, output: [thought], states: { [thought.id]: 'sealed' } });
      await store.saveResponse(first);
      // Clients send the whole history back, with our ids and without the state.
      const echo = { ...thought, status: 'completed', summary: [{ type: 'summary_text', text: 'echo' }] };
      const second = sampleStored({ id: newId('resp'), owner, previousResponseId: first.id, input: [echo] });
      await store.saveResponse(second);
      expect((await store.loadItems([thought.id], owner)).get(thought.id)).toEqual({ ...echo, encrypted_content: 'sealed' });

      await store.removeResponse(second.id, owner);
      expect((await store.loadItems([thought.id], owner)).get(thought.id)).toEqual({ ...thought, encrypted_content: 'sealed' });
      await store.saveResponse(second);
      await store.removeResponse(first.id, owner);
      expect((await store.loadItems([thought.id], owner)).get(thought.id)).toEqual(echo);
      await store.removeResponse(second.id, owner);
      expect(await store.loadItems([thought.id], owner)).toEqual(new Map());
    },
  },
  {
    name: 'an id that stands twice in one response means the later item, output after input',
    async run({ store, newId, owner }) {
      const [twice, both] = [newId('msg'), newId('msg')];
      const stored = sampleStored({
        id: newId('resp'),
        owner,
        input: [userMessage(twice, 'one'), userMessage(both, 'in'), userMessage(twice, 'two')],
        output: [assistantMessage(both, 'out')],
      });
      await store.saveResponse(stored);
      const found = await store.loadItems([twice, both], owner);
      expect(found.get(twice)).toEqual(userMessage(twice, 'two'));
      expect(found.get(both)).toEqual(assistantMessage(both, 'out'));
    },
  },
  {
    name: 'a history of 1,000 items is stored and found again in one call',
    async run({ store, newId, owner }) {
      const items = Array.from({ length: 1000 }, (_, n) => userMessage(newId('msg'), `item ${n}`));
      await store.saveResponse(sampleStored({ id: newId('resp'), owner, input: items }));
      await store.saveResponse(sampleStored({ id: newId('resp'), owner, input: items.slice(0, 700) }));
      const found = await store.loadItems([...items.map(({ id }) => id), newId('msg')], owner);
      expect(items.map(({ id }) => found.get(id))).toEqual(items);
    },
  },
];
