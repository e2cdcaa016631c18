import type { Failure } from './worker-messages.ts';

/** The database cannot be used; `message` is for the operator and names the file. */
export class DatabaseRefusal extends Error {
  override readonly name = 'DatabaseRefusal';
}

/** Whether another process or connection has the lock, so that trying again helps. */
export function isBusy(thrown: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(thrown));
}

/** What was thrown, ready for the other thread. `hasSpace` tells whether the disk has room: some full disks look like I/O errors. */
export function toFailure(thrown: unknown, hasSpace: () => boolean): Failure {
  const code = codeOf(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const detail = code === '' || thrown instanceof DatabaseRefusal ? message : `${code}: ${message}`;
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) return { code: 'storage_full', detail };
  if (/^SQLITE_(IOERR|CANTOPEN)/.test(code) && !hasSpace()) return { code: 'storage_full', detail };
  const isOurs = code === '' && !(thrown instanceof DatabaseRefusal);
  if (isOurs || /^SQLITE_(ERROR|CONSTRAINT|MISMATCH|MISUSE|RANGE|TOOBIG)/.test(code)) return { code: 'internal', detail };
  return { code: 'storage_unavailable', detail };
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}
