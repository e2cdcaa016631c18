// Runs the official clients against every backend and writes what was found to docs/compatibility.md.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/e2e/compatibility'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  env: { ...process.env, COMPATIBILITY: 'write' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
