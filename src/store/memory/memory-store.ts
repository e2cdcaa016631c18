import type { ResponseStore, StoredItem } from '../../model/response-store.ts';
import { countBytes, decodeStored, encodeKey, encodeStored, fillState, findItems, parseStateKeys } from '../stored-row.ts';
import { createMemoryTables, type MemoryEntry } from './memory-tables.ts';
import { pruneTables } from './prune-tables.ts';

/** The store `memory:`: as text in this process, gone with it. Bounded by `pruneResponses` alone. */
export function createMemoryStore(): ResponseStore {
  const tables = createMemoryTables();

  return {
    async saveResponse(stored) {
      const row = encodeStored(stored);
      if (tables.isTaken(row.id)) throw new Error('a response with this id is stored already');
      tables.add(row, countBytes(row));
    },

    async loadResponse(id, owner) {
      const entry = tables.find(encodeKey(id), encodeKey(owner));
      return entry && decodeStored(entry.row);
    },

    async loadChain(id, owner) {
      const chain = new Set<MemoryEntry>();
      let entry = tables.find(encodeKey(id), encodeKey(owner));
      while (entry !== undefined && !chain.has(entry)) {
        chain.add(entry);
        entry = tables.findParent(entry);
      }
      return Array.from(chain, ({ row }) => decodeStored(row)).reverse();
    },

    async removeResponse(id, owner) {
      const entry = tables.find(encodeKey(id), encodeKey(owner));
      if (entry !== undefined) tables.remove(entry);
      return entry !== undefined;
    },

    async loadItems(ids, owner) {
      const holdersOf = new Map(
        Array.from(new Set(ids), (id) => [encodeKey(id), tables.holders(encodeKey(id), encodeKey(owner))]),
      );
      return findNewestItems(holdersOf);
    },

    async ensureWritable() {
      // Memory has no bad days of its own.
    },

    async pruneResponses(policy) {
      return pruneTables(tables, policy);
    },

    async close() {
      tables.clear();
    },
  };
}

/**
 * Each item from the newest response that has it, its sealed state from the newest one that has that: clients echo items without it. A body may be large and
 * hold many of the items, so each is parsed once.
 */
function findNewestItems(holdersOf: ReadonlyMap<string, readonly MemoryEntry[]>): ReadonlyMap<string, StoredItem> {
  const keysOf = new Map<MemoryEntry, Set<string>>();
  for (const [key, holders] of holdersOf) {
    const newest = holders.at(-1);
    if (newest !== undefined) keysOf.set(newest, (keysOf.get(newest) ?? new Set()).add(key));
  }
  const items = new Map<string, StoredItem>();
  for (const [entry, keys] of keysOf) {
    for (const [key, item] of findItems(entry.row.body, keys)) {
      const stated = holdersOf.get(key)?.findLast(({ row }) => parseStateKeys(row.states).has(key));
      items.set(item.id, fillState(item, stated && parseStateKeys(stated.row.states).get(key)));
    }
  }
  return items;
}
