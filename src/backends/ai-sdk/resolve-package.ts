import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isJsonObject, parseJson } from '../../lib/json.ts';

/**
 * Where `import` would find a package for a file in one of these folders, the first one that has it: a file URL, or null when none has. Node itself resolves only for the file that asks, and that is
 * never the user's.
 */
export async function resolvePackage(specifier: string, folders: readonly string[]): Promise<string | null> {
  const { name, subpath } = splitSpecifier(specifier);
  for (const folder of folders) {
    for (const place of upwards(folder)) {
      const root = join(place, 'node_modules', ...name.split('/'));
      const manifest = parseJson(await readFile(join(root, 'package.json'), 'utf8').catch(() => ''));
      if (!isJsonObject(manifest)) continue;
      const entry = findEntry(manifest, subpath);
      return entry === undefined ? null : pathToFileURL(join(root, entry)).href;
    }
  }
  return null;
}

/** `@scope/name/sub/path` → `@scope/name`, `./sub/path`. */
function splitSpecifier(specifier: string): { readonly name: string; readonly subpath: string } {
  const words = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  const rest = words.slice(length).join('/');
  return { name: words.slice(0, length).join('/'), subpath: rest === '' ? '.' : `./${rest}` };
}

function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}

function findEntry({ exports, main }: { readonly [key: string]: unknown }, subpath: string): string | undefined {
  if (exports === undefined) return subpath === '.' ? (typeof main === 'string' ? main : 'index.js') : subpath;
  const isMap = isJsonObject(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
  const target = isMap ? exports[subpath] : subpath === '.' ? exports : undefined;
  const path = pickTarget(target);
  // A target outside of its package is none, as for Node.
  return path?.startsWith('./') === true && !path.includes('..') ? path : undefined;
}

const conditions: ReadonlySet<string> = new Set(['node', 'import', 'module-sync', 'require', 'default']);

/** The first condition that holds, in the order of the package. */
function pickTarget(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (Array.isArray(target)) return target.map(pickTarget).find((path) => path !== undefined);
  if (!isJsonObject(target)) return undefined;
  const held = Object.entries(target).filter(([condition]) => conditions.has(condition));
  return held.map(([, nested]) => pickTarget(nested)).find((path) => path !== undefined);
}
