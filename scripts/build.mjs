// Builds dist/ (or the folder named as argument). What runs at start goes into few files: reading some hundred small modules took half of the time until the gateway
// listened. Packages with native parts, and those that are loaded later and whole, stay outside.
import { build } from 'tsdown';

await build({
  config: false,
  entry: { main: 'src/main.ts', 'sqlite-worker': 'src/store/sqlite/sqlite-worker.ts' },
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  outDir: process.argv[2] ?? 'dist',
  outExtensions: () => ({ js: '.js' }),
  clean: true,
  dts: false,
  sourcemap: true,
  logLevel: 'warn',
  deps: {
    alwaysBundle: ['fastify', 'zod', 'yaml', 'undici', 'fzstd'],
    neverBundle: ['libsql', 'pino', 'kysely', 'prom-client', 'gpt-tokenizer', '@peculiar/x509', 'reflect-metadata'],
  },
});
