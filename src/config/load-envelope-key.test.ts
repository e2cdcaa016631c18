import { chmod, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { loadEnvelopeKey } from './load-envelope-key.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'antiphon-key-'));
});

test('the first start makes a key that only its owner can read, the next ones find it', async () => {
  const directory = join(parent, 'deep', 'data');
  const key = await loadEnvelopeKey(directory);
  expect(Buffer.from(key.reveal(), 'base64')).toHaveLength(32);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, 'envelope.key'))).mode & 0o777).toBe(0o600);
  expect((await loadEnvelopeKey(directory)).reveal()).toBe(key.reveal());
  expect(await readdir(directory)).toEqual(['envelope.key']);
});

test('gateways that start at the same moment agree on one key', async () => {
  const keys = await Promise.all(Array.from({ length: 16 }, () => loadEnvelopeKey(parent)));
  expect(new Set(keys.map((key) => key.reveal())).size).toBe(1);
  expect(await readdir(parent)).toEqual(['envelope.key']);
});

test('a key that others can read is refused', async () => {
  await loadEnvelopeKey(parent);
  await chmod(join(parent, 'envelope.key'), 0o640);
  await expect(loadEnvelopeKey(parent)).rejects.toThrow(/envelope\.key: can be read or changed by others: run `chmod 600/);
});

test('a file that holds no key is refused, without showing what it holds', async () => {
  await writeFile(join(parent, 'envelope.key'), 'not-a-key', { mode: 0o600 });
  await expect(loadEnvelopeKey(parent)).rejects.toThrow(/does not hold 32 bytes in base64/);
  await expect(loadEnvelopeKey(parent)).rejects.not.toThrow(/not-a-key/);
});

test('a data directory that cannot be made is refused with a way out', async () => {
  await writeFile(join(parent, 'file'), '');
  await expect(loadEnvelopeKey(join(parent, 'file', 'data'))).rejects.toThrow(/\(ENOTDIR\): choose another folder with --data/);
});
