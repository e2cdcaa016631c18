import { join, resolve } from 'node:path';

/** An absolute path: `~/` is the home directory, a relative path begins at `base`. */
export function resolvePath(path: string, base: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : resolve(base, path);
}
