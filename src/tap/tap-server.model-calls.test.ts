import { once } from 'node:events';
import { request as openRequest, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { openHttpUpstream, type HttpUpstream } from '../../test/doubles/http-upstream.ts';
import {
  eventStreamHead,
  httpAnswer,
  httpChunk,
  lastHttpChunk,
  openRawUpstream,
  type RawUpstream,
} from '../../test/doubles/raw-upstream.ts';
import { createRecordingStage, type RecordingStage } from '../../test/doubles/recording-stage.ts';
import { sendHttp, type HttpAnswer } from '../../test/doubles/send-http.ts';
import { startTestTap, type TestTap } from '../../test/doubles/start-test-tap.ts';
import type { Intercept, Interception, ModelCall } from './model-call.ts';

const open = closedAfterEach();

async function serve(
  answer: Parameters<typeof openHttpUpstream>[0],
  intercept: Intercept,
): Promise<{ upstream: HttpUpstream; tap: TestTap }> {
  const upstream = await openHttpUpstream(answer);
  const tap = await startTestTap({ upstream: upstream.url, intercept });
  open.push(tap, upstream);
  return { upstream, tap };
}

async function serveRaw(
  answer: Parameters<typeof openRawUpstream>[0],
  stage: RecordingStage,
): Promise<{ upstream: RawUpstream; tap: TestTap }> {
  const upstream = await openRawUpstream(answer);
  const tap = await startTestTap({ upstream: upstream.url, intercept: () => forward(stage) });
  open.push(tap, upstream);
  return { upstream, tap };
}

function forward(answer: RecordingStage | null, body: string | null = null): Interception {
  return { type: 'forward', body, answer, signal: null };
}

const streamPath = '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse';
const event = (text: string): string => `data: {"text":"${text}"}\r\n\r\n`;

function call(
  tap: TestTap,
  path = streamPath,
  headers: Record<string, string> = {},
  body: string | Uint8Array = '{"contents":[]}',
): Promise<HttpAnswer> {
  return sendHttp(tap.url, { path, headers: { 'content-type': 'application/json', ...headers }, body });
}

describe('what a call says', () => {
  test.each([
    [streamPath, { model: 'gemini-3-pro', streams: true }],
    ['/v1/projects/p/locations/eu/publishers/google/models/g%2D1:generateContent', { model: 'g-1', streams: false }],
    ['/v1beta/models/gemini-3-pro:countTokens', { model: 'gemini-3-pro', streams: false }],
  ])('%s', async (path, expected) => {
    const calls: ModelCall[] = [];
    const { tap } = await serve(
      (response) => response.end('{}'),
      (seen) => {
        calls.push(seen);
        return { type: 'pass' };
      },
    );
    await call(tap, path);
    expect(calls).toMatchObject([{ ...expected, body: Buffer.from('{"contents":[]}') }]);
  });

  test('everything else is no model call', async () => {
    const { tap } = await serve(
      (response) => response.end('{}'),
      () => {
        throw new Error('asked');
      },
    );
    expect((await call(tap, '/v1beta/models/m:embedContent')).status).toBe(200);
    expect((await sendHttp(tap.url, { path: streamPath })).status).toBe(200);
  });

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    [' Identity', (text: string) => Buffer.from(text)],
  ] as const)('a body in %s is read, and goes on as it was or rewritten', async (encoding, compress) => {
    const bodies: string[] = [];
    const packed = (compress as (text: string) => Buffer)('{"a":"é"}');
    const { upstream, tap } = await serve(
      (response) => response.end('{}'),
      ({ body }) => {
        bodies.push(Buffer.from(body).toString());
        return forward(null, bodies.length === 1 ? null : '{"b":"ü"}');
      },
    );
    const headers = { 'content-encoding': encoding, 'X-Kept': '1' };
    await call(tap, streamPath, headers, packed);
    await call(tap, streamPath, headers, packed);
    expect(bodies).toEqual(['{"a":"é"}', '{"a":"é"}']);
    const [first, second] = upstream.requests;
    expect(first!.body.equals(packed)).toBe(true);
    expect(first!.headers).toContain(`content-encoding: ${encoding.trim()}`);
    expect(second!.body.toString()).toBe('{"b":"ü"}');
    expect(second!.headers).toEqual(
      expect.arrayContaining(['content-type: application/json', 'X-Kept: 1', 'content-length: 10']),
    );
    expect(second!.headers.join()).not.toMatch(/content-encoding|transfer-encoding/i);
  });

  test('a body that cannot be read passes', async () => {
    const { upstream, tap } = await serve(
      (response) => response.end('{}'),
      () => {
        throw new Error('asked');
      },
    );
    await call(tap, streamPath, { 'content-encoding': 'gzip' }, 'no gzip');
    await call(tap, streamPath, { 'content-encoding': 'gzip, br' }, 'whatever');
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual(['no gzip', 'whatever']);
  });

  test('a body that is too large is refused, compressed or not', async () => {
    const { upstream, tap } = await serve(
      (response) => response.end('{}'),
      () => ({ type: 'pass' }),
    );
    const large = Buffer.alloc(64 * 1024 * 1024 + 1, ' ');
    for (const [headers, body] of [
      [{ 'content-encoding': 'gzip' }, gzipSync(large)],
      [{}, large],
    ] as const) {
      const answer = await call(tap, streamPath, headers, body).catch(() => null);
      if (answer !== null)
        expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('INVALID_ARGUMENT') as string]);
    }
    expect(upstream.requests).toHaveLength(0);
  });
});

