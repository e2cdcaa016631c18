import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { sampleStored, userMessage } from '../../../test/stored-samples.ts';
import { sqliteMigrations } from '../migrations/sqlite-migrations.ts';
import { migrateDatabase } from './migrate-database.ts';
import { readPragma } from './sqlite-connection.ts';
import { openSqliteStore } from './sqlite-store.ts';

const folder = scratchFolder();
const newName = counterId();
const newFile = (): string => join(folder, `${newName('file')}.db`);

/** Opens the file with SQLite itself. */
function withDatabase<T>(file: string, work: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

async function refusalOf(file: string): Promise<unknown> {
  return openSqliteStore({ file, busyTimeoutMs: 100 }).then(
    (store) => store.close(),
    (thrown: unknown) => thrown,
  );
}

test('a file that is no database is refused by name and left as it is', async () => {
  const file = newFile();
  const text = 'dear diary, '.repeat(1000);
  writeFileSync(file, text);
  const refusal = await refusalOf(file);
  expect(refusal).toMatchObject({ code: 'storage_unavailable' });
  expect(String(refusal)).toContain(file);
  expect(String(refusal)).toMatch(/damaged/);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('a damaged database is refused by name', async () => {
  const file = newFile();
  await (await openSqliteStore({ file })).close();
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0xab, 100, 4000));
  expect(await refusalOf(file)).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining(file) as string });
});

test('the database of another program is refused and left as it is', async () => {
  const file = newFile();
  withDatabase(file, (db) => db.exec('create table bookmarks (url text)'));
  expect(await refusalOf(file)).toMatchObject({ message: expect.stringMatching(/another program/) as string });
  withDatabase(file, (db) => {
    expect(db.prepare('select name from sqlite_master').all([])).toEqual([{ name: 'bookmarks' }]);
  });
});

test('a database of a newer version is refused with both versions', async () => {
  const file = newFile();
  await (await openSqliteStore({ file })).close();
  withDatabase(file, (db) => db.exec('pragma user_version = 99'));
  expect(await refusalOf(file)).toMatchObject({
    message: expect.stringMatching(/newer antiphon \(schema version 99, this one knows \d+\)/) as string,
  });
});

test('a folder in the place of the file, or a file in the place of the folder, is refused by name', async () => {
  const file = newFile();
  mkdirSync(file);
  expect(await refusalOf(file)).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining(file) as string });
  const plain = newFile();
  writeFileSync(plain, '');
  expect(await refusalOf(join(plain, 'antiphon.db'))).toMatchObject({ message: expect.stringContaining(plain) as string });
});

test('a database that stays locked while it is opened is reported after the busy timeout', async () => {
  const file = newFile();
  await (await openSqliteStore({ file })).close();
  const locker = new Database(file);
  locker.exec('pragma locking_mode = exclusive; begin exclusive');
  expect(await refusalOf(file)).toMatchObject({ code: 'storage_unavailable' });
  locker.exec('rollback');
  locker.close();
  expect(await refusalOf(file)).toBeUndefined();
});

test('an empty file becomes a database', async () => {
  const file = newFile();
  writeFileSync(file, '');
  const store = await openSqliteStore({ file });
  await store.saveResponse(sampleStored({ id: 'resp_1', owner: 'me' }));
  await store.close();
});

test('the scripts run in order, each once; what is there stays', () => {
  withDatabase(newFile(), (db) => {
    const first = ['create table notes (text)', `insert into notes values ('kept')`];
    migrateDatabase(db, first);
    migrateDatabase(db, [...first, 'alter table notes add column mood']);
    migrateDatabase(db, [...first, 'alter table notes add column mood']);
    expect(db.prepare('select * from notes').all([])).toEqual([{ text: 'kept', mood: null }]);
    expect(readPragma(db, 'user_version')).toBe(3);
  });
});

test('a database of version 1 keeps what it holds, and learns conversations', async () => {
  const file = newFile();
  const stored = sampleStored({ id: 'resp_1', owner: 'me', input: [userMessage('msg_1', 'from before')] });
  const { states, events, conversation, ...body } = stored;
  expect(conversation).toBeNull();
  withDatabase(file, (db) => {
    db.exec('pragma auto_vacuum = incremental; pragma application_id = 1097757808');
    migrateDatabase(db, sqliteMigrations.slice(0, 1));
    const columns = 'id, owner, previous_id, created_at, bytes, states, body, events';
    db.prepare(`insert into responses (${columns}) values (?, ?, null, ?, 1, ?, ?, ?)`).run([
      'resp_1',
      'me',
      stored.createdAt,
      JSON.stringify(states),
      JSON.stringify(body),
      JSON.stringify(events),
    ]);
    db.exec(`insert into items values (1, 'msg_1', 'me', 0)`);
    expect(readPragma(db, 'user_version')).toBe(1);
  });

  const store = await openSqliteStore({ file });
  expect(await store.loadResponse('resp_1', 'me')).toEqual(stored);
  expect((await store.loadItems(['msg_1'], 'me')).get('msg_1')).toEqual(userMessage('msg_1', 'from before'));
  expect(await store.listConversations('me')).toEqual([]);
  await store.saveResponse(sampleStored({ id: 'resp_2', owner: 'me', conversation: 'c' }));
  await store.saveResponse(sampleStored({ id: 'resp_3', owner: 'me', conversation: 'c', previousResponseId: 'resp_2' }));
  expect(await store.loadConversation('c', 'me')).toMatchObject({ headResponseId: 'resp_3' });
  await store.close();
  withDatabase(file, (db) => {
    expect(readPragma(db, 'user_version')).toBe(sqliteMigrations.length);
    expect(db.prepare('pragma foreign_key_check').all([])).toEqual([]);
  });
});

test('a script that fails leaves the database as it was', () => {
  withDatabase(newFile(), (db) => {
    migrateDatabase(db, ['create table notes (text)']);
    const scripts = ['create table notes (text)', 'alter table notes add column mood; create table more (x)', 'nonsense'];
    expect(() => {
      migrateDatabase(db, scripts);
    }).toThrow(/syntax error/);
    expect(readPragma(db, 'user_version')).toBe(1);
    expect(db.prepare('select name from sqlite_master').all([])).toEqual([{ name: 'notes' }]);
    expect(db.inTransaction).toBe(false);
  });
});

test('the released scripts run with the foreign keys they need', () => {
  withDatabase(newFile(), (db) => {
    migrateDatabase(db, sqliteMigrations);
    expect(db.prepare('pragma foreign_key_check').all([])).toEqual([]);
    expect(db.prepare('pragma integrity_check').all([])).toEqual([{ integrity_check: 'ok' }]);
  });
});
