import { createPrivateKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GatewayError } from '../model/errors.ts';

/** Where the certificate authority lies in its folder. */
export interface AuthorityFiles {
  readonly directory: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

export function toAuthorityFiles(directory: string): AuthorityFiles {
  return { directory, certificateFile: join(directory, 'ca.pem'), keyFile: join(directory, 'ca-key.pem') };
}

/** Makes the folder (0700) where it is missing. Throws GatewayError `storage_unavailable` when it is not ours alone. */
export async function openAuthorityFolder(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const found = await lstat(directory);
  if (!found.isDirectory()) refuse(directory, 'is not a folder: choose another data folder with --data');
  checkOwner(directory, found, '700');
}

/** The key of the authority: P-256, PKCS#8, made at the first start (0600). Throws GatewayError `storage_unavailable` when it is not ours alone, or no such key. */
export async function loadAuthorityKey({ keyFile }: AuthorityFiles): Promise<KeyObject> {
  const known = await readKey(keyFile);
  if (known !== null) return known;
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  await writeOnce(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return (await readKey(keyFile)) ?? refuse(keyFile, 'vanished while it was being made');
}

async function readKey(file: string): Promise<KeyObject | null> {
  try {
    const found = await lstat(file);
    if (!found.isFile()) refuse(file, 'is not a file');
    checkOwner(file, found, '600');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return null;
    throw thrown;
  }
  const key = parseKey(await readFile(file, 'utf8'));
  return key?.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    ? key
    : refuse(file, 'holds no P-256 key: remove it together with ca.pem to get new ones');
}

function parseKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** Whole or not at all, and never over what is there: of two processes that start at once, one is first, and both use its file. Returns whether this was the first. */
export async function writeOnce(file: string, text: string, mode: number): Promise<boolean> {
  const draft = await writeDraft(file, text, mode);
  try {
    await link(draft, file);
    return true;
  } catch (thrown) {
    if (!hasCode(thrown, 'EEXIST')) throw thrown;
    return false;
  } finally {
    await rm(draft, { force: true });
  }
}

/** In the place of what is there: whoever reads meets the old or the new text. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  await rename(await writeDraft(file, text, mode), file);
}

async function writeDraft(file: string, text: string, mode: number): Promise<string> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  // O_EXCL: nobody has prepared a file or a link there.
  const handle = await open(draft, 'wx', mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

/** Windows has neither user ids nor these bits. */
function checkOwner(path: string, found: { readonly uid: number; readonly mode: number }, wanted: '600' | '700'): void {
  if (process.getuid === undefined) return;
  if (found.uid !== process.getuid()) refuse(path, 'belongs to another user: choose another data folder with --data');
  if ((found.mode & 0o077) !== 0) refuse(path, `can be read or changed by others: run \`chmod ${wanted} ${path}\``);
}

function refuse(path: string, message: string): never {
  throw new GatewayError('storage_unavailable', `${path} ${message}`);
}

/** Whether this is a system error of that kind. */
export function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
