import type { ServerResponse } from 'node:http';
import { setMaxListeners } from 'node:events';
import { Server } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { App, AppOptions } from './app-options.ts';
import { sendJson } from './exchange.ts';
import { createAuthenticate } from './guards/authenticate.ts';
import { createCheckAdminKey } from './guards/check-admin-key.ts';
import { createHttpServer } from './http-server.ts';
import { openMetrics, type Metrics } from './metrics.ts';
import { apiRoutes, type RouteEntry } from './route-table.ts';
import { serveRequest, type Surroundings } from './serve-request.ts';

/** How long answers that were told to end may take to do so. */
const lastWordsMs = 2_000;

/** The whole HTTP server of one gateway. */
export function createApp(options: AppOptions): App {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const running = new Set<Promise<void>>();
  let isClosing = false;
  const metrics = openMetrics({ inFlight: () => running.size, breakers: () => options.engine.router.breakers() });
  const routes = [...apiRoutes, ...ownRoutes(options.version, metrics)];
  const around: Surroundings = {
    ...{ options, stopping: stopping.signal, isClosing: () => isClosing },
    // What nobody can open is not there, so that no answer hints at it.
    routes: routes.filter((entry) => entry.needsAdminKey === undefined || options.adminKey !== null),
    authenticate: createAuthenticate(options.keys),
    checkAdminKey: options.adminKey === null ? null : createCheckAdminKey(options.adminKey),
  };

  function serve(request: FastifyRequest, raw: ServerResponse, entry: RouteEntry | undefined): void {
    const served = serveRequest(request, raw, entry, around);
    running.add(served);
    void served.then(() => running.delete(served));
  }
  const server = createHttpServer((request, raw) => {
    serve(request, raw, undefined);
  });
  for (const entry of routes) {
    server.route({
      method: entry.method,
      url: entry.path,
      onRequest: (request, reply) => {
        reply.hijack();
        serve(request, reply.raw, entry);
      },
      // Never reached: the whole request belongs to us from its first hook on.
      handler: () => undefined,
    });
  }

  return {
    listen: (port, host) => server.listen({ port, host }),
    async close(graceMs) {
      isClosing = true;
      // Only the socket that listens: the HTTP server's own close would also cut off answers that have ended but are still on their way.
      Server.prototype.close.call(server.server);
      const grace = setTimeout(() => {
        stopping.abort();
      }, graceMs);
      // A client that does not read would never let its answer end.
      const patience = setTimeout(() => {
        server.server.closeAllConnections();
      }, graceMs + lastWordsMs);
      await Promise.all(running);
      clearTimeout(grace);
      clearTimeout(patience);
      server.server.closeAllConnections();
      await server.close();
      metrics.close();
    },
  };
}

/** Routes about the gateway itself. */
function ownRoutes(version: string, metrics: Metrics): RouteEntry[] {
  return [
    {
      method: 'GET',
      path: '/health',
      isOpen: true,
      route: async (exchange) => {
        sendJson(exchange, { status: 'ok', version });
      },
    },
    {
      // Claude Code asks this first and wants any 2xx (clients.md §3).
      method: 'HEAD',
      path: '/',
      isOpen: true,
      route: async ({ raw }) => {
        raw.writeHead(200).end();
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      route: async ({ raw }) => {
        const { text, contentType } = await metrics.print();
        raw.writeHead(200, { 'content-type': contentType }).end(text);
      },
    },
  ];
}
