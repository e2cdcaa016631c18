import { readPragma, type SqliteConnection } from './sqlite-connection.ts';

/** Pages given back in one step: 2 MB, a few milliseconds. */
const pagesAtOnce = 500;
/** Free pages that stay for the next responses, so that a store at its limit does not shrink and grow all the time. */
const smallestReserve = 256;
const reserveShare = 0.1;

/** Gives some free pages back to the disk. Returns how many; 0 when there are none to give. */
export function vacuumSome(db: SqliteConnection): number {
  const free = readPragma(db, 'freelist_count');
  const reserve = Math.max(smallestReserve, Math.ceil(readPragma(db, 'page_count') * reserveShare));
  if (free <= reserve) return 0;
  db.exec(`pragma incremental_vacuum(${Math.min(free - reserve, pagesAtOnce)})`);
  return free - readPragma(db, 'freelist_count');
}

/** Brings the log into the file, which only now gets shorter on disk. Does nothing while another process reads or writes. */
export function checkpoint(db: SqliteConnection): void {
  db.prepare('pragma wal_checkpoint(truncate)').all([]);
}
