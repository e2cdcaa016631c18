import { afterEach, describe, expect, test } from 'vitest';
import { eventStreamHead, httpChunk, httpHead, lastHttpChunk, openRawUpstream } from '../../../test/doubles/raw-upstream.ts';
import { createTurnBench } from '../../../test/doubles/upstream-turn.ts';
import { createWordStage } from '../../../test/doubles/word-stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { runUpstreamTurn } from './run-upstream-turn.ts';
import type { UpstreamClient } from './upstream-client.ts';

const bench = createTurnBench();
afterEach(() => bench.close());

const event = (chunk: unknown): string => `data: ${JSON.stringify(chunk)}\n\n`;
const words = ['Grüße ', 'aus ', '\ud83d\ude00', ' 你好', '!'];
const stop = event({ stop: true });
const body = Buffer.from(`: hi\n\n${words.map((text) => event({ text })).join('')}${stop}${event({ usage: 7 })}data: [DONE]\n\n`);
const stopEnd = body.indexOf(stop) + Buffer.byteLength(stop);
const full = words.join('');
const chunked = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(eventStreamHead), ...(bytes.length > 0 ? [httpChunk(bytes)] : [])]);

describe('a stream cut at every byte', () => {
  // In order: which bytes arrive, how the connection ends, what must be thrown when the model was not done.
  const ways: readonly [name: string, send: (bytes: Buffer) => Buffer, code: string | undefined][] = [
    ['FIN without the last HTTP chunk', chunked, 'upstream_truncated'],
    ['a clean end of the message', (bytes) => Buffer.concat([chunked(bytes), Buffer.from(lastHttpChunk)]), undefined],
    [
      'the end of a connection without length',
      (bytes) => Buffer.concat([Buffer.from(httpHead({ 'content-type': 'text/event-stream' })), bytes]),
      undefined,
    ],
  ];
  test.each(ways)('%s: a prefix of the text, and finished only when the model said so', async (_name, send, code) => {
    let size = 0;
    const upstream = await bench.serve(({ socket }) => socket.end(send(body.subarray(0, size))));
    for (size = 0; size <= body.length; size++) {
      const { text, end, error } = await bench.turnAt(upstream);
      expect(full.startsWith(text)).toBe(true);
      // The blank line closes the event only when it is there; at a clean end the event counts without it.
      const isDone = size >= stopEnd || (code === undefined && size >= stopEnd - 2);
      expect([size, end === 'finish']).toEqual([size, isDone]);
      if (isDone) expect([text, error]).toEqual([full, undefined]);
      else expectCut(end, error, code);
    }
  });

  function expectCut(end: string | undefined, error: unknown, code: string | undefined): void {
    if (code !== undefined) expect(error).toMatchObject({ code });
    // A clean end is the stage's matter, or an event that was cut; before anything came it is an empty body.
    else if (error !== undefined)
      expect(['upstream_truncated', 'upstream_invalid_response']).toContain((error as GatewayError).code);
    else expect(end).toBe('upstream_truncated');
  }

  test('RST mid text: the text so far, then upstream_truncated', async () => {
    const upstream = await bench.serve(({ socket }) => socket.write(chunked(Buffer.from(event({ text: 'a' })))));
    const onBatch = (batch: readonly unknown[]): unknown => batch.length > 0 && upstream.requests[0]?.socket.resetAndDestroy();
    expect(await bench.turnAt(upstream, { onBatch })).toMatchObject({
      text: 'a',
      end: 'text-delta',
      error: { code: 'upstream_truncated' },
    });
  });
});

describe('pieces', () => {
  test('the stream is the same however it is cut in two, or byte by byte', async () => {
    let place = 0;
    const upstream = await bench.serve(({ socket }) => {
      const pieces =
        place === 0 ? Array.from(body, (byte) => Uint8Array.of(byte)) : [body.subarray(0, place), body.subarray(place)];
      socket.write(eventStreamHead);
      // Each write is a TCP segment of its own; the client may still read several at once.
      const next = (): void => {
        const piece = pieces.shift();
        if (piece === undefined) socket.write(lastHttpChunk);
        else socket.write(httpChunk(piece), () => setImmediate(next));
      };
      socket.setNoDelay(true);
      next();
    });
    for (place = 0; place < body.length; place++)
      expect(await bench.turnAt(upstream)).toMatchObject({ text: full, end: 'finish', error: undefined });
  });

  test('100 kB, one byte per HTTP chunk', async () => {
    const text = 'é'.repeat(45_000);
    const bytes = Buffer.from(event({ text }) + stop);
    const drip = Buffer.concat([
      Buffer.from(eventStreamHead),
      ...Array.from(bytes, (byte) => httpChunk(Uint8Array.of(byte))),
      Buffer.from(lastHttpChunk),
    ]);
    expect(await bench.turn(({ socket }) => socket.write(drip))).toMatchObject({ text, end: 'finish', error: undefined });
  });

  test('100,000 events of one letter', async () => {
    const outcome = await bench.turn(({ socket }) => {
      socket.write(eventStreamHead);
      for (let count = 0; count < 100; count++) socket.write(httpChunk(event({ text: 'x' }).repeat(1000)));
      socket.write(Buffer.concat([httpChunk(stop), Buffer.from(lastHttpChunk)]));
    });
    expect([outcome.text.length, outcome.end]).toEqual([100_000, 'finish']);
  });
});

