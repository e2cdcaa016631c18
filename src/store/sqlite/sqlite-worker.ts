// The database thread: opens the file of `workerData`, then answers calls. SQLite may wait for a disk or a lock here; the main thread never does.
import { isMainThread, parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { DatabaseHandlers } from './database-handlers.ts';
import { openDatabase } from './open-database.ts';
import { hasDiskSpace } from './disk-space.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { toFailure } from './sqlite-failure.ts';
import type { DatabaseSettings, Failure, StoreCall, WorkerReply, WorkerRequest } from './worker-messages.ts';

async function runDatabaseThread(port: MessagePort, settings: DatabaseSettings): Promise<void> {
  const reply = (message: WorkerReply): void => {
    port.postMessage(message);
  };
  const describe = (thrown: unknown): Failure => toFailure(thrown, () => hasDiskSpace(settings.file));

  let connection: SqliteConnection;
  try {
    connection = await retryWhileBusy(async () => openDatabase(settings), settings.busyTimeoutMs);
  } catch (thrown) {
    reply({ opened: describe(thrown) });
    return;
  }
  // The file is known to be sound: the gateway need not wait for the query builder, which takes longer to load than the database to open.
  reply({ opened: null });
  const { createDatabaseHandlers } = await import('./database-handlers.ts');
  const handlers = createDatabaseHandlers(connection, settings);

  port.on('message', (request: WorkerRequest) => {
    handle(handlers, request).then(
      (result) => {
        reply({ id: request.id, result });
        if (request.kind === 'close') port.close();
      },
      (thrown: unknown) => {
        reply({ id: request.id, failure: describe(thrown) });
      },
    );
  });
}

function handle<K extends StoreCall>(handlers: DatabaseHandlers, request: WorkerRequest<K>): Promise<unknown> {
  return handlers[request.kind](request.argument);
}

// The casts of workerData: spawnDatabaseWorker alone starts this file.
if (!isMainThread && parentPort !== null) await runDatabaseThread(parentPort, workerData as DatabaseSettings);
