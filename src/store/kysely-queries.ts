import type { StoredItem } from '../model/response-store.ts';
import { moveHead } from './conversation-queries.ts';
import { deleteSessionsAfter } from './session-queries.ts';
import type { StoreDatabase, StoreTransaction } from './store-database.ts';
import { countBytes, fillState, findItems, parseStateKeys, type StoredRow, type StoredText } from './stored-row.ts';

/** Item rows of one INSERT. The limit keeps the number of different statements small: drivers cache them by text. */
const itemRowsAtOnce = 64;
const idsAtOnce = 500;
/** Bodies may be large; more at once would only cost memory. */
const bodiesAtOnce = 8;

/** What became of a row: an id that is there already is left alone, and so is a conversation that has gone on meanwhile. */
export type InsertOutcome = 'written' | 'already_exists' | 'conversation_locked';

/** Writes the rows, and moves the heads of their conversations. The answer tells for each whether it was written. */
export async function insertResponses(db: StoreTransaction, rows: readonly StoredRow[]): Promise<readonly InsertOutcome[]> {
  const outcomes: InsertOutcome[] = [];
  for (const row of rows) outcomes.push(await insertResponse(db, row));
  return outcomes;
}

async function insertResponse(db: StoreTransaction, row: StoredRow): Promise<InsertOutcome> {
  const { id, owner, previousId, conversation, createdAt, states, body } = row;
  const events = JSON.stringify(row.events);
  const bytes = countBytes(row);
  const saved = await db
    .insertInto('responses')
    .values({ id, owner, previous_id: previousId, created_at: createdAt, bytes, states, body, events })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('seq')
    .executeTakeFirst();
  if (saved === undefined) return 'already_exists';
  if (conversation !== null && !(await moveHead(db, { ...row, conversation }, saved.seq))) {
    await db.deleteFrom('responses').where('seq', '=', saved.seq).execute();
    return 'conversation_locked';
  }
  await insertItems(db, saved.seq, row);
  return 'written';
}

async function insertItems(db: StoreTransaction, seq: number, row: StoredRow): Promise<void> {
  if (row.itemKeys === '') return;
  const stated = parseStateKeys(row.states);
  const rows = row.itemKeys
    .split('\n')
    .map((key) => ({ response_seq: seq, item_id: key, owner: row.owner, has_state: stated.has(key) ? 1 : 0 }));
  for (const slice of slices(rows, itemRowsAtOnce)) await db.insertInto('items').values(slice).execute();
}

export async function selectResponse(db: StoreDatabase, id: string, owner: string): Promise<StoredText | undefined> {
  const row = await db
    .selectFrom('responses')
    .select(['states', 'body', 'events'])
    .where('id', '=', id)
    .where('owner', '=', owner)
    .executeTakeFirst();
  return row && toText(row);
}

/** The response and its ancestors, oldest first; empty when there is no such response of this owner. */
export async function selectChain(db: StoreDatabase, id: string, owner: string): Promise<readonly StoredText[]> {
  const rows = await db
    // UNION, not UNION ALL: it ends even if responses should name each other in a circle.
    .withRecursive('chain(seq, previous_id)', (qb) =>
      qb
        .selectFrom('responses')
        .select(['seq', 'previous_id'])
        .where('id', '=', id)
        .where('owner', '=', owner)
        .union((parents) =>
          parents
            .selectFrom('chain')
            .innerJoin('responses', 'responses.id', 'chain.previous_id')
            .select(['responses.seq', 'responses.previous_id'])
            .where('responses.owner', '=', owner),
        ),
    )
    .selectFrom('chain')
    .innerJoin('responses', 'responses.seq', 'chain.seq')
    .select(['responses.id', 'responses.previous_id', 'responses.states', 'responses.body', 'responses.events'])
    .execute();

  const byId = new Map(rows.map((row) => [row.id, row]));
  const chain: StoredText[] = [];
  for (let row = byId.get(id); row !== undefined; row = byId.get(row.previous_id ?? '')) {
    byId.delete(row.id);
    chain.push(toText(row));
  }
  return chain.reverse();
}

