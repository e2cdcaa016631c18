import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RetentionPolicy } from '../../model/response-store.ts';
import { deleteConversation, selectConversation, selectConversations } from '../conversation-queries.ts';
import {
  deleteResponse,
  insertResponses,
  selectChain,
  selectItems,
  selectResponse,
  writeTrial,
  type InsertOutcome,
} from '../kysely-queries.ts';
import { createStoreDatabase, type StoreDatabase, type StoreTransaction } from '../store-database.ts';
import { pruneSlice, type PruneSlice } from '../prune-queries.ts';
import { deleteOrphanSessions, deleteSession, replaceSession, selectSession, selectSessions } from '../session-queries.ts';
import type { StoredRow } from '../stored-row.ts';
import { hasDiskSpace } from './disk-space.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { createSqliteDialect } from './sqlite-dialect.ts';
import { isBusy, toFailure } from './sqlite-failure.ts';
import { checkpoint, vacuumSome } from './vacuum-database.ts';
import type { Argument, DatabaseSettings, Failure, Result, StoreCall } from './worker-messages.ts';

/** What the database thread does for each call. */
export type DatabaseHandlers = { readonly [K in StoreCall]: (argument: Argument<K>) => Promise<Result<K>> };

/** The calls over one open connection. Writes go one after another, reads go in between, also while a write waits for another process. */
export function createDatabaseHandlers(connection: SqliteConnection, settings: DatabaseSettings): DatabaseHandlers {
  const { busyTimeoutMs } = settings;
  const db = createStoreDatabase(createSqliteDialect(connection));
  const write = createWriteLane();
  const change = <T>(work: (trx: StoreTransaction) => Promise<T>): Promise<T> =>
    write(() => db.transaction().execute(work), busyTimeoutMs);
  const read = <T>(work: () => Promise<T>): Promise<T> => retryWhileBusy(work, busyTimeoutMs);
  return {
    save: ({ rows, patienceMs }) => saveRows(rows, (some) => write(() => insertAll(db, some), patienceMs), settings.file),
    load: ({ id, owner }) => read(() => selectResponse(db, id, owner)),
    chain: ({ id, owner }) => read(() => selectChain(db, id, owner)),
    items: ({ ids, owner }) => read(async () => JSON.stringify(await selectItems(db, ids, owner))),
    remove: ({ id, owner }) => change((trx) => deleteResponse(trx, id, owner)),
    loadConversation: ({ id, owner }) => read(() => selectConversation(db, id, owner)),
    listConversations: ({ owner }) => read(() => selectConversations(db, owner)),
    removeConversation: ({ id, owner }) => change((trx) => deleteConversation(trx, id, owner)),
    saveSession: (row) => change((trx) => replaceSession(trx, row)),
    loadSession: (key) => read(() => selectSession(db, key)),
    removeSession: (key) => change((trx) => deleteSession(trx, key)),
    listSessions: ({ owner }) => read(() => selectSessions(db, owner)),
    async prune(policy) {
      const removed = await pruneAll(policy, db, (work) => write(work, busyTimeoutMs));
      const { olderThan } = policy;
      if (olderThan !== null) await change((trx) => deleteOrphanSessions(trx, olderThan));
      await shrinkFile(connection, (work) => write(work, busyTimeoutMs));
      return removed;
    },
    async tryWrite({ bytes, patienceMs }) {
      await write(() => writeTrial(db, bytes), patienceMs);
      return null;
    },
    async close() {
      await write(() => db.destroy(), 0);
      return null;
    },
  };
}

type WriteLane = <T>(work: () => Promise<T>, patienceMs: number) => Promise<T>;
type PatientWrite = <T>(work: () => Promise<T>) => Promise<T>;

function createWriteLane(): WriteLane {
  let last: Promise<unknown> = Promise.resolve();
  return (work, patienceMs) => {
    const written = last.then(() => retryWhileBusy(work, patienceMs));
    // The caller hears of the failure; the next write only needs to know that this one is over.
    last = written.catch(() => null);
    return written;
  };
}

function insertAll(db: StoreDatabase, rows: readonly StoredRow[]): Promise<readonly InsertOutcome[]> {
  return db.transaction().execute((trx) => insertResponses(trx, rows));
}

const refusals = {
  already_exists: 'a response with this id is stored already',
  conversation_locked: 'the conversation has gone on with another response',
} as const;

type WriteRows = (rows: readonly StoredRow[]) => Promise<readonly InsertOutcome[]>;

/** One transaction for all rows. When that fails, each goes alone, so that a response is refused only for its own sake. */
async function saveRows(rows: readonly StoredRow[], writeRows: WriteRows, file: string): Promise<readonly (Failure | null)[]> {
  try {
    const outcomes = await writeRows(rows);
    return outcomes.map((outcome) => (outcome === 'written' ? null : { code: outcome, detail: refusals[outcome] }));
  } catch (thrown) {
    if (rows.length === 1 || isBusy(thrown)) {
      const failure = toFailure(thrown, () => hasDiskSpace(file));
      return rows.map(() => failure);
    }
  }
  const alone: (Failure | null)[] = [];
  for (const row of rows) alone.push(...(await saveRows([row], writeRows, file)));
  return alone;
}

async function pruneAll(policy: RetentionPolicy, db: StoreDatabase, write: PatientWrite): Promise<number> {
  let removed = 0;
  let slice: PruneSlice = { removed: 0, next: null };
  do {
    const from = slice.next;
    slice = await write(() => db.transaction().execute((trx) => pruneSlice(trx, policy, from)));
    removed += slice.removed;
    // Messages that have arrived meanwhile are read only between turns of the event loop.
    await nextTurn();
  } while (slice.next !== null);
  return removed;
}

async function shrinkFile(connection: SqliteConnection, write: PatientWrite): Promise<void> {
  let total = 0;
  for (let given = -1; given !== 0; total += given) {
    given = await write(async () => vacuumSome(connection));
    await nextTurn();
  }
  if (total === 0) return;
  await write(async () => {
    checkpoint(connection);
  });
}
