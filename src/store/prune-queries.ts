import type { RetentionPolicy } from '../model/response-store.ts';
import type { StoreTransaction } from './store-database.ts';
import { deleteSessionsAfter } from './session-queries.ts';

/** Removals of one transaction: other writes and reads get their turn in between. */
const removalsAtOnce = 100;

interface Candidate {
  readonly seq: number;
  readonly id: string;
  readonly owner: string;
  readonly previous_id: string | null;
  readonly created_at: number;
  readonly bytes: number;
}

/** Where the next slice begins, inclusive: everything older has been seen. */
export type PrunePosition = Pick<Candidate, 'created_at' | 'seq'>;

export interface PruneSlice {
  readonly removed: number;
  /** Null when the policy is satisfied. */
  readonly next: PrunePosition | null;
}

/**
 * Removes up to a hundred responses that the policy lets go. A response without children that may go, goes, and then its parent if that has no other child
 * and may go too: so a whole thread goes with its youngest response, and no ancestor goes before its descendants.
 */
export async function pruneSlice(db: StoreTransaction, policy: RetentionPolicy, from: PrunePosition | null): Promise<PruneSlice> {
  const { olderThan, maxBytes } = policy;
  let surplus = maxBytes === null ? 0 : (await sumBytes(db)) - maxBytes;
  const mayGo = (row: Candidate): boolean => surplus > 0 || (olderThan !== null && row.created_at < olderThan);
  let removed = 0;

  const leaves = await selectOldestLeaves(db, from);
  for (const leaf of leaves) {
    let row: Candidate | undefined = leaf;
    if (!mayGo(row)) return { removed, next: null };
    while (row !== undefined && mayGo(row)) {
      if (removed === removalsAtOnce) return { removed, next: older(row, leaf) };
      // A conversation goes with its head, by foreign key.
      await db.deleteFrom('responses').where('seq', '=', row.seq).execute();
      await deleteSessionsAfter(db, row.id, row.owner);
      surplus -= row.bytes;
      removed++;
      row = await selectChildlessParent(db, row);
    }
  }
  return { removed, next: leaves.length < removalsAtOnce ? null : (leaves.at(-1) ?? null) };
}

// A clock that was set back can make a parent younger than its child.
function older(a: PrunePosition, b: PrunePosition): PrunePosition {
  return a.created_at < b.created_at || (a.created_at === b.created_at && a.seq < b.seq) ? a : b;
}

async function sumBytes(db: StoreTransaction): Promise<number> {
  const { total } = await db
    .selectFrom('responses')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<number | string>('bytes'), eb.val(0)).as('total'))
    .executeTakeFirstOrThrow();
  // PostgreSQL gives sums as strings.
  return Number(total);
}

function selectChildless(db: StoreTransaction) {
  return db
    .selectFrom('responses as r')
    .select(['r.seq', 'r.id', 'r.owner', 'r.previous_id', 'r.created_at', 'r.bytes'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('responses as child')
            .select('child.seq')
            .whereRef('child.previous_id', '=', 'r.id')
            .whereRef('child.owner', '=', 'r.owner')
            .whereRef('child.seq', '<>', 'r.seq'),
        ),
      ),
    );
}

async function selectOldestLeaves(db: StoreTransaction, from: PrunePosition | null): Promise<readonly Candidate[]> {
  const query = selectChildless(db).orderBy('r.created_at').orderBy('r.seq').limit(removalsAtOnce);
  if (from === null) return query.execute();
  return query
    .where('r.created_at', '>=', from.created_at)
    .where((eb) => eb.or([eb('r.created_at', '>', from.created_at), eb('r.seq', '>=', from.seq)]))
    .execute();
}

async function selectChildlessParent(db: StoreTransaction, row: Candidate): Promise<Candidate | undefined> {
  if (row.previous_id === null) return undefined;
  return selectChildless(db).where('r.id', '=', row.previous_id).where('r.owner', '=', row.owner).executeTakeFirst();
}
