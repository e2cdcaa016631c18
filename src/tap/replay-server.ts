import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseJson } from '../lib/json.ts';
import { createSecretBlanker } from './recording/blank-secrets.ts';
import { BodyCollector, createMemoryBudget } from './recording/body-collector.ts';
import { createRecordingFinder, type RecordingFinder } from './recording/find-recording.ts';
import { loadRecordings } from './recording/load-recordings.ts';
import { readRoute } from './recording/read-route.ts';
import { normalisePath, type ComparedRequest } from './recording/request-key.ts';
import { sendRecording } from './recording/send-recording.ts';

export interface ReplayServerOptions {
  /** A folder that `openExchangeRecorder` wrote, or another one in the format of `shared/recordings/README.md`. */
  readonly directory: string;
  /** Address to listen on; loopback when absent: recordings hold what people said to a model. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port: number;
  /** `original`: with the pauses of the recorded server, as far as they are noted. */
  readonly timing: 'original' | 'none';
  /** Where no recording is of the same request, take turns among those of the same route, kind of answer and model (else of any model), as `replay.mjs` does. */
  readonly loose?: boolean;
}

export interface ReplayServer {
  /** `http://127.0.0.1:8080`, without a slash at its end. */
  readonly url: string;
  /** How many exchanges it can answer with. */
  readonly exchanges: number;
  /** Lines of the folder that are no recordings. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** Larger requests get a 413: the whole body is compared. */
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * Serves recorded exchanges as a model server. The same request gets the same answer: method, path and query without credentials, and the JSON body whatever the order of its keys; ids and marks
 * are passed over when no recording has the same ones. A request without a recording gets a 404 that names the nearest one. Rejects when the folder or the port cannot be had.
 */
export async function startReplayServer(options: ReplayServerOptions): Promise<ReplayServer> {
  const { directory, host = '127.0.0.1', port, timing, loose = false } = options;
  const { recordings, warnings } = await loadRecordings(directory);
  const replay: Replay = { finder: createRecordingFinder(recordings, loose), keepsTiming: timing === 'original' };
  const server = createServer((request, response) => {
    answer(request, response, replay).catch(() => {
      // The client left in the middle of its request.
      response.destroy();
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: toUrl(server.address()),
    exchanges: recordings.length,
    warnings,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Replay {
  readonly finder: RecordingFinder;
  readonly keepsTiming: boolean;
}

async function answer(request: IncomingMessage, response: ServerResponse, replay: Replay): Promise<void> {
  if (isForeignPage(request)) {
    sendError(response, { code: 403, status: 'PERMISSION_DENIED', message: 'Pages of other web sites may not read recordings.' });
    return;
  }
  const asked = await readRequest(request);
  if (asked === null) {
    const message = `The request body is larger than ${maxBodyBytes} bytes, or its compression is corrupt.`;
    sendError(response, { code: 413, status: 'INVALID_ARGUMENT', message });
    return;
  }
  const found = replay.finder.find(asked);
  if (typeof found === 'string') {
    sendError(response, { code: 404, status: 'NOT_FOUND', message: found });
    return;
  }
  const { kind, streamRequested } = readRoute(asked.path, '', asked.body);
  const asArray = kind === 'gemini' && streamRequested && !/[?&]alt=sse(?:&|$)/.test(asked.path);
  await sendRecording(found, response, { asArray, keepsTiming: replay.keepsTiming });
}

/** Null when the body is too large or cannot be decompressed. */
async function readRequest(request: IncomingMessage): Promise<ComparedRequest | null> {
  const { method = 'GET', url = '/', headers } = request;
  const collector = new BodyCollector({
    encoding: headers['content-encoding'] ?? '',
    maxBytes: maxBodyBytes,
    budget: createMemoryBudget(maxBodyBytes),
    now: () => 0,
  });
  for await (const bytes of request as AsyncIterable<Buffer>) collector.push(bytes);
  collector.end();
  const { pieces, isCut } = await collector.whole;
  if (isCut) return null;
  // In the absolute form that clients use with proxies, host and scheme do not matter.
  const path = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  // Only this request's own credentials: those of others say nothing about its body.
  const blanker = createSecretBlanker([]);
  blanker.learn(path, flatten(headers));
  const text = blanker.blankText(Buffer.concat(pieces.map((piece) => piece.bytes)).toString());
  return { method, path: normalisePath(path, blanker), body: parseJson(text) ?? (text === '' ? null : text) };
}

function flatten(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value = '']) => [name, Array.isArray(value) ? value.join(', ') : value]);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** DNS rebinding: a page could read what people said to a model. Browsers name the page's origin with every POST; programs send none. */
function isForeignPage({ headers }: IncomingMessage): boolean {
  const { origin } = headers;
  if (origin === undefined) return headers['sec-fetch-site'] === 'cross-site';
  return !/^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(origin);
}

/** In the form of Google's APIs, which the SDKs of others show as text. */
function sendError(
  response: ServerResponse,
  error: { readonly code: number; readonly status: string; readonly message: string },
): void {
  const body = JSON.stringify({ error });
  response.writeHead(error.code, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function toUrl(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('the replay server listens on no port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
