import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
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
import { createUpstreamClient, type UpstreamAnswer, type UpstreamClient } from './upstream-client.ts';

const open = closedAfterEach();

async function serve(answer: (request: RawRequest) => void): Promise<RawUpstream> {
  const upstream = await openRawUpstream(answer);
  open.push(upstream);
  return upstream;
}

function newClient(): UpstreamClient {
  const client = createUpstreamClient({ timeouts: { connectMs: 10_000, firstByteMs: 10_000, idleMs: 10_000 } });
  open.push(client);
  return client;
}

const get = (url: string) => ({ method: 'GET' as const, url, headers: {} });
const post = (url: string) => ({ method: 'POST' as const, url, headers: {}, body: '{}' });

async function outcomeOf(answer: UpstreamAnswer): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    for await (const piece of answer.body) text += Buffer.from(piece).toString();
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

describe('the caller leaves', () => {
  test('before sending: nothing is sent', async () => {
    const upstream = await serve(() => undefined);
    const reason = new Error('gone');
    await expect(newClient().send(post(upstream.url), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(upstream.connections).toBe(0);
  });

  test('while the connection is being made: nothing is sent', async () => {
    const upstream = await serve(() => undefined);
    const gone = new AbortController();
    const sent = newClient().send(post(upstream.url), gone.signal);
    gone.abort('gone');
    await expect(sent).rejects.toBe('gone');
    await upstream.closed();
    expect(upstream.receivedBytes).toBe(0);
  });

  // These wait for the server to see the close; the 10 s budgets of the client would let them time out if anything but the abort closed the socket.
  test('before the headers: the socket is closed, the reason is thrown', { timeout: 5000 }, async () => {
    const upstream = await serve(() => undefined);
    const gone = new AbortController();
    const reason = new Error('gone');
    const sent = newClient().send(post(upstream.url), gone.signal);
    await upstream.arrived();
    gone.abort(reason);
    await expect(sent).rejects.toBe(reason);
    await upstream.closed();
    expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  });

  test('mid body: the socket is closed, a waiting reader gets the reason', { timeout: 5000 }, async () => {
    const upstream = await serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(eventStreamHead), httpChunk('data: a\n\n')])),
    );
    const gone = new AbortController();
    const reason = new Error('gone');
    const body = (await newClient().send(post(upstream.url), gone.signal)).body[Symbol.asyncIterator]();
    await body.next();
    const waiting = body.next();
    gone.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await upstream.closed();
  });

  test('mid body while nobody reads: the socket is closed all the same', { timeout: 5000 }, async () => {
    const upstream = await serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(eventStreamHead), httpChunk('data: a\n\n')])),
    );
    const gone = new AbortController();
    const answer = await newClient().send(post(upstream.url), gone.signal);
    gone.abort('gone');
    await upstream.closed();
    expect(await outcomeOf(answer)).toEqual({ text: '', error: 'gone' });
  });

  test('leaving the loop closes the socket', { timeout: 5000 }, async () => {
    const upstream = await serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(eventStreamHead), httpChunk('data: a\n\n')])),
    );
    const gone = new AbortController();
    const answer = await newClient().send(post(upstream.url), gone.signal);
    for await (const piece of answer.body) {
      expect(piece.length).toBe(9);
      break;
    }
    await upstream.closed();
    expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  });

  test('a complete exchange leaves no listener and no cut socket behind', async () => {
    const upstream = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    const gone = new AbortController();
    expect(await outcomeOf(await newClient().send(post(upstream.url), gone.signal))).toEqual({ text: '{}', error: undefined });
    expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  });
});

