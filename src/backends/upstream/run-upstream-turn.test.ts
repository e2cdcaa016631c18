import { afterEach, describe, expect, test } from 'vitest';
import { eventStreamHead, httpAnswer, httpChunk, httpHead, lastHttpChunk } from '../../../test/doubles/raw-upstream.ts';
import { createTurnBench } from '../../../test/doubles/upstream-turn.ts';
import { createWordStage } from '../../../test/doubles/word-stage.ts';
import { GatewayError } from '../../model/errors.ts';

const bench = createTurnBench();
afterEach(() => bench.close());

/** A whole event stream in one write. */
function eventStream(text: string, end: string = lastHttpChunk): Buffer {
  return Buffer.concat([Buffer.from(eventStreamHead), httpChunk(text), Buffer.from(end)]);
}
const event = (chunk: unknown): string => `data: ${JSON.stringify(chunk)}\n\n`;
const hello = event({ text: 'Hel' }) + event({ text: 'lo' }) + event({ stop: true }) + event({ usage: 7 });

describe('event streams', () => {
  test('the status line is an empty batch, one read is one batch', async () => {
    const { batches, error } = await bench.turn(({ socket }) => socket.write(eventStream(`${hello}data: [DONE]\n\n`)));
    expect(error).toBeUndefined();
    expect(batches).toEqual([
      [],
      [
        { type: 'text-delta', delta: 'Hel' },
        { type: 'text-delta', delta: 'lo' },
        { type: 'usage', usage: { outputTokens: 7 } },
        { type: 'finish', reason: 'stop' },
      ],
    ]);
  });

  test('the empty batch comes with the headers, before any byte of the body', async () => {
    const upstream = await bench.serve(({ socket }) => socket.write(eventStreamHead));
    const onBatch = (): unknown =>
      upstream.requests[0]?.socket.write(Buffer.concat([httpChunk(hello), Buffer.from(lastHttpChunk)]));
    expect(await bench.turnAt(upstream, { onBatch })).toMatchObject({ text: 'Hello', end: 'finish', error: undefined });
  });

  test.each([
    ['without content type', {}],
    ['as text/plain', { 'content-type': 'text/plain' }],
    ['as JSON', { 'content-type': 'application/json' }],
    ['with parameters', { 'content-type': 'Text/Event-Stream; charset=utf-8' }],
  ])('%s', async (_name, headers) => {
    const head = httpHead({ 'transfer-encoding': 'chunked', ...headers });
    const pieces = Array.from(`\r\n: comment\n\n${hello}`, (char) => httpChunk(char));
    const { batches, text, end } = await bench.turn(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(lastHttpChunk)])),
    );
    expect([batches[0], text, end]).toEqual([[], 'Hello', 'finish']);
  });

  test('ends without [DONE], and without a blank line', async () => {
    expect(await bench.turn(({ socket }) => socket.write(eventStream(hello.trimEnd())))).toMatchObject({
      text: 'Hello',
      end: 'finish',
    });
  });

  test('nothing counts after [DONE], finish or failure', async () => {
    const stage = createWordStage();
    const tail = event({ text: 'late' });
    expect(
      await bench.turn(({ socket }) => socket.write(eventStream(`${hello}data: [DONE]\n\n${tail}data: [DONE]\n\n`)), { stage }),
    ).toMatchObject({ text: 'Hello', end: 'finish' });
    expect([stage.chunks.length, stage.ends]).toEqual([4, 1]);
    const failed = await bench.turn(({ socket }) =>
      socket.write(eventStream(event({ text: 'a' }) + event({ error: 'busy' }) + tail)),
    );
    expect(failed).toMatchObject({ text: 'a', end: 'upstream_overloaded', error: undefined });
  });

  test('nothing counts after finish or failure even where the stage goes on in the same breath', async () => {
    for (const last of [
      { type: 'finish', reason: 'stop' },
      { type: 'failure', error: new GatewayError('upstream_error', 'x') },
    ] as const) {
      const late = { type: 'text-delta', delta: 'late' } as const;
      const first = { type: 'text-delta', delta: 'a' } as const;
      const stage = { ...createWordStage(), push: () => [first, last, late] };
      expect(await bench.turn(({ socket }) => socket.write(eventStream(event({}) + event({}))), { stage })).toMatchObject({
        batches: [[], [first, last]],
      });
      expect(await bench.turn(({ socket }) => socket.write(httpAnswer('{}')), { stage })).toMatchObject({
        batches: [[first, last]],
      });
    }
  });

  test('[DONE] ends the turn and frees a socket that stays open', { timeout: 5000 }, async () => {
    const upstream = await bench.serve(({ socket }) => socket.write(eventStream(`${hello}data: [DONE]\n\n`, '')));
    expect(await bench.turnAt(upstream)).toMatchObject({ text: 'Hello', end: 'finish', error: undefined });
    await upstream.closed();
  });

  test('[DONE] leaves a connection whose message ends a little later to the next turns', async () => {
    const upstream = await bench.serve(({ socket }) => {
      socket.write(eventStream(`${hello}data: [DONE]\n\n`, ''));
      setTimeout(() => socket.write(lastHttpChunk), 2);
    });
    const turns = 30;
    for (let count = 0; count < turns; count++)
      expect(await bench.turnAt(upstream)).toMatchObject({ text: 'Hello', end: 'finish' });
    // How many are free again in time depends on the machine; cut connections would be one per turn.
    expect(upstream.connections).toBeLessThan(turns);
  });

  test('comments and empty data are passed over; an error event is a chunk like others', async () => {
    const stage = createWordStage();
    const text = `: x\n\ndata:\n\nevent: error\ndata: {"error":"boom"}\n\n`;
    expect(await bench.turn(({ socket }) => socket.write(eventStream(text)), { stage })).toMatchObject({
      end: 'upstream_overloaded',
    });
    expect(stage.chunks).toEqual([{ error: 'boom' }]);
  });

  test('an error field of llama.cpp is a chunk like others', async () => {
    const stage = createWordStage();
    await bench.turn(({ socket }) => socket.write(eventStream('error: {"code":500,"message":"boom"}\n\n')), { stage });
    expect(stage.chunks).toEqual([{ error: { code: 500, message: 'boom' } }]);
  });

  test.each([
    ['malformed JSON', 'data: {"text":\n\n', 'upstream_invalid_response'],
    ['no JSON', 'data: <html>\n\n', 'upstream_invalid_response'],
    ['a stage that throws', event({ throw: 'bug' }), 'server_error'],
    ['a stage that ends unfinished', '', 'upstream_truncated'],
    ['an event cut by a clean end', 'data: {"text":"c', 'upstream_truncated'],
  ])('%s: a failure after all that came before it', async (_name, bad, code) => {
    expect(await bench.turn(({ socket }) => socket.write(eventStream(event({ text: 'a' }) + bad)))).toMatchObject({
      text: 'a',
      end: code,
      error: undefined,
    });
  });

  test.each([
    ['invalid UTF-8', Buffer.from([0x64, 0xff, 0x0a]), 'upstream_invalid_response'],
    ['an event beyond the cap', Buffer.from(`data: ${'x'.repeat(2000)}`), 'upstream_event_too_large'],
  ])('%s: a failure after all that was read before it, and the connection is closed', async (_name, bad, code) => {
    const upstream = await bench.serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(eventStreamHead), httpChunk(event({ text: 'a' }))])),
    );
    const onBatch = (batch: readonly unknown[]): unknown =>
      batch.length > 0 && upstream.requests[0]?.socket.write(httpChunk(bad));
    const outcome = await bench.turnAt(upstream, { maxEventBytes: 1000, onBatch });
    expect(outcome).toMatchObject({ text: 'a', end: code, error: undefined });
    await upstream.closed();
  });

  test('what stands before invalid UTF-8 in the same read is kept', async () => {
    const bytes = Buffer.concat([Buffer.from(event({ text: 'a' })), Buffer.from([0x64, 0xff, 0x0a])]);
    const whole = Buffer.concat([Buffer.from(eventStreamHead), httpChunk(bytes)]);
    expect(await bench.turn(({ socket }) => socket.write(whole))).toMatchObject({ text: 'a', end: 'upstream_invalid_response' });
  });
});

