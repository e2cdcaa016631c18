import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { DatabaseSettings } from './worker-messages.ts';

/**
 * Starts the database thread. The built gateway has `sqlite-worker.js` beside this file. From the sources (tests, `npm run dev`, the bench) there is only
 * `sqlite-worker.ts`, and threads of Node 20 do not inherit a TypeScript loader, so the thread first registers tsx.
 */
export function spawnDatabaseWorker(settings: DatabaseSettings): Worker {
  // No execArgv: flags of the main thread (an inspector port, a loader) are not meant for this one.
  const options: WorkerOptions = { name: 'antiphon-store', workerData: settings, execArgv: [] };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./sqlite-worker.js', import.meta.url), options);

  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const file = JSON.stringify(new URL('./sqlite-worker.ts', import.meta.url).href);
  return new Worker(`import(${loader}).then(({ register }) => { register(); return import(${file}); });`, {
    ...options,
    eval: true,
  });
}
