import { conversationLocked } from '../../model/conversation-locked.ts';
import type { ResponseStore, StoredItem } from '../../model/response-store.ts';
import type { ConversationStore, SessionStore } from '../../model/session-store.ts';
import { decodeConversation, decodeSession, encodeSession, encodeSessionKey } from '../session-row.ts';
import { countBytes, decodeStored, encodeKey, encodeStored, fillState, findItems, parseStateKeys } from '../stored-row.ts';
import { createMemoryConversations, type MemoryConversations } from './memory-conversations.ts';
import { createMemorySessions, type MemorySessions } from './memory-sessions.ts';
import { createMemoryTables, type MemoryEntry } from './memory-tables.ts';
import { pruneTables } from './prune-tables.ts';

/** The store `memory:`: as text in this process, gone with it. Bounded by `pruneResponses` alone. */
export function createMemoryStore(): ResponseStore {
  const conversations = createMemoryConversations();
  const sessions = createMemorySessions();
  const tables = createMemoryTables(({ row }) => {
    conversations.removeHead(row.id);
    sessions.removeHead(row.id, row.owner);
  });

  return {
    async saveResponse(stored) {
      const row = encodeStored(stored);
      if (tables.isTaken(row.id)) throw new Error('a response with this id is stored already');
      if (!conversations.admits(row)) throw conversationLocked();
      tables.add(row, countBytes(row));
      conversations.moveHead(row);
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

    ...toConversationStore(conversations),
    ...toSessionStore(sessions),

    async ensureWritable() {
      // Memory has no bad days of its own.
    },

    async pruneResponses(policy) {
      const removed = pruneTables(tables, policy);
      const { olderThan } = policy;
      if (olderThan !== null) sessions.removeOrphans(olderThan, (id, owner) => tables.find(id, owner) !== undefined);
      return removed;
    },

    async close() {
      tables.clear();
      conversations.clear();
      sessions.clear();
    },
  };
}

function toConversationStore(conversations: MemoryConversations): ConversationStore {
  return {
    async loadConversation(id, owner) {
      const found = conversations.find(encodeKey(id), encodeKey(owner));
      return found && decodeConversation(found);
    },

    async listConversations(owner) {
      return conversations.list(encodeKey(owner)).map(decodeConversation);
    },

    async removeConversation(id, owner) {
      return conversations.remove(encodeKey(id), encodeKey(owner));
    },
  };
}

function toSessionStore(sessions: MemorySessions): SessionStore {
  return {
    async saveSession(session) {
      sessions.save(encodeSession(session));
    },

    async loadSession({ backend, headResponseId, owner }) {
      const key = { backend: encodeKey(backend), headId: encodeKey(headResponseId), owner: encodeKey(owner) };
      const found = sessions.find(key);
      return found && decodeSession(found);
    },

    async removeSession(key) {
      sessions.remove(encodeSessionKey(key));
    },

    async listSessions(owner) {
      return sessions.list(encodeKey(owner)).map(decodeSession);
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
