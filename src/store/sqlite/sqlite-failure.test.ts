import { expect, test } from 'vitest';
import { DatabaseRefusal, isBusy, toFailure } from './sqlite-failure.ts';

const sqliteError = (code: string): Error => Object.assign(new Error('words of SQLite'), { code });
const codeFor = (code: string, hasSpace = true): string => toFailure(sqliteError(code), () => hasSpace).code;

test.each(['SQLITE_FULL', 'ENOSPC', 'EDQUOT'])('%s means that the storage is full', (code) => {
  expect(codeFor(code)).toBe('storage_full');
});

test.each([
  'SQLITE_BUSY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_LOCKED',
  'SQLITE_IOERR_WRITE',
  'SQLITE_READONLY',
  'SQLITE_CANTOPEN',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_NOMEM',
  'EACCES',
])('%s means that the storage is not available', (code) => {
  expect(codeFor(code)).toBe('storage_unavailable');
});

test('an I/O error on a disk without room means that it is full', () => {
  expect(codeFor('SQLITE_IOERR_SHMSIZE', false)).toBe('storage_full');
  expect(codeFor('SQLITE_CORRUPT', false)).toBe('storage_unavailable');
});

test('our own mistakes are not blamed on the disk', () => {
  expect(codeFor('SQLITE_ERROR')).toBe('internal');
  expect(codeFor('SQLITE_CONSTRAINT_FOREIGNKEY')).toBe('internal');
  expect(toFailure(new TypeError('x is not a function'), () => true)).toEqual({
    code: 'internal',
    detail: 'x is not a function',
  });
  expect(toFailure('a string', () => true)).toEqual({ code: 'internal', detail: 'a string' });
  expect(toFailure(new DatabaseRefusal('not ours'), () => true)).toEqual({ code: 'storage_unavailable', detail: 'not ours' });
});

test('only locks are worth another try', () => {
  expect(
    ['SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL'].map((code) => isBusy(sqliteError(code))),
  ).toEqual([true, true, true, true]);
  expect(['SQLITE_FULL', 'SQLITE_CORRUPT', ''].map((code) => isBusy(sqliteError(code)))).toEqual([false, false, false]);
});
