import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../../../test/scratch-folder.ts';
import { GatewayError } from '../../model/errors.ts';
import { Secret } from '../../model/secret.ts';
import { readTokenFile } from './read-token-file.ts';
import { createTokenSource, type TokenSource, type TokenSourceOptions } from './token-source.ts';

const folder = scratchFolder();
const never = (): AbortSignal => new AbortController().signal;
let files = 0;

/** A token file with that content, readable by its owner only unless `mode` says otherwise. */
function tokenFile(content: string, mode = 0o600): string {
  const path = join(folder, `token-${String(++files)}`);
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

/** A command whose runs the test ends by hand. */
function handRun(): {
  runs: readonly (readonly string[])[];
  run: TokenSourceOptions['runCommand'];
  print(output: string): void;
  fail(error: Error): void;
} {
  const runs: (readonly string[])[] = [];
  let print: (output: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  return {
    runs,
    run: (command) =>
      new Promise((resolve, reject) => {
        runs.push(command);
        print = resolve;
        fail = reject;
      }),
    print: (output) => {
      print(output);
    },
    fail: (error) => {
      fail(error);
    },
  };
}

function sourceWith(options: Partial<TokenSourceOptions>): TokenSource {
  return createTokenSource({
    backendName: 'agent',
    value: null,
    file: null,
    command: null,
    runCommand: () => Promise.reject(new Error('not expected')),
    readFile: readTokenFile,
    ...options,
  });
}

const current = async (source: TokenSource): Promise<string> => (await source.current(never())).reveal();
const refresh = async (source: TokenSource, stale: string): Promise<string> =>
  (await source.refresh(new Secret(stale), never())).reveal();

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error;
  throw new Error(`no GatewayError: ${inspect(error)}`);
}

describe('the order', () => {
  const command = ['issue-token'];
  const runCommand = (): Promise<string> => Promise.resolve('from-command\n');

  test('set at runtime, value, file, command', async () => {
    const file = tokenFile('  from-file\r\n');
    const all = sourceWith({ value: new Secret('from-value'), file, command, runCommand });
    expect(await current(all)).toBe('from-value');
    all.set(new Secret(' from-runtime '));
    expect(await current(all)).toBe('from-runtime');
    expect(await current(sourceWith({ file, command, runCommand }))).toBe('from-file');
    expect(await current(sourceWith({ command, runCommand }))).toBe('from-command');
  });

  test('an empty value, a missing and an empty file are passed over', async () => {
    const nowhere = join(folder, 'nowhere');
    expect(await current(sourceWith({ value: new Secret(' '), file: nowhere, command, runCommand }))).toBe('from-command');
    expect(await current(sourceWith({ file: tokenFile('\n'), command, runCommand }))).toBe('from-command');
  });
});

describe('no token', () => {
  test('a 401 that names the three ways', async () => {
    const error = await failureOf(sourceWith({}).current(never()));
    expect(error).toMatchObject({ code: 'upstream_auth_missing', status: 401 });
    expect(error.message).toMatch(/`token`.*`token_file`.*POST \/v1\/token with the admin key.*"backend": "agent"/);
  });

  test('it can be set later', async () => {
    const source = sourceWith({});
    await failureOf(source.current(never()));
    source.set(new Secret('late'));
    expect(await current(source)).toBe('late');
  });

  test.each(['', ' ', 'two words', 'two\nlines', 'tökén', 'nul\u0000'])('%j is not taken for a token', (text) => {
    const source = sourceWith({ value: new Secret('before') });
    expect(() => {
      source.set(new Secret(text));
    }).toThrow(expect.objectContaining({ code: 'invalid_value', param: 'token' }));
  });
});

describe('the file', () => {
  test.each([0o644, 0o640, 0o604, 0o660])('is refused when others may read it (%o)', async (mode) => {
    const error = await failureOf(sourceWith({ file: tokenFile('canary-token', mode) }).current(never()));
    expect(error).toMatchObject({ code: 'upstream_auth_failed', message: expect.stringMatching(/chmod 600/) as string });
    expect(inspect(error, { depth: 5 })).not.toContain('canary-token');
  });

  test('is read again by a refresh, and asked before the command', async () => {
    const file = tokenFile('first');
    const source = sourceWith({ file, command: ['issue'], runCommand: () => Promise.resolve('issued') });
    expect(await current(source)).toBe('first');
    writeFileSync(file, 'second');
    expect(await refresh(source, 'first')).toBe('second');
    expect(await refresh(source, 'second')).toBe('issued');
    expect(await current(source)).toBe('issued');
  });

  test('that did not change is no refresh', async () => {
    const source = sourceWith({ file: tokenFile('same') });
    const error = await failureOf(source.refresh(await source.current(never()), never()));
    expect(error).toMatchObject({ code: 'upstream_auth_failed', message: expect.stringMatching(/POST \/v1\/token/) as string });
  });

  test('is not used when it holds no token, and its content is not shown', async () => {
    const error = await failureOf(sourceWith({ file: tokenFile('canary one\ncanary two') }).current(never()));
    expect(error).toMatchObject({ code: 'upstream_auth_failed' });
    expect(inspect(error, { depth: 5 })).not.toContain('canary');
  });

  test('is taken into use once it is there', async () => {
    const file = tokenFile('soon');
    rmSync(file);
    const source = sourceWith({ file });
    expect((await failureOf(source.current(never()))).code).toBe('upstream_auth_missing');
    writeFileSync(file, 'now', { mode: 0o600 });
    expect(await current(source)).toBe('now');
  });

  test('that is a folder is an error', async () => {
    expect((await failureOf(sourceWith({ file: folder }).current(never()))).code).toBe('upstream_auth_failed');
  });
});

describe('one run for all who wait', () => {
  test('64 callers with the same stale token', async () => {
    const command = handRun();
    const source = sourceWith({ value: new Secret('stale'), command: ['issue', '--fresh'], runCommand: command.run });
    const all = Array.from({ length: 64 }, () => refresh(source, 'stale'));
    await new Promise(setImmediate);
    command.print('fresh\n');
    expect(new Set(await Promise.all(all))).toEqual(new Set(['fresh']));
    expect(command.runs).toEqual([['issue', '--fresh']]);
    expect(await refresh(source, 'stale')).toBe('fresh');
    expect(command.runs).toHaveLength(1);
  });

  test('also for the first token', async () => {
    const command = handRun();
    const source = sourceWith({ command: ['issue'], runCommand: command.run });
    const all = Array.from({ length: 8 }, () => current(source));
    await new Promise(setImmediate);
    command.print('first');
    expect(new Set(await Promise.all(all))).toEqual(new Set(['first']));
    expect(command.runs).toHaveLength(1);
  });

  test('a caller who leaves does not stop it', async () => {
    const command = handRun();
    const source = sourceWith({ value: new Secret('stale'), command: ['issue'], runCommand: command.run });
    const leaving = new AbortController();
    const left = source.refresh(new Secret('stale'), leaving.signal);
    const staying = refresh(source, 'stale');
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    command.print('fresh');
    expect(await staying).toBe('fresh');
    expect(command.runs).toHaveLength(1);
  });

  test('a token set in the meantime wins, also over a failing run', async () => {
    const command = handRun();
    const source = sourceWith({ value: new Secret('stale'), command: ['issue'], runCommand: command.run });
    const first = refresh(source, 'stale');
    await new Promise(setImmediate);
    source.set(new Secret('by-hand'));
    command.print('fetched');
    expect(await first).toBe('by-hand');
    const second = refresh(source, 'by-hand');
    await new Promise(setImmediate);
    source.set(new Secret('by-hand-2'));
    command.fail(new Error('no'));
    expect(await second).toBe('by-hand-2');
  });

  test('a failing run fails all who wait; the next one may succeed', async () => {
    const command = handRun();
    const source = sourceWith({ value: new Secret('stale'), command: ['issue'], runCommand: command.run });
    const all = [1, 2, 3].map(() => failureOf(source.refresh(new Secret('stale'), never())));
    await new Promise(setImmediate);
    command.fail(new Error('it ended with code 3'));
    for (const error of await Promise.all(all)) {
      expect(error).toMatchObject({
        code: 'upstream_auth_failed',
        message: expect.stringMatching(/ended with code 3/) as string,
      });
    }
    const again = refresh(source, 'stale');
    await new Promise(setImmediate);
    command.print('fresh');
    expect(await again).toBe('fresh');
  });

  test.each(['', '  \n', 'canary two words', 'canary\ncanary'])('output %j is no token and is not shown', async (output) => {
    const source = sourceWith({ command: ['issue'], runCommand: () => Promise.resolve(output) });
    const error = await failureOf(source.current(never()));
    expect(error.code).toBe('upstream_auth_failed');
    expect(inspect(error, { depth: 5 })).not.toContain('canary');
  });
});

test('an aborted caller gets the reason of its signal', async () => {
  const source = sourceWith({ value: new Secret('token') });
  await expect(source.current(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  await expect(source.refresh(new Secret('x'), AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});

test('printing a source shows no token', async () => {
  const source = sourceWith({ value: new Secret('canary-token') });
  await source.current(never());
  expect(inspect(source, { depth: 10, showHidden: true })).not.toContain('canary-token');
});
