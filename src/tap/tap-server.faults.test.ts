import { once } from 'node:events';
import { request as openRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import {
  eventStreamHead,
  httpAnswer,
  httpChunk,
  httpHead,
  lastHttpChunk,
  openRawUpstream,
  type RawRequest,
  type RawUpstream,
} from '../../test/doubles/raw-upstream.ts';
import { createRecordingStage, type RecordingStage } from '../../test/doubles/recording-stage.ts';
import { sendBytes, sendHttp } from '../../test/doubles/send-http.ts';
import { openTestAuthority } from '../../test/doubles/open-test-authority.ts';
import { startTestTap, type TestTap, type TestTapOptions } from '../../test/doubles/start-test-tap.ts';
import { openTunnelSession, sendHttp2 } from '../../test/doubles/tap-tunnel.ts';
import type { Interception } from './model-call.ts';
import type { ExchangeRecorder, RecordedRequest } from './recorded-exchange.ts';

const authority = await openTestAuthority();
const open = closedAfterEach();

async function serve(
  answer: (request: RawRequest) => void,
  options: TestTapOptions = {},
): Promise<{ upstream: RawUpstream; tap: TestTap }> {
  const upstream = await openRawUpstream(answer);
  const tap = await startTestTap({ upstream: upstream.url, ...options });
  open.push(tap, upstream);
  return { upstream, tap };
}

function forward(answer: RecordingStage, signal: AbortSignal | null = null): () => Interception {
  return () => ({ type: 'forward', body: null, answer, signal });
}

const streamPath = '/v1/models/m:streamGenerateContent?alt=sse';
const event = (text: string): string => `data: {"text":"${text}"}\r\n\r\n`;
const firstPart = eventStreamHead + httpChunk(event('a')).toString();

function post(tap: TestTap, path = streamPath): ClientRequest {
  const sent = openRequest(`${tap.url}${path}`, { method: 'POST', agent: false });
  sent.on('error', () => undefined);
  sent.end('{}');
  return sent;
}

/** What came, and whether it ended as an answer should. */
async function readAnswer(sent: ClientRequest): Promise<{ text: string; isWhole: boolean }> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  answer.on('data', (piece: Buffer) => (text += piece.toString()));
  answer.on('error', () => undefined);
  await new Promise((resolve) => answer.once('close', resolve));
  return { text, isWhole: answer.complete };
}

describe('an answer that is cut upstream is cut for the caller, behind everything that came', () => {
  const cuts: readonly [name: string, cut: (request: RawRequest) => void][] = [
    ['closed', ({ socket }) => socket.end(firstPart)],
    ['reset', ({ socket }) => socket.write(firstPart, () => setImmediate(() => socket.resetAndDestroy()))],
    [
      'too short',
      ({ socket }) => socket.end(`${httpHead({ 'content-type': 'text/event-stream', 'content-length': '999' })}${event('a')}`),
    ],
    ['a broken chunk', ({ socket }) => socket.write(`${firstPart}zz\r\n`)],
  ];

  test.each(cuts)('%s, read by a stage', async (_name, cut) => {
    const stage = createRecordingStage();
    const { tap } = await serve(cut, { intercept: forward(stage) });
    expect(await readAnswer(post(tap))).toEqual({ text: event('a'), isWhole: false });
    await stage.over;
    expect(stage.log).toEqual(['begin 200', 'push {"text":"a"}', 'break']);
  });

  test.each(cuts)('%s, passed', async (_name, cut) => {
    const { tap } = await serve(cut);
    expect(await readAnswer(post(tap))).toEqual({ text: event('a'), isWhole: false });
    expect(await readAnswer(post(tap, '/other'))).toEqual({ text: event('a'), isWhole: false });
  });

  test('in HTTP/2 too', async () => {
    const stage = createRecordingStage();
    const { tap } = await serve(({ socket }) => socket.end(firstPart), {
      authority,
      hosts: ['api.test'],
      intercept: forward(stage),
    });
    const session = await openTunnelSession({ tap, target: 'api.test:443', ca: authority.certificate });
    for (const path of [streamPath, '/other']) {
      const answer = await sendHttp2(session, { ':path': path, ':method': 'POST' }, '{}');
      expect([answer.status, answer.body.toString(), answer.resetCode]).toEqual([200, event('a'), 2]);
    }
    session.destroy();
  });

  test('for a caller of HTTP/1.0, whose bodies end with their connection', async () => {
    const { tap } = await serve(({ socket }) => socket.end(firstPart));
    await expect(sendBytes(tap.url, 'GET /other HTTP/1.0\r\nHost: localhost\r\n\r\n')).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
  });

  test('with half a frame, which is not shown', async () => {
    const stage = createRecordingStage();
    const { tap } = await serve(({ socket }) => socket.end(firstPart + httpChunk(event('b').slice(0, 12)).toString()), {
      intercept: forward(stage),
    });
    expect(await readAnswer(post(tap))).toEqual({ text: event('a'), isWhole: false });
    expect(stage.log).toEqual(['begin 200', 'push {"text":"a"}', 'break']);
  });

  test('with an error status, of which the stage learns what came', async () => {
    const stage = createRecordingStage();
    const { tap } = await serve(
      ({ socket }) => socket.end(`${httpHead({ 'content-type': 'text/plain', 'content-length': '9' }, '503 Busy')}half`),
      { intercept: forward(stage) },
    );
    expect(await readAnswer(post(tap))).toEqual({ text: 'half', isWhole: false });
    await stage.over;
    expect(stage.log).toEqual(['begin 503', 'fail 503 text/plain half', 'break']);
  });
});

