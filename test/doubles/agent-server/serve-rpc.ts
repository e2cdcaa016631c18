import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf } from '../gemini-model/gemini-words.ts';
import { breakOff, readBody } from '../gemini-model/loopback-server.ts';
import type { LoggedRpc, RpcFault } from './agent-server-options.ts';
import { isKnownMethod, readMessage } from './check-message.ts';
import { decodeRequestEnvelope, RpcError } from './connect-wire.ts';
import { rpcMethods } from './rpc-methods.ts';
import type { ServerState } from './server-state.ts';
import { serveStream, streamMethods } from './stream-methods.ts';

const servicePath = /^\/exa\.language_server_pb\.LanguageServerService\/(\w+)$/;

/** One HTTP exchange of the agent server: checks, then the call. Connect's unary JSON, and its enveloped streams. */
export async function serveRpc(state: ServerState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { raw } = await readBody(request);
  const method = servicePath.exec(request.url ?? '')?.[1] ?? '';
  const isStream = streamMethods.includes(method);
  const entry = logRpc(state, method, request);
  try {
    checkMethod(state, request);
    checkAccess(state, request);
    const message = readRequest(method, request, raw);
    entry.body = message;
    const fault = findFault(state, method, message);
    if (fault === 'hang') return;
    if (fault === 'close') {
      breakOff(response);
      return;
    }
    if (fault !== undefined && 'code' in fault) throw new RpcError(fault.code, fault.message, fault.status);
    if (fault !== undefined) await sleep(fault.delayMs);
    answer(state, entry, { message: readMessage(method, message), isStream, response });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    entry.status = error.status;
    writeJson(response, error.status, error.toJson());
  } finally {
    state.changes.changed();
  }
}

type OpenEntry = { -readonly [Key in keyof LoggedRpc]: LoggedRpc[Key] };

function logRpc(state: ServerState, method: string, { headers }: IncomingMessage): OpenEntry {
  const entry: OpenEntry = { type: 'rpc', method, headers, body: {}, at: performance.now(), status: 0 };
  if (state.options.keepsLog !== false) state.log.push(entry);
  return entry;
}

/** The method is looked up first, as a router would. */
function checkMethod({ quirks }: ServerState, { method, url = '' }: IncomingMessage): void {
  const [, name = ''] = servicePath.exec(url) ?? [];
  const isMissing = name === 'StreamAgentStateUpdates' && quirks.stateStream === 'missing';
  if (!isKnownMethod(name) || isMissing) throw new RpcError('unimplemented', `${name} is not implemented`, 404);
  if (method !== 'POST') throw new RpcError('unimplemented', 'only POST', 405);
}

/** The CSRF value comes before the token. */
function checkAccess(state: ServerState, { headers }: IncomingMessage): void {
  const { csrf } = state.options;
  if (csrf !== undefined && !isSame(headers['x-codeium-csrf-token'], csrf))
    throw new RpcError('unauthenticated', 'missing or invalid CSRF token');
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (state.tokens === null || state.tokens.some((known) => isSame(token, known))) return;
  state.unauthorized += 1;
  throw new RpcError('unauthenticated', 'missing or invalid access token');
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return typeof given === 'string' && timingSafeEqual(hash(given), hash(expected));
}

/** The message as it came; a wrong type throws here, before anything is counted. */
function readRequest(method: string, request: IncomingMessage, raw: Buffer): JsonObject {
  const isStream = streamMethods.includes(method);
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim();
  if (type !== (isStream ? 'application/connect+json' : 'application/json'))
    throw new RpcError('invalid_argument', `unsupported content type ${type ?? ''}`, 415);
  const text = isStream ? decodeRequestEnvelope(raw) : raw.toString();
  const value = text === '' ? {} : parseJson(text);
  if (value === undefined) throw new RpcError('invalid_argument', 'proto: syntax error: not JSON');
  readMessage(method, value);
  return objectOf(value);
}

function findFault(state: ServerState, method: string, body: JsonObject): RpcFault | undefined {
  const count = (state.rpcCounts.get(method) ?? 0) + 1;
  state.rpcCounts.set(method, count);
  return state.options.onRpc?.({ method, body, count });
}

interface RpcAnswer {
  readonly message: JsonObject;
  readonly isStream: boolean;
  readonly response: ServerResponse;
}

function answer(state: ServerState, entry: OpenEntry, { message, isStream, response }: RpcAnswer): void {
  if (isStream) {
    entry.status = 200;
    serveStream(state, entry.method, message, response);
    return;
  }
  const result = rpcMethods[entry.method]?.(state, message) ?? {};
  entry.status = 200;
  writeJson(response, 200, result);
}

function writeJson(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
}
