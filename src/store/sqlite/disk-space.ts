import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether the disk of that file has room for anybody. */
export function hasDiskSpace(file: string): boolean {
  return statfsSync(dirname(file)).bavail > 0;
}