describe('no answer from upstream', () => {
  test.each([
    ['closes', (socket: RawRequest['socket']) => socket.end(), 502, 'UNAVAILABLE'],
    ['resets', (socket: RawRequest['socket']) => socket.resetAndDestroy(), 502, 'UNAVAILABLE'],
    ['speaks no HTTP', (socket: RawRequest['socket']) => socket.end('SSH-2.0-x\r\n'), 502, 'UNAVAILABLE'],
  ])('it %s', async (_name, act, code, status) => {
    const stage = createRecordingStage();
    const { tap } = await serve(({ socket }) => act(socket), { intercept: forward(stage) });
    const answer = await sendHttp(tap.url, { path: streamPath, body: '{}' });
    expect(JSON.parse(answer.text)).toEqual({ error: { code, status, message: expect.any(String) as string } });
    expect(answer.status).toBe(code);
    expect(stage.log).toEqual([`begin ${String(code)}`, `fail ${String(code)} application/json ${answer.text}`, 'end']);
    expect((await sendHttp(tap.url, { path: '/other' })).status).toBe(code);
    expect(tap.troubles).toHaveLength(2);
  });

  test('nobody listens', async () => {
    const { tap, upstream } = await serve(() => undefined);
    await upstream.close();
    const answer = await sendHttp(tap.url, { path: '/x', body: 'x' });
    expect([answer.status, answer.text]).toEqual([502, expect.stringContaining('refused') as string]);
  });
});

test('a connection that the upstream closes while it is idle costs nobody anything', async () => {
  const used = new WeakSet<RawRequest['socket']>();
  const { upstream, tap } = await serve(({ socket }) => {
    // What meets an idle connection meets one that is just being closed.
    if (used.has(socket)) socket.resetAndDestroy();
    else socket.write(httpAnswer('{"ok":1}'));
    used.add(socket);
  });
  for (let turn = 0; turn < 10; turn++)
    expect((await sendHttp(tap.url, { path: '/v1/models/m:generateContent', body: '{}' })).text).toBe('{"ok":1}');
  expect(upstream.requests.length).toBeGreaterThan(10);
});