describe('whole answers', () => {
  test.each([
    ['one object', '{"text":"Hello"}', 'Hello'],
    ['an array of chunks', '[{"text":"Hel"},\n{"text":"lo"}]', 'Hello'],
    ['white space that kept the connection alive', `${'\n'.repeat(50)}  {"text":"Hello"}\n`, 'Hello'],
    ['byte order mark', '\uFEFF{"text":"Hello"}', 'Hello'],
  ])('%s: one batch, none before it', async (_name, body, text) => {
    const stage = { ...createWordStage(), end: () => [{ type: 'finish' as const, reason: 'stop' as const }] };
    const { batches, ...outcome } = await bench.turn(({ socket }) => socket.write(httpAnswer(body)), { stage });
    expect(outcome).toMatchObject({ text, end: 'finish', error: undefined });
    expect(batches).toHaveLength(1);
  });

  test.each([
    ['an error inside a 200', '{"error":"busy"}', 'upstream_overloaded'],
    ['nothing of the protocol', '{}', 'upstream_truncated'],
    ['an empty array', '[]', 'upstream_truncated'],
    ['malformed JSON', '{"text":', 'upstream_invalid_response'],
    ['HTML', '<html><body>welcome to sk-canary</body></html>', 'upstream_invalid_response'],
    ['text', 'welcome to sk-canary', 'upstream_invalid_response'],
    ['nothing', '', 'upstream_invalid_response'],
    ['only white space', ' \n ', 'upstream_invalid_response'],
  ])('%s: thrown before anything was yielded', async (_name, body, code) => {
    const outcome = await bench.turn(({ socket }) => socket.write(httpAnswer(body, { 'content-type': 'text/html; x=<b>' })));
    expect(outcome).toMatchObject({ batches: [], error: { code } });
    expect(String(outcome.error)).not.toMatch(/canary|<b>/);
  });

  test('204: thrown', async () => {
    const outcome = await bench.turn(({ socket }) => socket.write(httpHead({}, '204 No Content')));
    expect(outcome).toMatchObject({
      batches: [],
      error: { code: 'upstream_invalid_response', message: expect.stringContaining('204') as string },
    });
  });

  test('invalid UTF-8: thrown', async () => {
    const outcome = await bench.turn(({ socket }) => socket.write(httpAnswer(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))));
    expect(outcome).toMatchObject({ batches: [], error: { code: 'upstream_invalid_response' } });
  });

  test('a failure after content is an event', async () => {
    expect(await bench.turn(({ socket }) => socket.write(httpAnswer('[{"text":"a"},{"error":"x"},{"text":"b"}]')))).toMatchObject(
      {
        batches: [[{ type: 'text-delta', delta: 'a' }, { type: 'failure' }]],
        error: undefined,
      },
    );
  });

  test('JSON sent as an event stream is read as JSON', async () => {
    const outcome = await bench.turn(({ socket }) =>
      socket.write(httpAnswer('{"error":"busy"}', { 'content-type': 'text/event-stream' })),
    );
    expect(outcome).toMatchObject({ batches: [[]], error: { code: 'upstream_overloaded' } });
  });
});

