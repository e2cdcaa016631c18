import type { StoredRow } from '../stored-row.ts';

/** One stored response. */
export interface MemoryEntry {
  readonly row: StoredRow;
  /** Order of saving. */
  readonly seq: number;
  readonly bytes: number;
}

/** Stored responses with the look-ups that SQL has indexes for. All ids are keys (`encodeKey`). */
export interface MemoryTables {
  isTaken(id: string): boolean;
  add(row: StoredRow, bytes: number): void;
  remove(entry: MemoryEntry): void;
  find(id: string, owner: string): MemoryEntry | undefined;
  findParent(entry: MemoryEntry): MemoryEntry | undefined;
  hasChildren(entry: MemoryEntry): boolean;
  /** The responses with this item, oldest first. */
  holders(itemKey: string, owner: string): readonly MemoryEntry[];
  entries(): readonly MemoryEntry[];
  clear(): void;
}

/** `onRemoved` hears of each response that goes. */
export function createMemoryTables(onRemoved: (entry: MemoryEntry) => void): MemoryTables {
  const responses = new Map<string, MemoryEntry>();
  // No key contains a line feed, so these pairs cannot be confused.
  const children = new Map<string, number>();
  const items = new Map<string, MemoryEntry[]>();
  const pair = (owner: string, key: string): string => `${owner}\n${key}`;
  let lastSeq = 0;

  /** The pair of the parent, unless a response names itself. */
  const parentOf = ({ owner, id, previousId }: StoredRow): string | null =>
    previousId === null || previousId === id ? null : pair(owner, previousId);

  function countChild(row: StoredRow, change: 1 | -1): void {
    const parent = parentOf(row);
    if (parent === null) return;
    const count = (children.get(parent) ?? 0) + change;
    if (count === 0) children.delete(parent);
    else children.set(parent, count);
  }

  const itemPairs = ({ itemKeys, owner }: StoredRow): readonly string[] =>
    itemKeys === '' ? [] : itemKeys.split('\n').map((key) => pair(owner, key));

  function find(id: string, owner: string): MemoryEntry | undefined {
    const entry = responses.get(id);
    return entry?.row.owner === owner ? entry : undefined;
  }

  return {
    isTaken: (id) => responses.has(id),
    add(row, bytes) {
      const entry = { row, bytes, seq: ++lastSeq };
      responses.set(row.id, entry);
      countChild(row, 1);
      for (const item of itemPairs(row)) {
        const holders = items.get(item);
        if (holders === undefined) items.set(item, [entry]);
        else holders.push(entry);
      }
    },
    remove(entry) {
      responses.delete(entry.row.id);
      countChild(entry.row, -1);
      for (const item of itemPairs(entry.row)) {
        const rest = (items.get(item) ?? []).filter((holder) => holder !== entry);
        if (rest.length === 0) items.delete(item);
        else items.set(item, rest);
      }
      onRemoved(entry);
    },
    find,
    findParent: ({ row }) => (row.previousId === null ? undefined : find(row.previousId, row.owner)),
    hasChildren: ({ row }) => children.has(pair(row.owner, row.id)),
    holders: (itemKey, owner) => items.get(pair(owner, itemKey)) ?? [],
    entries: () => [...responses.values()],
    clear() {
      responses.clear();
      children.clear();
      items.clear();
    },
  };
}
