import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { parseJson } from '../../lib/json.ts';

/** A file that grows by whole lines. */
export interface RecordingFile {
  /** `line` without its end. Rejects when the disk does not take it; the file then ends as before. Lines are written in the order of the calls. */
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens or makes it, for its owner alone. Half a line at its end, left by a process that was killed, is taken away. Rejects when that fails. */
export async function openRecordingFile(path: string): Promise<RecordingFile> {
  // No link is followed: whoever could put one there would have our bytes written into another file.
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const handle = await open(path, flags, 0o600);
  try {
    await handle.chmod(0o600);
    await mendEnd(handle);
  } catch (error) {
    await handle.close();
    throw error;
  }
  let last: Promise<void> = Promise.resolve();
  return {
    append(line) {
      const written = last.then(() => writeLine(handle, Buffer.from(`${line}\n`)));
      last = written.catch(() => undefined);
      return written;
    },
    async close() {
      await last;
      await handle.close();
    },
  };
}

async function writeLine(handle: FileHandle, bytes: Buffer): Promise<void> {
  const { size } = await handle.stat();
  try {
    for (let done = 0; done < bytes.length;) done += (await handle.write(bytes, done)).bytesWritten;
  } catch (error) {
    // A full disk takes a part; what it took has to go again, or the next line would continue it.
    await handle.truncate(size);
    throw error;
  }
}

async function mendEnd(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  const { text, begin } = await readLastLine(handle, size);
  if (text === '') return;
  if (parseJson(text) === undefined) await handle.truncate(begin);
  else await handle.write('\n');
}

/** What stands behind the last line end, and where it begins. */
async function readLastLine(handle: FileHandle, size: number): Promise<{ readonly text: string; readonly begin: number }> {
  const step = 64 * 1024;
  let tail: Buffer = Buffer.alloc(0);
  for (let begin = size; begin > 0;) {
    const length = Math.min(step, begin);
    begin -= length;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, begin);
    tail = Buffer.concat([buffer.subarray(0, bytesRead), tail]);
    const end = tail.lastIndexOf(0x0a);
    if (end !== -1) return { text: tail.subarray(end + 1).toString(), begin: begin + end + 1 };
  }
  return { text: tail.toString(), begin: 0 };
}
