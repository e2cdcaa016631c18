import { createServer } from 'node:net';

/**
 * A port on 127.0.0.1 that was free a moment ago, where one server's settings have to name another server before it runs. It lies below the range that systems give away by themselves,
 * so that no connection of another test takes it in between.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
