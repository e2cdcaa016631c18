import { open } from 'node:fs/promises';

const maxBytes = 64 * 1024;

/**
 * Content (UTF-8, the first 64 KiB) and permission bits of a file, both of the same open file; null when it does not exist. Windows has no such bits: there they say that
 * only the owner may read it.
 */
export async function readTokenFile(path: string): Promise<{ readonly text: string; readonly mode: number } | null> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const { mode } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return { text: buffer.toString('utf8', 0, bytesRead), mode: process.platform === 'win32' ? 0o600 : mode & 0o777 };
  } finally {
    await file.close();
  }
}
