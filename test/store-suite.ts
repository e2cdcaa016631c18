import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest';
import type { ResponseStore } from '../src/model/response-store.ts';
import { counterId } from './counter-id.ts';
import { responseCases, type StoreCase, type StoreCaseContext } from './store-cases.ts';
import { conversationCases } from './store-conversation-cases.ts';
import { itemCases } from './store-item-cases.ts';
import { pruneCases } from './store-prune-cases.ts';
import { sessionCases, sessionPruneCases } from './store-session-cases.ts';

/** Cases that may share one store, and those that need an empty one. */
const sharingCases = [...responseCases, ...itemCases, ...conversationCases, ...sessionCases];
const aloneCases = [...pruneCases, ...sessionPruneCases];

/**
 * The contract of `ResponseStore`: every store passes it. `open` makes an empty store; the suite closes it.
 * `storeSuite('memory', () => Promise.resolve(createMemoryStore()))`
 */
export function storeSuite(name: string, open: () => Promise<ResponseStore>): void {
  const newId = counterId();
  let store: ResponseStore;
  const runCases = (cases: readonly StoreCase[]): void => {
    for (const { name: promise, run } of cases) test(promise, () => run(caseContext(store, newId)));
  };

  describe(`${name}: responses, chains, items, conversations and sessions`, () => {
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());
    runCases(sharingCases);
  });

  describe(`${name}: retention`, () => {
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    runCases(aloneCases);
  });
}

/** Names of the suite's cases that such a store fails: to show that the suite sees a defect. */
export async function failedStoreCases(open: () => Promise<ResponseStore>): Promise<readonly string[]> {
  const newId = counterId();
  const failed: string[] = [];
  for (const { name, run } of [...sharingCases, ...aloneCases]) {
    const store = await open();
    await run(caseContext(store, newId)).catch(() => failed.push(name));
    await store.close();
  }
  return failed;
}

function caseContext(store: ResponseStore, newId: (prefix: string) => string): StoreCaseContext {
  return { store, newId, owner: newId('owner'), stranger: newId('stranger') };
}
