import type { DatabaseConnection, Dialect, SqliteDatabase, SqliteStatement } from 'kysely';
import { CompiledQuery, SqliteAdapter, SqliteDriver, SqliteIntrospector, SqliteQueryCompiler } from '../load-kysely.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Preparing costs more than most of our statements; the store has fewer than this. */
const cachedStatements = 200;

/** Kysely over an open libsql connection, with prepared statements kept and transactions that take the write lock at once. */
export function createSqliteDialect(connection: SqliteConnection): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new StoreDriver(connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class StoreDriver extends SqliteDriver {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    super({ database: cacheStatements(connection) });
    this.#connection = connection;
  }

  /** A transaction that reads first and then cannot get the lock would have read in vain. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** SQLite rolls back by itself when the disk is full; a second rollback would throw and hide the reason. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#connection.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }
}

function cacheStatements(connection: SqliteConnection): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close() {
      connection.close();
    },
    prepare(sql) {
      const kept = statements.get(sql);
      if (kept !== undefined) return kept;
      const [oldest] = statements.keys();
      if (statements.size >= cachedStatements && oldest !== undefined) statements.delete(oldest);
      const statement = connection.prepare(sql);
      const { reader } = statement;
      const prepared: SqliteStatement = {
        reader,
        all: (parameters) => statement.all(parameters),
        run: (parameters) => statement.run(parameters),
        iterate: (parameters) => statement.iterate(parameters),
      };
      statements.set(sql, prepared);
      return prepared;
    },
  };
}
