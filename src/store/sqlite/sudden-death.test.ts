import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'libsql';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { sampleStored } from '../../../test/stored-samples.ts';
import type { ResponseStore } from '../../model/response-store.ts';
import { openSqliteStore } from './sqlite-store.ts';

const folder = scratchFolder();
const deaths = 12;
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const sourceUrl = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

/** Another process that runs the script, which may import TypeScript. */
function startChild(script: string, values: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', script, ...values];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** Saves without end, eight conversations at a time, and says each id once its save is acknowledged. */
const endlessSaves = `
  import { openSqliteStore } from ${sourceUrl('./sqlite-store.ts')};
  import { sampleStored, userMessage } from ${sourceUrl('../../../test/stored-samples.ts')};
  const [, file, life] = process.argv;
  const store = await openSqliteStore({ file });
  const text = 'x'.repeat(20_000);
  async function saveOn(lane) {
    const conversation = ['c', life, lane].join('_');
    let previousResponseId = null;
    for (let n = 0; ; n++) {
      const id = ['resp', life, lane, n].join('_');
      const input = [userMessage('msg_' + id, text)];
      await store.saveResponse(sampleStored({ id, owner: 'me', conversation, previousResponseId, input }));
      previousResponseId = id;
      process.stdout.write(id + '\\n');
    }
  }
  for (let lane = 0; lane < 8; lane++) void saveOn(lane);
`;

/** Kills the process after that many acknowledged saves; answers all ids that it acknowledged. */
async function killAfter(child: ChildProcessByStdio<null, Readable, null>, saves: number): Promise<string[]> {
  const acknowledged: string[] = [];
  const lines = createInterface(child.stdout);
  lines.on('line', (id) => {
    if (acknowledged.push(id) === saves) child.kill('SIGKILL');
  });
  await once(lines, 'close');
  return acknowledged;
}

/** Which of the responses are not in the chain of their conversation's head, at their place. */
async function missingInConversations(store: ResponseStore, ids: readonly string[]): Promise<string[]> {
  const kept = new Set<string>();
  for (const { headResponseId } of await store.listConversations('me')) {
    for (const [at, { id }] of (await store.loadChain(headResponseId, 'me')).entries()) {
      if (id.endsWith(`_${String(at)}`)) kept.add(id);
    }
  }
  return ids.filter((id) => !kept.has(id));
}

function integrityOf(file: string): unknown {
  const db = new Database(file);
  try {
    return db.prepare('pragma integrity_check').all([]);
  } finally {
    db.close();
  }
}

function logSizeOf(file: string): number {
  return statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

test(`after ${deaths} times kill -9, everything that was acknowledged is there`, async () => {
  const file = join(folder, 'antiphon.db');
  const acknowledged: string[] = [];
  // Anywhere in a life: at the first save, in the rush, around a checkpoint (some 150 saves).
  const saves = fc.sample(fc.integer({ min: 1, max: 300 }), deaths);
  for (const [life, count] of saves.entries()) {
    acknowledged.push(...(await killAfter(startChild(endlessSaves, [file, String(life)]), count)));
    expect(integrityOf(file)).toEqual([{ integrity_check: 'ok' }]);
  }
  const store = await openSqliteStore({ file });
  for (const id of acknowledged) {
    expect((await store.loadResponse(id, 'me'))?.input[0]?.id).toBe(`msg_${id}`);
    expect((await store.loadItems([`msg_${id}`], 'me')).size).toBe(1);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(deaths);
  expect(await missingInConversations(store, acknowledged)).toEqual([]);
  await store.close();
}, 180_000);

test('a process killed in the middle of a migration leaves a database that opens', async () => {
  const file = join(folder, 'half.db');
  // The second script never ends: it fills the log until the process is killed.
  const script = `
    import Database from 'libsql';
    import { sqliteMigrations } from ${sourceUrl('../migrations/sqlite-migrations.ts')};
    import { migrateDatabase } from ${sourceUrl('./migrate-database.ts')};
    const db = new Database(process.argv[1]);
    db.exec('pragma journal_mode = wal');
    migrateDatabase(db, [...sqliteMigrations, "insert into trials with recursive n (i) as (select 1 union all select i + 1 from n) select i || 'x' from n"]);
  `;
  for (let round = 0; round < 3; round++) {
    const child = startChild(script, [file]);
    const exit = once(child, 'exit');
    while (logSizeOf(file) < 2_000_000) await nextTurn();
    child.kill('SIGKILL');
    await exit;
    expect(integrityOf(file)).toEqual([{ integrity_check: 'ok' }]);
  }
  const store = await openSqliteStore({ file });
  await store.saveResponse(sampleStored({ id: 'resp_1', owner: 'me' }));
  await store.close();
}, 60_000);
