/**
 * The model server of the bench, as a process of its own: chat completions, Messages, Responses and Gemini from prebuilt buffers, so that it costs as little as possible.
 * A model named `stall` gets the first socket write and then nothing, until its client leaves.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { chatWire, geminiWire, messagesWire, responsesWire, type Wire } from './wire.ts';

interface Playing {
  readonly response: ServerResponse;
  readonly writes: readonly Buffer[];
  next: number;
}

/** Milliseconds between two writes of one stream; a real model server pauses, too. */
const pauseMilliseconds = Number(process.argv[2] ?? 0);
const playing = new Set<Playing>();

function schedule(): void {
  if (pauseMilliseconds === 0) setImmediate(playAll);
  else setTimeout(playAll, pauseMilliseconds);
}

/** One write to every open stream. One timer for all of them keeps this process cheap. */
function playAll(): void {
  for (const stream of playing) playOne(stream);
  if (playing.size > 0) schedule();
}

function playOne(stream: Playing): void {
  const buffer = stream.writes[stream.next++];
  if (buffer === undefined || stream.response.destroyed) playing.delete(stream);
  else if (stream.next < stream.writes.length) stream.response.write(buffer);
  else {
    playing.delete(stream);
    stream.response.end(buffer);
  }
}

/** The first write goes out at once, so that the time to the first byte is the subject's own. */
function sendStream(response: ServerResponse, wire: Pick<Wire, 'writes'>, stalls: boolean): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const stream = { response, writes: wire.writes, next: 0 };
  playOne(stream);
  if (stalls) return;
  playing.add(stream);
  if (playing.size === 1) schedule();
}

function sendJson(response: ServerResponse, body: Buffer | string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '';
  const body = await text(request);
  if (url === '/v1/chat/completions') {
    if (/"stream":\s*true/.test(body)) sendStream(response, chatWire, /"model":\s*"stall"/.test(body));
    else sendJson(response, chatWire.whole);
  } else if (url.startsWith('/v1/messages')) sendStream(response, messagesWire, false);
  else if (url === '/v1/responses') sendStream(response, responsesWire, false);
  else if (url.includes(':streamGenerateContent')) sendStream(response, geminiWire, url.includes('/stall:'));
  else if (url.includes(':generateContent')) sendJson(response, geminiWire.whole);
  else if (url.startsWith('/v1/models'))
    sendJson(response, JSON.stringify({ object: 'list', data: ['bench', 'stall'].map(chatModel) }));
  else if (url.startsWith('/v1beta/models')) sendJson(response, JSON.stringify({ models: ['bench', 'stall'].map(geminiModel) }));
  else sendJson(response, JSON.stringify({ error: { message: `the bench has nothing at ${url}` } }), 404);
}

function chatModel(id: string): object {
  return { id, object: 'model', created: 1_790_000_000, owned_by: 'bench' };
}

function geminiModel(id: string): object {
  return {
    name: `models/${id}`,
    supportedGenerationMethods: ['generateContent'],
    inputTokenLimit: 1_000_000,
    outputTokenLimit: 65_536,
  };
}

const server = createServer((request, response) => void answer(request, response));
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`upstream listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
