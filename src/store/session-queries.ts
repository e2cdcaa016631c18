import type { StoreDatabase, StoreTransaction } from './store-database.ts';
import type { SessionKey, SessionRow } from './session-row.ts';

/** Writes the session in the place of the one with the same key; it becomes the one that was saved last. */
export async function replaceSession(db: StoreTransaction, row: SessionRow): Promise<null> {
  await deleteSession(db, row);
  const { backend, upstreamId, owner, headId, conversation, createdAt, lastUsedAt } = row;
  await db
    .insertInto('sessions')
    .values({
      backend,
      upstream_id: upstreamId,
      owner,
      head_id: headId,
      conversation,
      created_at: createdAt,
      last_used_at: lastUsedAt,
    })
    .execute();
  return null;
}

function selectAll(db: StoreDatabase, owner: string) {
  return db
    .selectFrom('sessions')
    .select([
      'backend',
      'upstream_id as upstreamId',
      'owner',
      'head_id as headId',
      'conversation',
      'created_at as createdAt',
      'last_used_at as lastUsedAt',
    ])
    .where('owner', '=', owner)
    .orderBy('last_used_at', 'desc')
    .orderBy('seq', 'desc');
}

/** The session of that backend that stands after that response; the one used last, if there are several. */
export function selectSession(
  db: StoreDatabase,
  key: { readonly backend: string; readonly headId: string; readonly owner: string },
): Promise<SessionRow | undefined> {
  return selectAll(db, key.owner)
    .where('backend', '=', key.backend)
    .where('head_id', '=', key.headId)
    .limit(1)
    .executeTakeFirst();
}

/** All of that owner, the one used last first. */
export function selectSessions(db: StoreDatabase, owner: string): Promise<readonly SessionRow[]> {
  return selectAll(db, owner).execute();
}

export async function deleteSession(db: StoreTransaction, { backend, upstreamId }: SessionKey): Promise<null> {
  await db.deleteFrom('sessions').where('backend', '=', backend).where('upstream_id', '=', upstreamId).execute();
  return null;
}

/** Removes the sessions that stand after a response that goes. */
export async function deleteSessionsAfter(db: StoreTransaction, headId: string, owner: string): Promise<void> {
  await db.deleteFrom('sessions').where('owner', '=', owner).where('head_id', '=', headId).execute();
}

/** Removes old sessions whose response was never stored (`store: false`, a save that failed): no turn can ever go on in them. */
export async function deleteOrphanSessions(db: StoreTransaction, olderThan: number): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('last_used_at', '<', olderThan)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('responses')
            .select('responses.seq')
            .whereRef('responses.id', '=', 'sessions.head_id')
            .whereRef('responses.owner', '=', 'sessions.owner'),
        ),
      ),
    )
    .execute();
}
