import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../model/secret.ts';
import { isSealingKey } from './parse-scalars.ts';
import { SettingsError } from './settings-error.ts';

/**
 * The key that seals reasoning for clients, as base64 of 32 bytes: `envelope.key` in the data directory, made at the first start (folder 0700, file 0600). Throws
 * SettingsError when it cannot be made or read, or when others could read it.
 */
export async function loadEnvelopeKey(directory: string): Promise<Secret> {
  const file = join(directory, 'envelope.key');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const known = await readKey(file);
    if (known !== undefined) return known;
    await createKey(file);
    return (await readKey(file)) ?? refuse(file, 'vanished while it was being made');
  } catch (thrown) {
    if (thrown instanceof SettingsError) throw thrown;
    const reason = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
    return refuse(file, `cannot be made or read (${reason}): choose another folder with --data, or set envelope.keys`);
  }
}

/** Whole or not at all: two gateways that start at once must end up with the same key, and a link never replaces what is there. */
async function createKey(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(32).toString('base64')}\n`);
    await handle.sync();
    await link(draft, file);
  } catch (thrown) {
    if (!hasCode(thrown, 'EEXIST')) throw thrown;
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
}

async function readKey(file: string): Promise<Secret | undefined> {
  let mode: number;
  try {
    ({ mode } = await stat(file));
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
  // Windows has no such bits.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    refuse(file, `can be read or changed by others: run \`chmod 600 ${file}\``);
  const text = (await readFile(file, 'utf8')).trim();
  return isSealingKey(text)
    ? new Secret(text)
    : refuse(file, 'does not hold 32 bytes in base64: restore it, or remove it to get a new one');
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}

function refuse(file: string, message: string): never {
  throw new SettingsError([{ source: file, path: '', message }]);
}
