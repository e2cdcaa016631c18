import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { sqliteMigrations } from '../migrations/sqlite-migrations.ts';
import { migrateDatabase } from './migrate-database.ts';
import { readNumber, readPragma, type SqliteConnection } from './sqlite-connection.ts';
import { DatabaseRefusal, isBusy } from './sqlite-failure.ts';
import type { DatabaseSettings } from './worker-messages.ts';

/** `Antp` in the file's header: whose database this is. */
const applicationId = 0x416e7470;
/** Pages in the log before it goes into the file: 8 MB, half the fsyncs of SQLite's default. */
const checkpointPages = 2000;
/** A log that grew in a rush is cut back to this after the next checkpoint. */
const largestIdleLogBytes = 16 * 1024 * 1024;

/**
 * Opens the database file, creates it if need be (folder 0700, file 0600: it holds what people asked and were told), brings its tables up to date.
 * Throws DatabaseRefusal, or SQLite's busy error when another process has it locked.
 */
export function openDatabase(settings: DatabaseSettings): SqliteConnection {
  const { file } = settings;
  createFile(file);
  const db = connect(file);
  try {
    prepareConnection(db, settings);
    migrateDatabase(db, sqliteMigrations);
    return db;
  } catch (thrown) {
    db.close();
    if (isBusy(thrown)) throw thrown;
    throw refuse(file, thrown);
  }
}

function createFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // SQLite gives its log the rights of the database file.
    closeSync(openSync(file, 'a', 0o600));
  } catch (thrown) {
    throw refuse(file, thrown);
  }
}

function connect(file: string): SqliteConnection {
  try {
    return new Database(file);
  } catch (thrown) {
    throw refuse(file, thrown);
  }
}

function prepareConnection(db: SqliteConnection, settings: DatabaseSettings): void {
  const isNew = readNumber(db, 'select count(*) as value from sqlite_master') === 0;
  if (isNew) {
    // Both must stand in the header before there is a table; the first lets the file shrink again.
    db.exec(`pragma auto_vacuum = incremental; pragma application_id = ${applicationId}`);
  } else if (readPragma(db, 'application_id') !== applicationId) {
    throw new DatabaseRefusal('it is the database of another program');
  }
  // NORMAL: a commit survives a killed process, but the last ones may be lost when the power fails. FULL: they survive that too, at some ms per commit.
  db.exec(`pragma journal_mode = wal; pragma synchronous = ${settings.synchronous}; pragma foreign_keys = on`);
  db.exec(`pragma wal_autocheckpoint = ${checkpointPages}; pragma journal_size_limit = ${largestIdleLogBytes}`);
  if (settings.maxFileBytes !== null) {
    const pages = Math.max(1, Math.floor(settings.maxFileBytes / readPragma(db, 'page_size')));
    db.exec(`pragma max_page_count = ${pages}`);
  }
}

/** The same trouble with the file's name and a way out. The code stays: it tells a full disk from a damaged file. */
function refuse(file: string, thrown: unknown): Error {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const isDamaged = code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT';
  const advice = isDamaged ? ' It is not a database or is damaged: move it away, or put a backup in its place.' : '';
  const refusal = new DatabaseRefusal(`cannot use the database ${file}: ${reason}.${advice}`, { cause: thrown });
  return Object.assign(refusal, typeof code === 'string' ? { code } : {});
}
