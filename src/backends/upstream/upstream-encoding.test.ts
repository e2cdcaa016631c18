import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import {
  eventStreamHead,
  httpAnswer,
  httpChunk,
  httpHead,
  openRawUpstream,
  type RawRequest,
  type RawUpstream,
} from '../../../test/doubles/raw-upstream.ts';
import { GatewayError } from '../../model/errors.ts';
import { sendForJson } from './read-json.ts';
import { createUpstreamClient, type UpstreamAnswer, type UpstreamClient } from './upstream-client.ts';

const open = closedAfterEach();

async function serve(answer: (request: RawRequest) => void): Promise<RawUpstream> {
  const upstream = await openRawUpstream(answer);
  open.push(upstream);
  return upstream;
}

function newClient(): UpstreamClient {
  const client = createUpstreamClient({ timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 } });
  open.push(client);
  return client;
}

const send = (upstream: RawUpstream): Promise<UpstreamAnswer> =>
  newClient().send({ method: 'GET', url: upstream.url, headers: {} }, new AbortController().signal);

async function outcomeOf(answer: UpstreamAnswer): Promise<{ text: string; code: string | undefined }> {
  const pieces: Uint8Array[] = [];
  let code: string | undefined;
  try {
    for await (const piece of answer.body) pieces.push(piece);
  } catch (error) {
    code = (error as GatewayError).code;
  }
  return { text: Buffer.concat(pieces).toString(), code };
}

const text = JSON.stringify({ text: 'é'.repeat(10_000) });

test.each([
  ['gzip', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  ['GZIP', gzipSync(text)],
  ['br', brotliCompressSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['identity', Buffer.from(text)],
])('an answer in %s is decoded although nobody asked for it', async (encoding, bytes) => {
  const upstream = await serve(({ socket }) => socket.write(httpAnswer(bytes, { 'content-encoding': encoding })));
  expect(await outcomeOf(await send(upstream))).toEqual({ text, code: undefined });
});

test('an empty body needs no decoding', async () => {
  const upstream = await serve(({ socket }) => socket.write(httpAnswer('', { 'content-encoding': 'gzip' })));
  expect(await outcomeOf(await send(upstream))).toEqual({ text: '', code: undefined });
});

test('a compressed stream is delivered as it is flushed, and what came before a cut is not lost', async () => {
  const gzip = createGzip();
  const upstream = await serve(({ socket }) => {
    socket.write(eventStreamHead.replace('\r\n', '\r\ncontent-encoding: gzip\r\n'));
    gzip.on('data', (piece: Buffer) => socket.write(httpChunk(piece)));
    gzip.write('data: a\n\n');
    gzip.flush();
  });
  const body = (await send(upstream)).body[Symbol.asyncIterator]();
  const first = await body.next();
  expect(Buffer.from(first.value as Uint8Array).toString()).toBe('data: a\n\n');
  gzip.write('data: b\n\n');
  gzip.flush(() => upstream.requests[0]?.socket.end());
  let rest = '';
  const error: unknown = await (async () => {
    for (let read = await body.next(); read.done !== true; read = await body.next()) rest += Buffer.from(read.value).toString();
  })().catch((thrown: unknown) => thrown);
  expect(rest).toBe('data: b\n\n');
  expect(error).toMatchObject({ code: 'upstream_truncated' });
});

test('corrupt compression: upstream_invalid_response, the socket is closed', async () => {
  const bytes = gzipSync(text);
  bytes.fill(0xff, 20);
  const upstream = await serve(({ socket }) =>
    socket.write(httpAnswer(bytes, { 'content-encoding': 'gzip', 'content-length': String(bytes.length + 1) })),
  );
  expect(await outcomeOf(await send(upstream))).toMatchObject({ code: 'upstream_invalid_response' });
  await upstream.closed();
});

test('an encoding we do not know: upstream_invalid_response', async () => {
  const upstream = await serve(({ socket }) => socket.write(httpAnswer('x', { 'content-encoding': 'zstd' })));
  await expect(send(upstream)).rejects.toMatchObject({ code: 'upstream_invalid_response' });
});

test('a compressed bomb is stopped at the cap of an unstreamed body', async () => {
  const bomb = gzipSync(Buffer.alloc(160 * 1024 * 1024, 0x20), { level: 1 });
  const upstream = await serve(({ socket }) => socket.write(httpAnswer(bomb, { 'content-encoding': 'gzip' })));
  const before = process.memoryUsage.rss();
  const options = { mapError: () => new GatewayError('upstream_error', 'x'), signal: new AbortController().signal };
  const asked = sendForJson(newClient(), { method: 'GET', url: upstream.url, headers: {} }, options);
  await expect(asked).rejects.toMatchObject({
    code: 'upstream_invalid_response',
    message: expect.stringContaining('larger') as string,
  });
  // The 64 MiB that may be read, and what the garbage collector has not taken yet.
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
});

test('a reader that leaves a compressed body closes the socket', { timeout: 5000 }, async () => {
  const upstream = await serve(({ socket }) => {
    socket.write(httpHead({ 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' }));
    socket.write(httpChunk(gzipSync(text)));
  });
  for await (const piece of (await send(upstream)).body) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  await upstream.closed();
});
