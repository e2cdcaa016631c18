import type { StoreDatabase, StoreTransaction } from './store-database.ts';
import type { ConversationRow } from './session-row.ts';
import type { StoredRow } from './stored-row.ts';

/**
 * Moves the head of the row's conversation to the response that was saved as `seq`; makes the conversation when the response begins one. False when its head is not the response before this
 * one any more: one statement compares and writes, so of two at once only one succeeds.
 */
export async function moveHead(
  db: StoreTransaction,
  row: StoredRow & { readonly conversation: string },
  seq: number,
): Promise<boolean> {
  const { owner, conversation, previousId, createdAt } = row;
  if (previousId === null) {
    const made = await db
      .insertInto('conversations')
      .values({ owner, id: conversation, head_seq: seq, created_at: createdAt, last_used_at: createdAt })
      .onConflict((conflict) => conflict.columns(['owner', 'id']).doNothing())
      .executeTakeFirst();
    return (made.numInsertedOrUpdatedRows ?? 0n) > 0n;
  }
  const moved = await db
    .updateTable('conversations')
    .set({ head_seq: seq, last_used_at: createdAt })
    .where('owner', '=', owner)
    .where('id', '=', conversation)
    .where('head_seq', '=', (eb) =>
      eb.selectFrom('responses').select('seq').where('responses.id', '=', previousId).where('responses.owner', '=', owner),
    )
    .executeTakeFirst();
  return moved.numUpdatedRows > 0n;
}

function selectAll(db: StoreDatabase, owner: string) {
  return db
    .selectFrom('conversations as c')
    .innerJoin('responses as head', 'head.seq', 'c.head_seq')
    .select(['c.id', 'c.owner', 'head.id as headResponseId', 'c.created_at as createdAt', 'c.last_used_at as lastUsedAt'])
    .where('c.owner', '=', owner);
}

export function selectConversation(db: StoreDatabase, id: string, owner: string): Promise<ConversationRow | undefined> {
  return selectAll(db, owner).where('c.id', '=', id).executeTakeFirst();
}

/** All of that owner, the one used last first. */
export function selectConversations(db: StoreDatabase, owner: string): Promise<readonly ConversationRow[]> {
  return selectAll(db, owner).orderBy('c.last_used_at', 'desc').orderBy('c.head_seq', 'desc').execute();
}

/** Forgets the name. Returns whether it was there. */
export async function deleteConversation(db: StoreTransaction, id: string, owner: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('conversations')
    .where('id', '=', id)
    .where('owner', '=', owner)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