describe('the server cuts', () => {
  const head = eventStreamHead;
  const cases: readonly [name: string, answer: (request: RawRequest) => void, text: string, code: string | undefined][] = [
    [
      'FIN between chunks',
      ({ socket }) => socket.end(Buffer.concat([Buffer.from(head), httpChunk('abc')])),
      'abc',
      'upstream_truncated',
    ],
    ['FIN inside a chunk', ({ socket }) => socket.end(`${head}a\r\nabc`), 'abc', 'upstream_truncated'],
    [
      'FIN inside a chunk, connection: close',
      ({ socket }) => socket.end(`${head.replace('\r\n', '\r\nconnection: close\r\n')}a\r\nabc`),
      'abc',
      'upstream_truncated',
    ],
    [
      'FIN short of content-length',
      ({ socket }) => socket.end(`${httpHead({ 'content-length': '10' })}abc`),
      'abc',
      'upstream_truncated',
    ],
    [
      'FIN short of content-length, connection: close',
      ({ socket }) => socket.end(`${httpHead({ 'content-length': '10', connection: 'close' })}abc`),
      'abc',
      'upstream_truncated',
    ],
    ['bad chunk size', ({ socket }) => socket.write(`${head}3\r\nabc\r\nzz\r\n`), 'abc', 'upstream_invalid_response'],
    ['HTTP/1.0 ends with the connection', ({ socket }) => socket.end('HTTP/1.0 200 OK\r\n\r\nabc'), 'abc', undefined],
    [
      'no length ends with the connection',
      ({ socket }) => socket.end(`${httpHead({ connection: 'close' })}abc`),
      'abc',
      undefined,
    ],
  ];
  test.each(cases)('%s', async (_name, answer, text, code) => {
    const upstream = await serve(answer);
    const outcome = await outcomeOf(await newClient().send(get(upstream.url), new AbortController().signal));
    expect(outcome.text).toBe(text);
    expect((outcome.error as { code?: string } | undefined)?.code).toBe(code);
  });

  test('RST mid body', async () => {
    const upstream = await serve(({ socket }) => socket.write(Buffer.concat([Buffer.from(head), httpChunk('abc')])));
    const body = (await newClient().send(get(upstream.url), new AbortController().signal)).body[Symbol.asyncIterator]();
    await body.next();
    upstream.requests[0]?.socket.resetAndDestroy();
    await expect(body.next()).rejects.toMatchObject({ code: 'upstream_truncated', status: 502, cause: { code: 'ECONNRESET' } });
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });
});

describe('keep-alive race', () => {
  test('a kept connection that closes under the next request is replaced, 300 times', async () => {
    // Every second request of a connection is met with a close instead of an answer.
    const served = new WeakSet<object>();
    let raced = 0;
    const upstream = await serve(({ socket, body }) => {
      if (!served.has(socket)) {
        served.add(socket);
        socket.write(httpAnswer(body));
      } else if (raced++ % 2 === 0) socket.end();
      else socket.resetAndDestroy();
    });
    const client = newClient();
    for (let count = 0; count < 300; count++) {
      const body = JSON.stringify({ count });
      const answer = await client.send({ ...post(upstream.url), body }, new AbortController().signal);
      expect(await outcomeOf(answer)).toEqual({ text: body, error: undefined });
    }
    expect(raced).toBeGreaterThan(50);
  });

  test('but never under one that must not be served twice: it has a connection of its own', async () => {
    const served = new WeakSet<object>();
    const bodies: string[] = [];
    const upstream = await serve(({ socket, body }) => {
      bodies.push(body);
      if (served.has(socket)) socket.resetAndDestroy();
      else socket.write(httpAnswer(body));
      served.add(socket);
    });
    const client = newClient();
    for (let count = 0; count < 50; count++) {
      const body = JSON.stringify({ count });
      const answer = await client.send({ ...post(upstream.url), body, isOnce: true }, new AbortController().signal);
      expect(await outcomeOf(answer)).toEqual({ text: body, error: undefined });
    }
    expect(bodies).toHaveLength(50);
    const broken = await serve(({ socket }) => socket.resetAndDestroy());
    await expect(client.send({ ...post(broken.url), isOnce: true }, new AbortController().signal)).rejects.toMatchObject({
      code: 'upstream_unreachable',
    });
  });

  test('a server that closes idle connections after a millisecond is never an error', async () => {
    const upstream = await serve(({ socket, body, index }) => {
      socket.write(httpAnswer(body));
      setTimeout(() => socket.destroy(), index % 4);
    });
    const client = newClient();
    for (let count = 0; count < 300; count++) {
      const body = JSON.stringify({ count });
      expect(await outcomeOf(await client.send({ ...post(upstream.url), body }, new AbortController().signal))).toMatchObject({
        text: body,
      });
      if (count % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });

  test('once bytes of an answer have come nothing is sent twice', async () => {
    const upstream = await serve(({ socket, index }) => (index < 2 ? socket.write(httpAnswer('{}')) : socket.end('HTTP/1.1 2')));
    const client = newClient();
    for (let count = 0; count < 2; count++) await outcomeOf(await client.send(post(upstream.url), new AbortController().signal));
    await expect(client.send(post(upstream.url), new AbortController().signal)).rejects.toMatchObject({
      code: 'upstream_unreachable',
    });
    expect(upstream.requests).toHaveLength(3);
  });

  test('the second try is the last', async () => {
    const upstream = await serve(({ socket, index }) => (index < 2 ? socket.write(httpAnswer('{}')) : socket.end()));
    const client = newClient();
    for (let count = 0; count < 2; count++) await outcomeOf(await client.send(post(upstream.url), new AbortController().signal));
    await expect(client.send(post(upstream.url), new AbortController().signal)).rejects.toMatchObject({
      code: 'upstream_unreachable',
    });
    expect(upstream.requests.length).toBeLessThanOrEqual(4);
  });
});