describe('other statuses', () => {
  test('go to mapError with 64 KiB of the body at most', { timeout: 5000 }, async () => {
    const small = await bench.turn(({ socket }) => socket.write(httpAnswer('sad', {}, '418 Teapot')));
    expect(small).toMatchObject({ batches: [], error: { message: '418 sad' } });
    const upstream = await bench.serve(({ socket }) => socket.write(httpAnswer('x'.repeat(1024 * 1024), {}, '500 Oops')));
    const large = await bench.turnAt(upstream);
    expect((large.error as Error).message).toHaveLength(4 + 64 * 1024);
    await upstream.closed();
  });

  test('a body that is cut or stalls is no other error than its status', async () => {
    const cut = await bench.turn(({ socket }) => socket.end(`${httpHead({ 'content-length': '10' }, '500 Oops')}sad`));
    expect(cut.error).toMatchObject({ message: '500 sad' });
    const stalled = await bench.turn(({ socket }) => socket.write(`${httpHead({ 'content-length': '10' }, '500 Oops')}sad`), {
      timeouts: { idleMs: 30 },
    });
    expect(stalled.error).toMatchObject({ message: '500 sad' });
  });

  test('a caller who leaves meanwhile gets the reason', async () => {
    const gone = new AbortController();
    const upstream = await bench.serve(({ socket }) =>
      socket.write(`${httpHead({ 'content-length': '10' }, '500 Oops')}sad`, () => gone.abort('gone')),
    );
    expect(await bench.turnAt(upstream, { signal: gone.signal })).toMatchObject({ error: 'gone' });
  });
});
