import type { SessionKey, SessionRow } from '../session-row.ts';

/** Conversations that live on upstreams. All ids are keys (`encodeKey`). */
export interface MemorySessions {
  save(row: SessionRow): void;
  /** The session of that backend that stands after that response; the one used last, if there are several. */
  find(key: { readonly backend: string; readonly headId: string; readonly owner: string }): SessionRow | undefined;
  remove(key: SessionKey): void;
  /** The one used last first. */
  list(owner: string): readonly SessionRow[];
  /** Forgets the sessions that stand after that response. */
  removeHead(headId: string, owner: string): void;
  /** Forgets those that were last used before that second and stand after no response that is stored. */
  removeOrphans(olderThan: number, isStored: (headId: string, owner: string) => boolean): void;
  clear(): void;
}

export function createMemorySessions(): MemorySessions {
  // In the order of saving. No key contains a line feed, so the pairs cannot be confused.
  const sessions = new Map<string, SessionRow>();
  const byHead = new Map<string, Set<SessionRow>>();
  const nameOf = ({ backend, upstreamId }: SessionKey): string => `${backend}\n${upstreamId}`;
  const headOf = ({ owner, headId }: { readonly owner: string; readonly headId: string }): string => `${owner}\n${headId}`;

  function remove(key: SessionKey): void {
    const row = sessions.get(nameOf(key));
    if (row === undefined) return;
    sessions.delete(nameOf(row));
    const others = byHead.get(headOf(row));
    others?.delete(row);
    if (others?.size === 0) byHead.delete(headOf(row));
  }

  return {
    save(row) {
      remove(row);
      sessions.set(nameOf(row), row);
      const head = byHead.get(headOf(row));
      if (head === undefined) byHead.set(headOf(row), new Set([row]));
      else head.add(row);
    },
    find: (key) => lastUsedFirst([...(byHead.get(headOf(key)) ?? [])]).find(({ backend }) => backend === key.backend),
    remove,
    list: (owner) => lastUsedFirst([...sessions.values()].filter((row) => row.owner === owner)),
    removeHead(headId, owner) {
      for (const row of [...(byHead.get(headOf({ owner, headId })) ?? [])]) remove(row);
    },
    removeOrphans(olderThan, isStored) {
      for (const row of [...sessions.values()]) {
        if (row.lastUsedAt < olderThan && !isStored(row.headId, row.owner)) remove(row);
      }
    },
    clear() {
      sessions.clear();
      byHead.clear();
    },
  };
}

/** Of two that were used in the same second, the one saved later counts as the one used last. */
function lastUsedFirst(rows: readonly SessionRow[]): readonly SessionRow[] {
  return rows.toReversed().sort((a, b) => b.lastUsedAt - a.lastUsedAt);
}
