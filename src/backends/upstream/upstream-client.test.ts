import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openBlackHole } from '../../../test/doubles/black-hole.ts';
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
import { createUpstreamClient, type UpstreamAnswer, type UpstreamClient, type UpstreamTimeouts } from './upstream-client.ts';

const open = closedAfterEach();

async function serve(answer: (request: RawRequest) => void): Promise<RawUpstream> {
  const upstream = await openRawUpstream(answer);
  open.push(upstream);
  return upstream;
}

function clientWith(timeouts: Partial<UpstreamTimeouts> = {}): UpstreamClient {
  const client = createUpstreamClient({ timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000, ...timeouts } });
  open.push(client);
  return client;
}

const never = (): AbortSignal => new AbortController().signal;
const post = (url: string, body = '{}') => ({
  method: 'POST' as const,
  url,
  headers: { authorization: 'Bearer sk-canary', 'content-type': 'application/json' },
  body,
});

async function readAll(answer: UpstreamAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** What was read, and the error that ended it. */
async function readUntilError(answer: UpstreamAnswer): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    for await (const piece of answer.body) text += Buffer.from(piece).toString();
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('an exchange', () => {
  test('sends method, path, query, headers and body, and returns status, headers and body', async () => {
    const upstream = await serve(({ socket }) => socket.write(httpAnswer('{"ok":"é"}', { 'X-Twice': 'a' }, '418 Teapot')));
    const answer = await clientWith().send(post(`${upstream.url}/v1/x?alt=sse`, '{"text":"é"}'), never());
    expect(answer).toMatchObject({ status: 418, headers: { 'content-type': 'application/json', 'x-twice': 'a' } });
    expect(await readAll(answer)).toBe('{"ok":"é"}');
    const [request] = upstream.requests;
    expect(request?.head).toMatch(/^POST \/v1\/x\?alt=sse HTTP\/1\.1\r\n/);
    expect(request?.head).toMatch(/accept-encoding: identity/);
    expect(request?.head).toMatch(/authorization: Bearer sk-canary/);
    expect(request?.body).toBe('{"text":"é"}');
  });

  test.each([
    ['text', (body: string) => body],
    ['bytes', (body: string) => Buffer.from(body)],
  ])('half of a surrogate pair in a body of %s does not reach the server', async (_kind, encode) => {
    const upstream = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    const body = encode(String.raw`{"text":"é \ud83d \ud83d\ude00 \\ud83d"}`);
    await readAll(await clientWith().send({ ...post(`${upstream.url}/`), body }, never()));
    expect(upstream.requests[0]?.body).toBe(String.raw`{"text":"é \ufffd \ud83d\ude00 \\ud83d"}`);
  });

  test('keeps the connection for the next request', async () => {
    const upstream = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    const client = clientWith();
    for (let count = 0; count < 5; count++) await readAll(await client.send(post(upstream.url), never()));
    // undici takes a connection back one turn of the event loop after its answer, so the first two requests may meet none that is free.
    expect(upstream.connections).toBeLessThanOrEqual(2);
  });

  test('passes over 103 and takes the final status', async () => {
    const upstream = await serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'), httpAnswer('{}')])),
    );
    const answer = await clientWith().send({ method: 'GET', url: upstream.url, headers: {} }, never());
    expect([answer.status, await readAll(answer)]).toEqual([200, '{}']);
  });

  test('never follows a redirect', async () => {
    const canary = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    for (const status of ['301 Moved', '302 Found', '307 Temporary', '308 Permanent']) {
      const upstream = await serve(({ socket }) => socket.write(httpAnswer('', { location: canary.url }, status)));
      expect((await clientWith().send(post(upstream.url), never())).status).toBe(Number(status.slice(0, 3)));
    }
    expect(canary.connections).toBe(0);
  });

  test('what comes in one read of the socket is one piece for a waiting reader, however many HTTP chunks it is', async () => {
    const upstream = await serve(({ socket }) => socket.write(eventStreamHead));
    const body = (await clientWith().send(post(upstream.url), never())).body[Symbol.asyncIterator]();
    const waiting = body.next();
    upstream.requests[0]?.socket.write(Buffer.concat(Array.from({ length: 10 }, () => httpChunk('data: x\n\n'))));
    expect((await waiting).value).toHaveLength(90);
    await body.return?.();
  });

  test('a slow reader stops the server instead of filling the memory', async () => {
    const total = 64 * 1024 * 1024;
    let sent = 0;
    const upstream = await serve(({ socket }) => {
      socket.write(httpHead({ 'content-length': String(total) }));
      const piece = Buffer.alloc(64 * 1024);
      const fill = (): void => {
        let hasRoom = true;
        while (sent < total && hasRoom) {
          sent += piece.length;
          hasRoom = socket.write(piece);
        }
      };
      socket.on('drain', fill);
      fill();
    });
    const answer = await clientWith().send(post(upstream.url), never());
    // Another exchange takes longer than the server would need to send all it may.
    const other = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    for (let count = 0; count < 50; count++) await readAll(await clientWith().send(post(other.url), never()));
    expect(sent).toBeLessThan(total / 2);
    let read = 0;
    for await (const piece of answer.body) read += piece.length;
    expect(read).toBe(total);
  });
});

