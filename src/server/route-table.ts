import type { Dialect } from '../model/dialect.ts';
import { GatewayError } from '../model/errors.ts';
import type { Route } from './exchange.ts';
import { countTokens } from './routes/count-input-tokens.ts';
import { countMessageTokens } from './routes/count-message-tokens.ts';
import { anthropicDoor } from './front-doors/anthropic-door.ts';
import { chatDoor } from './front-doors/chat-door.ts';
import { serveGeminiBody, serveGeminiModel } from './front-doors/gemini-door.ts';
import { responsesDoor } from './front-doors/responses-door.ts';
import { serveFrontDoor } from './front-doors/serve-front-door.ts';
import { listGeminiModels, retrieveGeminiModel } from './routes/gemini-models.ts';
import { listModels, retrieveModel } from './routes/models.ts';
import { deleteSession, retrieveSessions } from './routes/sessions.ts';
import { cancelResponse, deleteResponse, retrieveInputItems, retrieveResponse } from './routes/stored-response.ts';
import { setToken } from './routes/token.ts';

export interface RouteEntry {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  readonly path: string;
  readonly route: Route;
  /** In which its errors are written; that of the caller when absent. */
  readonly dialect?: Dialect;
  /** Routes that anybody may ask; all others need a key where keys are set. */
  readonly isOpen?: true;
  /** Routes that change the gateway: they need the admin key, and without one in the configuration they do not exist. */
  readonly needsAdminKey?: true;
}

/** Every route that speaks the Responses API. A path that ends in `/*` takes the rest of the URL. */
export const apiRoutes: readonly RouteEntry[] = [
  { method: 'POST', path: '/v1/responses', dialect: 'responses', route: (exchange) => serveFrontDoor(responsesDoor, exchange) },
  { method: 'GET', path: '/v1/responses', route: refuseWebSocket },
  { method: 'POST', path: '/v1/chat/completions', dialect: 'chat', route: (exchange) => serveFrontDoor(chatDoor, exchange) },
  { method: 'POST', path: '/v1/responses/input_tokens', route: countTokens },
  { method: 'GET', path: '/v1/responses/:id', route: retrieveResponse },
  { method: 'DELETE', path: '/v1/responses/:id', route: deleteResponse },
  { method: 'POST', path: '/v1/responses/:id/cancel', route: cancelResponse },
  { method: 'GET', path: '/v1/responses/:id/input_items', route: retrieveInputItems },
  { method: 'POST', path: '/v1/messages', dialect: 'anthropic', route: (exchange) => serveFrontDoor(anthropicDoor, exchange) },
  { method: 'POST', path: '/v1/messages/count_tokens', dialect: 'anthropic', route: countMessageTokens },
  { method: 'GET', path: '/v1/models', route: listModels },
  { method: 'GET', path: '/v1/models/*', route: retrieveModel },
  { method: 'POST', path: '/v1/models/*', dialect: 'gemini', route: serveGeminiModel },
  { method: 'POST', path: '/v1/gemini', dialect: 'gemini', route: serveGeminiBody },
  { method: 'GET', path: '/v1beta/models', dialect: 'gemini', route: listGeminiModels },
  { method: 'GET', path: '/v1beta/models/*', dialect: 'gemini', route: retrieveGeminiModel },
  { method: 'POST', path: '/v1beta/models/*', dialect: 'gemini', route: serveGeminiModel },
  { method: 'POST', path: '/v1beta/tunedModels/*', dialect: 'gemini', route: serveGeminiModel },
  { method: 'GET', path: '/v1/sessions', route: retrieveSessions },
  { method: 'DELETE', path: '/v1/sessions/*', route: deleteSession },
  { method: 'POST', path: '/v1/token', route: setToken, needsAdminKey: true },
];

/** Codex tries a WebSocket first and falls back to HTTP silently on 426, and only on 426 (clients.md §1.5). */
async function refuseWebSocket(): Promise<void> {
  throw new GatewayError(
    'upgrade_required',
    'Responses over WebSocket are not available on this gateway yet. Use POST /v1/responses.',
  );
}

/** Where Gemini's clients come, who may put their key into the URL (`?key=`). */
export function takesQueryKey({ dialect, path }: RouteEntry): boolean {
  return dialect === 'gemini' || path.startsWith('/v1/models');
}

/** The error of a request that no route takes: 405 when only the method is wrong, else 404. */
export function unknownRoute(
  method: string,
  url: string,
  entries: readonly RouteEntry[],
): { error: GatewayError; allow: string[] } {
  const path = url.split('?')[0] ?? '';
  const allow = entries.filter((entry) => matches(entry.path, path)).map((entry) => entry.method);
  // A route with this very method did not want it: its parameter is too long or cannot be decoded.
  const isTaken = allow.some((allowed) => allowed === method || (allowed === 'GET' && method === 'HEAD'));
  // Who opens the address in a browser asks for `/`, which HEAD alone has.
  const hint = hintAt(path);
  if (allow.length > 0 && !isTaken) {
    const message = `Not allowed to ${method} on ${path.slice(0, 128)}; use ${allow.join(' or ')}.${hint}`;
    return { error: new GatewayError('method_not_allowed', message), allow };
  }
  return { error: new GatewayError('not_found', `Unknown request URL: ${method} ${path.slice(0, 128)}.${hint}`), allow: [] };
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const got = path.split('/');
  const takesRest = wanted.at(-1) === '*';
  if (takesRest ? got.length < wanted.length : got.length !== wanted.length) return false;
  return wanted.every((segment, at) => segment === '*' || (segment.startsWith(':') ? got[at] !== '' : segment === got[at]));
}

/** What is wrong with the base URL of a client that comes to such a path. */
function hintAt(path: string): string {
  if (/^\/v1(beta)?\/v1(beta)?\//.test(path)) return ' This client adds the version by itself: its base URL must not end in it.';
  return /^\/(v1(beta)?\/|health$|metrics$)/.test(path) ? '' : ' The base URL of this API ends in /v1.';
}
