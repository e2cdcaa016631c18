import { readPragma, type SqliteConnection } from './sqlite-connection.ts';
import { DatabaseRefusal } from './sqlite-failure.ts';

/**
 * Runs the scripts that this database has not seen yet, all in one transaction: a process killed midway leaves it as it was. `pragma user_version`
 * counts them. A database with more of them than we know belongs to a newer version and is refused.
 */
export function migrateDatabase(db: SqliteConnection, migrations: readonly string[]): void {
  if (isCurrent(db, migrations)) return;
  db.exec('begin immediate');
  try {
    // Read again: another process may have done it while we waited for the lock.
    if (!isCurrent(db, migrations)) {
      for (const script of migrations.slice(readPragma(db, 'user_version'))) db.exec(script);
      db.exec(`pragma user_version = ${migrations.length}`);
    }
    db.exec('commit');
  } catch (thrown) {
    if (db.inTransaction) db.exec('rollback');
    throw thrown;
  }
}

function isCurrent(db: SqliteConnection, migrations: readonly string[]): boolean {
  const version = readPragma(db, 'user_version');
  if (version > migrations.length) {
    throw new DatabaseRefusal(
      `it was written by a newer antiphon (schema version ${version}, this one knows ${migrations.length}); use that version, or another file`,
    );
  }
  return version === migrations.length;
}
