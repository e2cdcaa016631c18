import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRecordingBench, readFolder } from '../../../test/doubles/recording-proxy.ts';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { openRecordingFile } from './recording-file.ts';

const folder = scratchFolder();
const { openRun } = createRecordingBench();
let files = 0;
const newPath = (): string => join(folder, `${String(files++)}.jsonl`);

test.each([
  ['half a line', '{"a":1}\n{"b":', '{"a":1}\n{"c":3}\n'],
  ['a long half line', `{"a":1}\n{"b":"${'é'.repeat(100_000)}`, '{"a":1}\n{"c":3}\n'],
  ['nothing but half a line', '{"b', '{"c":3}\n'],
  ['a whole line without its end', '{"a":1}\n{"b":2}', '{"a":1}\n{"b":2}\n{"c":3}\n'],
  ['whole lines', '{"a":1}\n', '{"a":1}\n{"c":3}\n'],
  ['nothing', '', '{"c":3}\n'],
])('a file that ends with %s is continued by a whole line', async (_name, before, after) => {
  const path = newPath();
  await writeFile(path, before, { mode: 0o644 });
  const file = await openRecordingFile(path);
  await file.append('{"c":3}');
  await file.close();
  expect(await readFile(path, 'utf8')).toBe(after);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('lines that are written at once do not mix', async () => {
  const path = newPath();
  const file = await openRecordingFile(path);
  const lines = Array.from({ length: 50 }, (_, at) => JSON.stringify({ at, text: 'x'.repeat(at * 5_000) }));
  await Promise.all(lines.map((line) => file.append(line)));
  await file.close();
  expect(await readFile(path, 'utf8')).toBe(`${lines.join('\n')}\n`);
});

test('a link is not followed', async () => {
  const [target, path] = [newPath(), newPath()];
  await writeFile(target, '');
  await symlink(target, path);
  await expect(openRecordingFile(path)).rejects.toThrow(/ELOOP/);
});

test('the folder is made for its owner alone; the mode of one that is there is its owner’s matter', async () => {
  const { directory, recorder } = await openRun();
  await recorder.close();
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  await chmod(directory, 0o750);
  const again = await openRun({ directory });
  await again.recorder.close();
  expect((await stat(directory)).mode & 0o777).toBe(0o750);
});

test('what cannot be written is reported once, and the next file is written all the same', async () => {
  const run = await openRun();
  await mkdir(join(run.directory, 'gemini-sync.jsonl'));
  const exchange = (path: string): void => {
    const open = run.recorder.begin({ method: 'POST', url: `https://models.test${path}`, headers: {}, body: Buffer.from('{}') });
    open.answer(200, { 'content-type': 'application/json' });
    open.piece(Buffer.from('{}'));
    open.end();
  };
  for (const path of ['/v1beta/models/a:generateContent', '/v1beta/models/b:generateContent', '/v1/chat/completions'])
    exchange(path);
  await run.recorder.close();
  expect(run.troubles).toEqual([expect.stringMatching(/EISDIR/)]);
  expect(await readFile(join(run.directory, 'chat-compat-sync.jsonl'), 'utf8')).toMatch(/^\{.*\}\n$/);
});

test('a request that is no request does not disturb either', async () => {
  const run = await openRun();
  run.recorder.begin({ method: 'POST', url: 'not a url', headers: {}, body: Buffer.from('{}') }).end();
  await run.recorder.close();
  expect(run.troubles).toEqual(['Invalid URL']);
  expect(await readFolder(run.directory)).toBe('');
});