describe('failures to reach the server', () => {
  test('refused: upstream_unreachable that names the origin and nothing else of the URL', async () => {
    const upstream = await openRawUpstream(() => undefined);
    await upstream.close();
    const error = await failureOf(clientWith().send(post(`${upstream.url}/path?key=sk-canary`), never()));
    expect(error).toMatchObject({ code: 'upstream_unreachable', status: 502, cause: { code: 'ECONNREFUSED' } });
    expect((error as Error).message).toContain(`Is the server running at ${upstream.url}?`);
    expect((error as Error).message).not.toMatch(/canary|path/);
  });

  test('unknown host name: upstream_unreachable', async () => {
    const error = await failureOf(clientWith().send(post('http://nope.invalid/'), never()));
    expect(error).toMatchObject({
      code: 'upstream_unreachable',
      message: expect.stringContaining('name could not be resolved') as string,
    });
  });

  test('a URL that is none is an error without the URL', async () => {
    const error = await failureOf(clientWith().send(post('not a url?key=sk-canary'), never()));
    expect(error).toBeInstanceOf(GatewayError);
    expect(String(error)).not.toContain('canary');
  });

  test('a header value with a line break is refused without showing it', async () => {
    const upstream = await serve(({ socket }) => socket.write(httpAnswer('{}')));
    const error = await failureOf(
      clientWith().send({ method: 'GET', url: upstream.url, headers: { authorization: 'Bearer sk-canary\n' } }, never()),
    );
    expect(error).toMatchObject({ code: 'server_error' });
    expect(String(error)).not.toContain('canary');
  });

  test.each([
    ['FIN', (request: RawRequest) => request.socket.end()],
    ['RST', (request: RawRequest) => request.socket.resetAndDestroy()],
    ['half a status line', (request: RawRequest) => request.socket.end('HTTP/1.1 2')],
  ])('closed before the answer (%s): upstream_unreachable, and a new connection is not tried again', async (_name, end) => {
    const upstream = await serve(end);
    expect(await failureOf(clientWith().send(post(upstream.url), never()))).toMatchObject({ code: 'upstream_unreachable' });
    expect(upstream.requests).toHaveLength(1);
  });

  test('not HTTP: upstream_invalid_response', async () => {
    const upstream = await serve(({ socket }) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await failureOf(clientWith().send(post(upstream.url), never()))).toMatchObject({ code: 'upstream_invalid_response' });
  });
});

describe('timeouts', () => {
  test('connect: the budget and its length are named', async () => {
    const hole = await openBlackHole();
    open.push(hole);
    const error = await failureOf(clientWith({ connectMs: 60 }).send(post(`http://127.0.0.1:${String(hole.port)}/`), never()));
    expect(error).toMatchObject({
      code: 'upstream_timeout',
      status: 504,
      message: expect.stringMatching(/60 ms \(connect timeout\)/) as string,
    });
  });

  test('first byte', async () => {
    const upstream = await serve(() => undefined);
    const error = await failureOf(clientWith({ firstByteMs: 30 }).send(post(upstream.url), never()));
    expect(error).toMatchObject({
      code: 'upstream_timeout',
      status: 504,
      message: expect.stringMatching(/30 ms \(first byte timeout\)/) as string,
    });
    await upstream.closed();
  });

  test('idle: after everything that came has been read', async () => {
    const upstream = await serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(eventStreamHead), httpChunk('data: a\n\n')])),
    );
    const { text, error } = await readUntilError(await clientWith({ idleMs: 30 }).send(post(upstream.url), never()));
    expect(text).toBe('data: a\n\n');
    expect(error).toMatchObject({
      code: 'upstream_timeout',
      status: 504,
      message: expect.stringMatching(/30 ms .*\(idle timeout\)/) as string,
    });
    await upstream.closed();
  });

  test('idle counts silence, not the whole', async () => {
    const upstream = await serve(({ socket }) => {
      socket.write(eventStreamHead);
      let left = 20;
      const timer = setInterval(() => {
        socket.write(left-- > 0 ? httpChunk('x') : '0\r\n\r\n');
        if (left < 0) clearInterval(timer);
      }, 10);
    });
    expect(await readAll(await clientWith({ idleMs: 150 }).send(post(upstream.url), never()))).toBe('x'.repeat(20));
  });
});
