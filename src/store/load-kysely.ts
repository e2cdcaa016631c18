import { createRequire } from 'node:module';
import type * as KyselyModule from 'kysely';

// Kysely is 280 small files. Its CommonJS build loads in 160 ms of CPU, the ES modules in 280 ms (and in 2 s under tsx, in every test that opens a
// database); that much counts in a gateway that starts in less than half a second. The cast: both builds have the same members.
const kysely = createRequire(import.meta.url)('kysely') as typeof KyselyModule;

/** Kysely's values; types come from the package itself. */
export const { CompiledQuery, Kysely, SqliteAdapter, SqliteDriver, SqliteIntrospector, SqliteQueryCompiler } = kysely;
