import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '../engine/deps.ts';
import type { AppOptions } from './app-options.ts';

/** One HTTP request on its way through the server. Everything a route may use of it. */
export interface Exchange {
  readonly id: string;
  /** `performance.now()` at its start. */
  readonly startedAt: number;
  readonly request: IncomingMessage;
  readonly raw: ServerResponse;
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  readonly context: RequestContext;
  /** Aborts when the client leaves before the answer is over. */
  readonly gone: AbortSignal;
  /** Aborts when the gateway must stop and running responses have to end with what there is. */
  readonly stopping: AbortSignal;
  readonly options: AppOptions;
}

/** A route: answers on `raw`, or throws a GatewayError before anything was sent. */
export type Route = (exchange: Exchange) => Promise<void>;

/** Answers with JSON. `openai-processing-ms` is how long it took so far. */
export function sendJson(exchange: Exchange, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const json = JSON.stringify(body);
  exchange.raw.writeHead(200, { ...jsonHeaders(json), ...timing(exchange), ...headers }).end(json);
}

/** Answers with JSON that is there already. */
export function sendBytes(exchange: Exchange, bytes: Uint8Array, headers: Readonly<Record<string, string>>): void {
  const length = { 'content-type': jsonType, 'content-length': String(bytes.length) };
  exchange.raw.writeHead(200, { ...length, ...timing(exchange), ...headers }).end(bytes);
}

const jsonType = 'application/json; charset=utf-8';

/** Type and length of a JSON body: with its length known it needs no chunks. */
export function jsonHeaders(json: string): Record<string, string> {
  return { 'content-type': jsonType, 'content-length': String(Buffer.byteLength(json)) };
}

/** Milliseconds since the request came in. */
export function elapsed(exchange: Pick<Exchange, 'startedAt'>): number {
  return Math.round(performance.now() - exchange.startedAt);
}

/** The header that tells how long the answer took, in milliseconds. */
export function timing(exchange: Pick<Exchange, 'startedAt'>): { 'openai-processing-ms': string } {
  return { 'openai-processing-ms': String(elapsed(exchange)) };
}
