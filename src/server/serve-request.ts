import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../model/errors.ts';
import type { AppOptions } from './app-options.ts';
import { reportRequest } from './channels.ts';
import { sendPreflight, toCorsHeaders } from './cors.ts';
import { dialectAt } from './dialect-of.ts';
import { sendError } from './error-answer.ts';
import { timing, type Exchange } from './exchange.ts';
import type { Authenticate } from './guards/authenticate.ts';
import type { CheckAdminKey } from './guards/check-admin-key.ts';
import { checkHost } from './guards/check-host.ts';
import { takesQueryKey, unknownRoute, type RouteEntry } from './route-table.ts';

/** What stands around every route. */
export interface Surroundings {
  readonly options: AppOptions;
  readonly authenticate: Authenticate;
  /** Null: there is no admin key. */
  readonly checkAdminKey: CheckAdminKey | null;
  /** Aborts when running responses have to end. */
  readonly stopping: AbortSignal;
  /** Asked for each request: whether new work is still taken. */
  readonly isClosing: () => boolean;
  readonly routes: readonly RouteEntry[];
}

/**
 * One request from first to last: host check, authentication, route, error answer, report; over when the answer has been written out or its connection is closed. Never rejects. `entry` is
 * undefined when no route matched.
 */
export async function serveRequest(
  request: FastifyRequest,
  raw: ServerResponse,
  entry: RouteEntry | undefined,
  around: Surroundings,
): Promise<void> {
  const { gone, over } = watchClient(raw);
  const facts = { id: around.options.engine.newId('req'), startedAt: performance.now(), gone };
  let failed: GatewayError | null = null;
  try {
    await runRoute(request, raw, entry, { ...around, ...facts });
  } catch (thrown) {
    failed = GatewayError.from(thrown);
    if (gone.aborted) raw.destroy();
    else {
      if (!raw.headersSent) raw.setHeader('openai-processing-ms', timing(facts)['openai-processing-ms']);
      sendError(raw, failed, {
        dialect: entry?.dialect ?? dialectAt(request.url, request.headers),
        requestId: facts.id,
      });
    }
  }
  const isGone = gone.aborted;
  reportRequest({
    requestId: facts.id,
    method: request.method,
    route: entry?.path ?? 'unknown',
    status: isGone ? 499 : raw.statusCode,
    durationMs: Math.round(performance.now() - facts.startedAt),
    error: isGone ? null : failed,
  });
  await over;
}

type Facts = Surroundings & Pick<Exchange, 'id' | 'startedAt' | 'gone'>;

async function runRoute(
  request: FastifyRequest,
  raw: ServerResponse,
  entry: RouteEntry | undefined,
  facts: Facts,
): Promise<void> {
  const { options } = facts;
  setCommonHeaders(raw, { id: facts.id, cors: toCorsHeaders(request.headers, options.allowedOrigins) });
  checkHost(request.raw, options);
  if (request.method === 'OPTIONS' && sendPreflight(raw)) return;
  if (facts.isClosing()) {
    raw.setHeader('connection', 'close');
    throw new GatewayError('server_overloaded', 'The gateway is shutting down.', { retryAfter: 1 });
  }
  // Refused before anybody is asked for a key, whichever it would be.
  if (entry?.needsAdminKey === true && facts.checkAdminKey === null) throw refuse(request, raw, facts.routes);
  const owner = identify(entry, request, facts);
  if (entry === undefined) throw refuse(request, raw, facts.routes);
  await entry.route(toExchange(request, raw, owner, facts));
}

/** Whose things the route may see. */
function identify(
  entry: RouteEntry | undefined,
  { headers, url }: Pick<FastifyRequest, 'headers' | 'url'>,
  { authenticate, checkAdminKey }: Facts,
): string {
  if (entry?.isOpen === true) return 'local';
  const queryKey = entry !== undefined && takesQueryKey(entry) ? queryOf(url).get('key') : null;
  if (entry?.needsAdminKey !== true) return authenticate(headers, queryKey);
  checkAdminKey?.(headers.authorization);
  return 'admin';
}

function toExchange(request: FastifyRequest, raw: ServerResponse, owner: string, facts: Facts): Exchange {
  return {
    id: facts.id,
    startedAt: facts.startedAt,
    request: request.raw,
    raw,
    // The router gives strings only.
    params: request.params as Record<string, string | undefined>,
    query: queryOf(request.url),
    context: { owner, strict: request.headers['antiphon-strict'] === 'true' },
    gone: facts.gone,
    stopping: facts.stopping,
    options: facts.options,
  };
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

/**
 * `over` resolves when the answer has been written out or the connection is closed; `gone` aborts in the second case. Node tells that only to the answer whose turn it is: one that waits
 * behind another (pipelining) learns it from the socket.
 */
function watchClient(raw: ServerResponse): { readonly gone: AbortSignal; readonly over: Promise<void> } {
  const gone = new AbortController();
  const { socket } = raw.req;
  const over = new Promise<void>((resolve) => {
    const leave = (): void => {
      socket.off('close', leave);
      if (!raw.writableFinished) gone.abort();
      resolve();
    };
    raw.once('close', leave);
    socket.once('close', leave);
  });
  return { gone: gone.signal, over };
}

function setCommonHeaders(raw: ServerResponse, { id, cors }: { id: string; cors: Readonly<Record<string, string>> }): void {
  raw.setHeader('x-request-id', id);
  // The name that Anthropic's SDK reads.
  raw.setHeader('request-id', id);
  raw.setHeader('cache-control', 'no-store');
  raw.setHeader('vary', 'Authorization, X-Api-Key, X-Goog-Api-Key, Origin');
  for (const [name, value] of Object.entries(cors)) raw.setHeader(name, value);
}

function refuse(request: FastifyRequest, raw: ServerResponse, routes: readonly RouteEntry[]): GatewayError {
  const { error, allow } = unknownRoute(request.method, request.url, routes);
  if (allow.length > 0) raw.setHeader('allow', allow.join(', '));
  return error;
}