describe('an answer that nobody reads along', () => {
  test('comes back byte for byte, still compressed, and the call asks for what its program asked', async () => {
    const packed = gzipSync(event('a'));
    const { upstream, tap } = await serve(
      (response) => {
        response
          .writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length, 'content-type': 'text/event-stream' })
          .end(packed);
      },
      () => forward(null, '{}'),
    );
    const sent = openRequest(`${tap.url}${streamPath}`, { method: 'POST', headers: { 'accept-encoding': 'gzip' } });
    sent.end('{}');
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect((await buffer(answer)).equals(packed)).toBe(true);
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-length': String(packed.length) });
    expect(upstream.requests[0]!.headers).toContain('accept-encoding: gzip');
  });
});

describe('an answer that a stage reads', () => {
  test('goes on frame by frame, as it comes', async () => {
    const stage = createRecordingStage((value) => (JSON.stringify(value) === '{"text":"b"}' ? { text: 'B' } : undefined));
    const { upstream, tap } = await serveRaw(
      ({ socket }) => socket.write(eventStreamHead + httpChunk(event('a')).toString()),
      stage,
    );
    const sent = openRequest(`${tap.url}${streamPath}`, { method: 'POST', headers: { 'accept-encoding': 'gzip, br' } });
    sent.end('{}');
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const pieces: string[] = [];
    const { socket } = upstream.requests[0]!;
    // The rest is not sent before the first frame is here.
    answer.on('data', (piece: Buffer) => {
      pieces.push(piece.toString());
      if (pieces.length === 1) socket.write(httpChunk(event('b') + event('c').slice(0, 8)));
      if (pieces.length === 2) socket.write(httpChunk(event('c').slice(8)).toString() + lastHttpChunk);
    });
    await once(answer, 'end');
    expect(pieces).toEqual([event('a'), event('B'), event('c')]);
    expect(stage.log).toEqual(['begin 200', 'push {"text":"a"}', 'push {"text":"b"}', 'push {"text":"c"}', 'end']);
    expect(upstream.requests[0]!.head).toMatch(/^accept-encoding: identity$/im);
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)('is decompressed when it is in %s', async (encoding, compress) => {
    const stage = createRecordingStage(() => ({ new: 1 }));
    const { tap } = await serve(
      (response) => {
        const body = compress(event('a'));
        response
          .writeHead(200, { 'content-encoding': encoding, 'content-length': body.length, 'content-type': 'text/event-stream' })
          .end(body);
      },
      () => forward(stage),
    );
    const answer = await call(tap);
    expect(answer.text).toBe('data: {"new":1}\r\n\r\n');
    expect(answer.headers['content-encoding']).toBe(undefined);
    expect(stage.log).toEqual(['begin 200', 'push {"text":"a"}', 'end']);
  });

  test('in an encoding that nobody knows is broken off', async () => {
    const stage = createRecordingStage();
    const { tap } = await serve(
      (response) => response.writeHead(200, { 'content-encoding': 'zstd' }).end('x'),
      () => forward(stage),
    );
    await expect(call(tap)).rejects.toThrow();
    expect(stage.log).toEqual(['begin 200', 'break']);
  });

  test('as an array, and as one object', async () => {
    const { tap } = await serve(
      (response, { url }) => {
        response
          .setHeader('content-type', 'application/json; charset=UTF-8')
          .end(url.includes('stream') ? '[{"a":1}\n,\r\n{"b":2}\n]\n' : '{"a":1}');
      },
      ({ streams }) =>
        forward(
          createRecordingStage(
            (value) => (JSON.stringify(value) === '{"a":1}' ? { z: 9 } : undefined),
            streams ? [{ c: 3 }] : [],
          ),
        ),
    );
    expect((await call(tap, '/v1/models/m:streamGenerateContent')).text).toBe('[{"z":9}\n,\r\n{"b":2}\n,\r\n{"c":3}]\n');
    expect((await call(tap, '/v1/models/m:generateContent')).text).toBe('{"z":9}');
  });

  test('with an error passes as it is, and the stage reads it', async () => {
    const stage = createRecordingStage();
    const body = '{"error":{"code":429,"message":"é"}}';
    const packed = gzipSync(body);
    const { tap } = await serve(
      (response) => {
        response
          .writeHead(429, { 'content-encoding': 'gzip', 'retry-after': '3', 'content-type': 'application/json' })
          .end(packed);
      },
      () => forward(stage),
    );
    const sent = openRequest(`${tap.url}${streamPath}`, { method: 'POST' });
    sent.end('{}');
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect((await buffer(answer)).equals(packed)).toBe(true);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '3']);
    await stage.over;
    expect(stage.log).toEqual(['begin 429', `fail 429 application/json ${body}`, 'end']);
  });

  test('with an error of any size costs the stage 64 KiB', async () => {
    const stage = createRecordingStage();
    const { tap } = await serve(
      (response) => response.writeHead(500, { 'content-type': 'text/plain' }).end('x'.repeat(1_000_000)),
      () => forward(stage),
    );
    expect((await call(tap)).text).toHaveLength(1_000_000);
    await stage.over;
    expect(stage.log[1]).toHaveLength('fail 500 text/plain '.length + 64 * 1024);
  });
});

