import type { RetentionPolicy } from '../../model/response-store.ts';
import type { MemoryEntry, MemoryTables } from './memory-tables.ts';

/**
 * Removes what the policy lets go, oldest first. A response without children that may go, goes, and then its parent if that has no other child and may go too:
 * no ancestor goes before its descendants. Returns how many went.
 */
export function pruneTables(tables: MemoryTables, policy: RetentionPolicy): number {
  const { olderThan, maxBytes } = policy;
  const entries = tables.entries().toSorted((a, b) => a.row.createdAt - b.row.createdAt || a.seq - b.seq);
  const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  let surplus = maxBytes === null ? 0 : total - maxBytes;
  const gone = new Set<MemoryEntry>();
  const mayGo = (entry: MemoryEntry): boolean => surplus > 0 || (olderThan !== null && entry.row.createdAt < olderThan);

  for (const leaf of entries) {
    let entry: MemoryEntry | undefined = leaf;
    while (entry !== undefined && !gone.has(entry) && !tables.hasChildren(entry) && mayGo(entry)) {
      const parent = tables.findParent(entry);
      tables.remove(entry);
      gone.add(entry);
      surplus -= entry.bytes;
      entry = parent;
    }
  }
  return gone.size;
}
