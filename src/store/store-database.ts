import type { Dialect, Kysely as KyselyDatabase, Transaction } from 'kysely';
import { Kysely } from './load-kysely.ts';
import type { StoreSchema } from './store-schema.ts';

export type StoreDatabase = KyselyDatabase<StoreSchema>;
export type StoreTransaction = Transaction<StoreSchema>;

/** The query builder over one engine. All queries over it are portable between SQLite and PostgreSQL. */
export function createStoreDatabase(dialect: Dialect): StoreDatabase {
  return new Kysely<StoreSchema>({ dialect });
}