/** Removes a response; its items, and the conversation it is the head of, go by foreign key. Returns whether it was there. */
export async function deleteResponse(db: StoreTransaction, id: string, owner: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('responses').where('id', '=', id).where('owner', '=', owner).executeTakeFirst();
  if (numDeletedRows === 0n) return false;
  await deleteSessionsAfter(db, id, owner);
  return true;
}

/**
 * Items by key, each from the newest response that has it. The sealed state comes from the newest response that has one: clients echo items of earlier
 * responses without it, and the echo must not hide it.
 */
export async function selectItems(db: StoreDatabase, keys: readonly string[], owner: string): Promise<readonly StoredItem[]> {
  const places = await selectPlaces(db, keys, owner);
  const sealed = await selectStates(db, places);
  const items: StoredItem[] = [];
  const newest = groupBy(places, (place) => place.newest);
  for (const seqs of slices([...newest.keys()], bodiesAtOnce)) {
    const rows = await db.selectFrom('responses').select(['seq', 'body']).where('seq', 'in', seqs).execute();
    for (const { seq, body } of rows) {
      const wanted = new Set(newest.get(seq)?.map((place) => place.item_id));
      for (const [key, item] of findItems(body, wanted)) items.push(fillState(item, sealed.get(key)));
    }
  }
  return items;
}

interface ItemPlace {
  readonly item_id: string;
  /** The newest response with the item, and the newest one with its state. */
  readonly newest: number;
  readonly stated: number | null;
}

async function selectPlaces(db: StoreDatabase, keys: readonly string[], owner: string): Promise<readonly ItemPlace[]> {
  const places: ItemPlace[] = [];
  for (const slice of slices([...new Set(keys)], idsAtOnce)) {
    const rows = await db
      .selectFrom('items')
      .select((eb) => [
        'item_id',
        eb.fn.max('response_seq').as('newest'),
        eb.fn.max(eb.case().when('has_state', '=', 1).then(eb.ref('response_seq')).end()).as('stated'),
      ])
      .where('owner', '=', owner)
      .where('item_id', 'in', slice)
      .groupBy('item_id')
      .execute();
    places.push(...rows);
  }
  return places;
}

async function selectStates(db: StoreDatabase, places: readonly ItemPlace[]): Promise<ReadonlyMap<string, string>> {
  const stated = groupBy(places, (place) => place.stated);
  const seqs = [...stated.keys()].filter((seq) => seq !== null);
  const sealed: [string, string][] = [];
  for (const slice of slices(seqs, idsAtOnce)) {
    const rows = await db.selectFrom('responses').select(['seq', 'states']).where('seq', 'in', slice).execute();
    for (const { seq, states } of rows) {
      const wanted = new Set(stated.get(seq)?.map((place) => place.item_id));
      sealed.push(...[...parseStateKeys(states)].filter(([key]) => wanted.has(key)));
    }
  }
  return new Map(sealed);
}

/** Writes and removes that many bytes, each in its own transaction: only a commit shows whether there is room. */
export async function writeTrial(db: StoreDatabase, bytes: number): Promise<void> {
  await db.transaction().execute((trx) =>
    trx
      .insertInto('trials')
      .values({ data: 'x'.repeat(bytes) })
      .execute(),
  );
  await db.transaction().execute((trx) => trx.deleteFrom('trials').execute());
}

function toText(row: StoredText): StoredText {
  // The cast: insertResponses wrote a JSON string there.
  return { states: row.states, body: row.body, events: JSON.parse(row.events) as string };
}

function* slices<T>(list: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size);
}

function groupBy<T, K>(list: readonly T[], keyOf: (member: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const member of list) {
    const group = groups.get(keyOf(member));
    if (group === undefined) groups.set(keyOf(member), [member]);
    else group.push(member);
  }
  return groups;
}
