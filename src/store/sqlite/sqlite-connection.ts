import type Database from 'libsql';

export type SqliteConnection = Database.Database;

/** The value of a pragma that is a number. */
export function readPragma(db: SqliteConnection, name: string): number {
  return readNumber(db, `select ${name} as value from pragma_${name}`);
}

/** The column `value` of the one row of a query. */
export function readNumber(db: SqliteConnection, sql: string): number {
  // all(), because libsql's get() adds a key of its own.
  const [row] = db.prepare(sql).all([]);
  const value = typeof row === 'object' && row !== null && 'value' in row ? row.value : undefined;
  if (typeof value !== 'number') throw new TypeError(`${sql} did not give a number`);
  return value;
}
