// Runs before `npm start`: builds only when a source is newer than the last build, so that starting stays fast.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const newest = (folder) =>
  Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((e) => e.isFile())
      .map((e) => statSync(join(e.parentPath ?? e.path, e.name)).mtimeMs),
  );
let built = 0;
try {
  built = statSync('dist/main.js').mtimeMs;
} catch {
  // never built
}
if (newest('src') > built) {
  console.error('antiphon: sources are newer than dist/, building …');
  // On stderr: stdout belongs to the command that is started next.
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['inherit', process.stderr, 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}