describe('an answer of the tap itself', () => {
  const chunks = [{ text: 'a' }, { text: 'b' }];
  test.each([
    [streamPath, 'text/event-stream', event('a') + event('b')],
    ['/v1/models/m:streamGenerateContent', 'application/json; charset=UTF-8', '[{"text":"a"},\r\n{"text":"b"}]'],
    ['/v1/models/m:generateContent', 'application/json; charset=UTF-8', '{"text":"a"}'],
  ])('%s', async (path, contentType, text) => {
    const { upstream, tap } = await serve(
      (response) => response.end(),
      () => ({ type: 'answer', chunks }),
    );
    const answer = await call(tap, path);
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, contentType, text]);
    expect(upstream.requests).toHaveLength(0);
  });
});

test('a fault in whoever decides stops the call before anything is sent', async () => {
  const { upstream, tap } = await serve(
    (response) => response.end(),
    () => {
      throw new Error('bug');
    },
  );
  const answer = await call(tap);
  expect(answer.status).toBe(500);
  expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 500, status: 'INTERNAL' } });
  expect(upstream.requests).toHaveLength(0);
  expect(tap.troubles.map(String)).toEqual(['Error: bug']);
});

test('an answer goes through in one piece when it came in one', async () => {
  const stage = createRecordingStage();
  const { tap } = await serveRaw(
    ({ socket }) => socket.write(httpAnswer(event('a') + event('b'), { 'content-type': 'text/event-stream' })),
    stage,
  );
  expect((await call(tap)).text).toBe(event('a') + event('b'));
});
