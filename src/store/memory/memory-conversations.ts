import type { ConversationRow } from '../session-row.ts';
import type { StoredRow } from '../stored-row.ts';

/** Named conversations. All ids are keys (`encodeKey`). */
export interface MemoryConversations {
  /** Whether the response may be saved: its conversation, if it has one, still ends in the response before it. */
  admits(row: StoredRow): boolean;
  /** Moves the head of the row's conversation to the row, or makes the conversation. */
  moveHead(row: StoredRow): void;
  find(id: string, owner: string): ConversationRow | undefined;
  /** The one used last first. */
  list(owner: string): readonly ConversationRow[];
  remove(id: string, owner: string): boolean;
  /** Forgets the conversation that ends in that response. */
  removeHead(responseId: string): void;
  clear(): void;
}

export function createMemoryConversations(): MemoryConversations {
  // In the order of their last moves. No key contains a line feed, so the pairs cannot be confused.
  const conversations = new Map<string, ConversationRow>();
  const pairOfHead = new Map<string, string>();
  const pair = (owner: string, id: string): string => `${owner}\n${id}`;

  function remove(at: string): boolean {
    const found = conversations.get(at);
    if (found === undefined) return false;
    pairOfHead.delete(found.headResponseId);
    return conversations.delete(at);
  }

  return {
    admits({ owner, conversation, previousId }) {
      if (conversation === null) return true;
      return (conversations.get(pair(owner, conversation))?.headResponseId ?? null) === previousId;
    },
    moveHead({ id, owner, conversation, createdAt }) {
      if (conversation === null) return;
      const at = pair(owner, conversation);
      const begunAt = conversations.get(at)?.createdAt ?? createdAt;
      remove(at);
      conversations.set(at, { id: conversation, owner, headResponseId: id, createdAt: begunAt, lastUsedAt: createdAt });
      pairOfHead.set(id, at);
    },
    find: (id, owner) => conversations.get(pair(owner, id)),
    list: (owner) =>
      [...conversations.values()]
        .filter((conversation) => conversation.owner === owner)
        .reverse()
        .sort((a, b) => b.lastUsedAt - a.lastUsedAt),
    remove: (id, owner) => remove(pair(owner, id)),
    removeHead(responseId) {
      const at = pairOfHead.get(responseId);
      if (at !== undefined) remove(at);
    },
    clear() {
      conversations.clear();
      pairOfHead.clear();
    },
  };
}
