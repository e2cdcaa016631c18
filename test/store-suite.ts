import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from 'vitest';
import type { ResponseStore } from '../src/model/response-store.ts';
import { counterId } from './counter-id.ts';
import { responseCases, type StoreCase, type StoreCaseContext } from './store-cases.ts';
import { itemCases } from './store-item-cases.ts';
import { pruneCases } from './store-prune-cases.ts';

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

  describe(`${name}: responses, chains and items`, () => {
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.close());
    runCases([...responseCases, ...itemCases]);
  });

  describe(`${name}: retention`, () => {
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    runCases(pruneCases);
  });
}

/** Names of the suite's cases that such a store fails: to show that the suite sees a defect. */
export async function failedStoreCases(open: () => Promise<ResponseStore>): Promise<readonly string[]> {
  const newId = counterId();
  const failed: string[] = [];
  for (const { name, run } of [...responseCases, ...itemCases, ...pruneCases]) {
    const store = await open();
    await run(caseContext(store, newId)).catch(() => failed.push(name));
    await store.close();
  }
  return failed;
}

function caseContext(store: ResponseStore, newId: (prefix: string) => string): StoreCaseContext {
  return { store, newId, owner: newId('owner'), stranger: newId('stranger') };
}