describe('a caller that leaves takes its call along', () => {
  test.each([streamPath, '/other'])('in the middle of the answer: %s', async (path) => {
    const stage = createRecordingStage();
    const { upstream, tap } = await serve(({ socket }) => socket.write(firstPart), { intercept: forward(stage) });
    const sent = post(tap, path);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    sent.destroy();
    await upstream.closed();
    if (path !== streamPath) return;
    await stage.over;
    expect(stage.log).toEqual(['begin 200', 'push {"text":"a"}', 'break']);
    expect(tap.troubles).toEqual([]);
  });

  test('before there is one', async () => {
    const stage = createRecordingStage();
    const { upstream, tap } = await serve(() => undefined, { intercept: forward(stage) });
    const sent = post(tap);
    await upstream.arrived();
    sent.destroy();
    await Promise.all([upstream.closed(), stage.over]);
    expect(stage.log).toEqual(['break']);
  });

  test('while it sends its body', async () => {
    const { upstream, tap } = await serve(() => undefined);
    const sent = openRequest(`${tap.url}/other`, { method: 'PUT', agent: false, headers: { 'content-length': '100' } });
    sent.on('error', () => undefined);
    sent.write('part');
    while (upstream.receivedBytes === 0) await new Promise((resolve) => setImmediate(resolve));
    sent.destroy();
    await upstream.closed();
    expect(upstream.requests).toHaveLength(0);
  });

  test('in HTTP/2 too', async () => {
    const { upstream, tap } = await serve(({ socket }) => socket.write(firstPart), { authority, hosts: ['api.test'] });
    const session = await openTunnelSession({ tap, target: 'api.test:443', ca: authority.certificate });
    const stream = session.request({ ':path': streamPath, ':method': 'POST' });
    stream.end('{}');
    await once(stream, 'data');
    stream.close(8);
    await upstream.closed();
    session.destroy();
  });
});

describe('whoever decided about a call can break it off', () => {
  test.each(['before', 'after'])('%s the answer has begun', async (when) => {
    const stage = createRecordingStage();
    const stop = new AbortController();
    const { upstream, tap } = await serve(({ socket }) => when === 'after' && socket.write(firstPart), {
      intercept: forward(stage, stop.signal),
    });
    const sent = post(tap);
    await upstream.arrived();
    if (when === 'after') {
      const answer = readAnswer(sent);
      await once(sent, 'response');
      stop.abort();
      expect((await answer).isWhole).toBe(false);
    } else {
      stop.abort();
      await new Promise((resolve) => sent.once('close', resolve));
    }
    await Promise.all([upstream.closed(), stage.over]);
    expect(stage.log.at(-1)).toBe('break');
    expect(tap.troubles).toEqual([]);
  });

  test('before it was sent at all', async () => {
    const stage = createRecordingStage();
    const { upstream, tap } = await serve(() => undefined, { intercept: forward(stage, AbortSignal.abort()) });
    await expect(sendHttp(tap.url, { path: streamPath, body: '{}' })).rejects.toThrow();
    expect(stage.log).toEqual(['break']);
    expect(upstream.connections).toBe(0);
  });
});

test('the recorder sees what went to the model API and what came back, as it was sent', async () => {
  const log: string[] = [];
  const recorder: ExchangeRecorder = {
    begin({ method, url, headers, body }: RecordedRequest) {
      log.push(`${method} ${url} ${headers['content-type'] ?? ''} ${Buffer.from(body).toString()}`);
      return {
        answer: (status, answered) => log.push(`${String(status)} ${answered['content-type'] ?? ''}`),
        piece: (bytes) => log.push(Buffer.from(bytes).toString()),
        end: () => log.push('end'),
        break: () => log.push('break'),
      };
    },
    close: () => Promise.resolve(),
  };
  const ends = [lastHttpChunk, null, undefined];
  const stage = createRecordingStage(() => ({ changed: 1 }));
  const { upstream, tap } = await serve(
    ({ socket, index }) => {
      const end = ends[index];
      if (end === null) socket.end(firstPart);
      else if (end === undefined) socket.destroy();
      else socket.write(firstPart + end);
    },
    { recorder, intercept: () => ({ type: 'forward', body: '{"new":1}', answer: stage, signal: null }) },
  );
  for (let count = 0; count < 3; count++) {
    const sent = openRequest(`${tap.url}${streamPath}`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json' },
    });
    sent.end('{}');
    await readAnswer(sent);
  }
  const request = `POST ${upstream.url}${streamPath} application/json {"new":1}`;
  const answer = ['200 text/event-stream', event('a')];
  expect(log).toEqual([request, ...answer, 'end', request, ...answer, 'break', request, 'break']);
});

test('closing breaks off what runs', async () => {
  const stage = createRecordingStage();
  const { upstream, tap } = await serve(({ socket }) => socket.write(firstPart), { intercept: forward(stage) });
  const answer = readAnswer(post(tap)).catch(() => null);
  await upstream.arrived();
  await tap.close();
  await stage.over;
  expect((await answer)?.isWhole ?? false).toBe(false);
  expect(stage.log.at(-1)).toBe('break');
});