describe('time', () => {
  test('silence before the first event, and after some text: upstream_timeout after all that came', async () => {
    const timeouts = { idleMs: 30 };
    expect(await bench.turn(({ socket }) => socket.write(eventStreamHead), { timeouts })).toMatchObject({
      batches: [[]],
      error: { code: 'upstream_timeout' },
    });
    const answer = chunked(Buffer.from(event({ text: 'a' })));
    expect(await bench.turn(({ socket }) => socket.write(answer), { timeouts })).toMatchObject({
      text: 'a',
      error: { code: 'upstream_timeout', status: 504 },
    });
  });

  test('once the model is done, silence, a cut and an idle timeout are its end', async () => {
    const answer = chunked(Buffer.from(event({ text: 'a' }) + stop));
    const done = { text: 'a', end: 'finish', error: undefined };
    const silent = await bench.serve(({ socket }) => socket.write(answer));
    expect(await bench.turnAt(silent, { settleGraceMs: 30 })).toMatchObject(done);
    await silent.closed();
    expect(await bench.turn(({ socket }) => socket.end(answer))).toMatchObject(done);
    expect(await bench.turn(({ socket }) => socket.write(answer), { timeouts: { idleMs: 30 } })).toMatchObject(done);
  });

  test('usage that comes within the grace is not lost, and the grace is not renewed by chatter', async () => {
    const answer = chunked(Buffer.from(event({ text: 'a' }) + stop));
    const { events } = await bench.turn(({ socket }) =>
      socket.write(answer, () =>
        setTimeout(() => socket.write(Buffer.concat([httpChunk(event({ usage: 7 })), Buffer.from(lastHttpChunk)])), 5),
      ),
    );
    expect(events.map(({ type }) => type)).toEqual(['text-delta', 'usage', 'finish']);
    const chatty = await bench.serve(({ socket }) => {
      socket.write(answer);
      const timer = setInterval(() => socket.write(httpChunk(': still here\n\n')), 5);
      socket.once('close', () => {
        clearInterval(timer);
      });
    });
    expect(await bench.turnAt(chatty, { settleGraceMs: 300 })).toMatchObject({ text: 'a', end: 'finish' });
    await chatty.closed();
  });
});

describe('the caller leaves', { timeout: 5000 }, () => {
  test.each([
    ['before the headers', ''],
    ['before the first event', eventStreamHead],
    ['mid text', chunked(Buffer.from(event({ text: 'a' })))],
    ['after the model was done', chunked(Buffer.from(event({ text: 'a' }) + stop))],
    ['inside a whole answer', `${httpHead({ 'content-type': 'application/json', 'content-length': '100' })}{"text"`],
  ])('%s: the reason is thrown and the socket closes', async (_name, answer) => {
    const gone = new AbortController();
    const reason = new Error('gone');
    const upstream = await bench.serve(({ socket }) => {
      if (answer === '') gone.abort(reason);
      else socket.write(answer, () => setTimeout(() => gone.abort(reason), 10));
    });
    expect(await bench.turnAt(upstream, { signal: gone.signal })).toMatchObject({ error: reason });
    await upstream.closed();
  });

  test('stopping the generator closes the socket', async () => {
    const upstream = await openRawUpstream(({ socket }) => socket.write(chunked(Buffer.from(event({ text: 'a' })))));
    const outcome = bench.turnAt(upstream, {
      onBatch: () => {
        throw new Error('stop');
      },
    });
    expect(await outcome).toMatchObject({ batches: [[]], error: { message: 'stop' } });
    await upstream.closed();
    await upstream.close();
  });
});

test('a body that fails while nobody waits is no unhandled rejection', async () => {
  const failing: AsyncIterable<Uint8Array> = {
    // An iterator without `return`, as an embedder may pass one.
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new GatewayError('upstream_truncated', 'cut')) }),
  };
  const client: UpstreamClient = {
    send: () => Promise.resolve({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: failing }),
    close: () => Promise.resolve(),
  };
  const batches: (readonly ModelEvent[])[] = [];
  const turn = runUpstreamTurn({
    client,
    request: { method: 'POST', url: 'http://unused', headers: {} },
    stage: createWordStage(),
    mapError: () => new GatewayError('upstream_error', 'x'),
    signal: new AbortController().signal,
  });
  const reading = (async () => {
    for await (const batch of turn) batches.push(batch);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'upstream_truncated' });
  expect(batches).toEqual([[]]);
});
