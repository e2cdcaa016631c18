import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { createRecordingBench } from '../../test/doubles/recording-proxy.ts';
import { sendBytes, sendHttp, type HttpCall } from '../../test/doubles/send-http.ts';
import { startReplayServer, type ReplayServer, type ReplayServerOptions } from './replay-server.ts';

const { openRun, listen, startProxy } = createRecordingBench();
const open: ReplayServer[] = [];
afterAll(async () => {
  await Promise.all(open.map((server) => server.close()));
});

async function startReplay(directory: string, more: Partial<ReplayServerOptions> = {}): Promise<ReplayServer> {
  const server = await startReplayServer({ directory, port: 0, timing: 'none', ...more });
  open.push(server);
  expect(server.warnings).toEqual([]);
  return server;
}

/** Sends the calls one after the other through a recording proxy, and returns the folder. */
async function recordAll(serve: RequestListener, calls: readonly HttpCall[]): Promise<string> {
  const run = await openRun();
  const proxy = await startProxy(await listen(serve), run.recorder);
  for (const call of calls) await sendHttp(proxy, call).catch(() => undefined);
  await run.recorder.close();
  expect(run.troubles).toEqual([]);
  return run.directory;
}

const generate = '/v1beta/models/gemini-3-pro:generateContent';
const array = '/v1beta/models/gemini-3-pro:streamGenerateContent';
const stream = `${array}?alt=sse`;
const ask = (path: string, body: unknown, headers: Record<string, string> = {}): HttpCall => ({
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const say = (text: string): object => ({ contents: [{ role: 'user', parts: [{ text }] }] });

const events = 'text/event-stream';
const json = 'application/json';

describe('the bytes that were recorded come back', () => {
  test.each([
    ['events, CRLF', stream, events, 'data: {"n":1}\r\n\r\ndata: {"n":2}\r\n\r\n'],
    ['events, LF', stream, events, 'data: {"n":1}\n\ndata: {"n":2}\n\n'],
    ['events as nobody writes them', stream, events, '\uFEFFid: 1\ndata:{"n":1}\ndata\n\n\n: hm\n: hm\n\nretry: 5\n\ndata: x'],
    [
      'events with names',
      '/v1/messages',
      events,
      'event: ping\ndata: {"type":"ping"}\n\nevent: x\ndata: {"type":"y"}\n\ndata: {}\n\n',
    ],
    ['events of the chat protocol', '/v1/chat/completions', events, ': hi\n\ndata: {"a":1}\n\ndata: [DONE]\n\n'],
    ['no event', stream, events, ''],
    ['an array', array, json, '[{"a":1},\r\n{"b":2}]'],
    ['an array, spread', array, json, '[{\n  "a": "],["\n}\n,\r\n{\n  "b": 2.0\n}\n]\n'],
    ['an empty array', array, json, '[]'],
    ['lines', '/api/chat', 'application/x-ndjson', '{"a":1}\n{"b":2}\n'],
    ['lines without an end', '/api/chat', 'application/x-ndjson', '{"a":1}\r\n\n{"b":2}'],
    ['a body', generate, json, '{"a":1,"text":"é ☃"}'],
    ['a body, spread', generate, json, ' {\n  "a": 1e0\n}\n'],
    ['an error page', generate, 'text/html', '<html>no\n'],
    ['no text', generate, 'application/octet-stream', Buffer.from([0, 0xff, 0x80])],
    ['nothing', generate, json, ''],
  ])('%s', async (_name, path, type, body) => {
    const call = ask(path, { ...say('Hi'), stream: true });
    const directory = await recordAll(
      (_request, response) => response.writeHead(201, { 'content-type': type, 'retry-after': '7' }).end(body),
      [call],
    );
    for (const timing of ['none', 'original'] as const) {
      const answer = await sendHttp((await startReplay(directory, { timing })).url, call);
      expect(answer).toMatchObject({ status: 201, headers: { 'content-type': type, 'retry-after': '7' } });
      expect(answer.text).toBe(body.toString());
    }
  });

  test('a cut stream is cut at the same byte; no answer is none', async () => {
    const directory = await recordAll(
      (request, response) => {
        if (request.url === generate) request.socket.destroy();
        else
          response
            .writeHead(200, { 'content-type': events })
            .write('data: {"n":1}\n\ndata: {"é', () => response.socket?.destroySoon());
      },
      [ask(stream, say('Hi')), ask(generate, say('Hi'))],
    );
    const { url } = await startReplay(directory);
    const send = (path: string): Promise<string> =>
      sendBytes(
        url,
        `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${String(JSON.stringify(say('Hi')).length)}\r\n\r\n${JSON.stringify(say('Hi'))}`,
      );
    const cut = await send(stream);
    expect(cut).toContain('data: {"n":1}\n\n');
    expect(cut).toContain('data: {"é');
    // The chunk of length 0 would say that nothing is missing.
    expect(cut).not.toContain('\r\n0\r\n');
    expect(await send(generate)).toBe('');
  });
});

describe('which recording answers', () => {
  /** Each answer says how many came before it, and every third request is told to wait. */
  const count = (): RequestListener => {
    let number = 0;
    return (_request, response) => {
      number += 1;
      const body = number % 3 === 0 ? '{"error":{"code":429}}' : JSON.stringify({ number });
      response.writeHead(number % 3 === 0 ? 429 : 200, { 'content-type': json }).end(body);
    };
  };

  test('the same request gets its answers in the order of recording, over and over', async () => {
    const calls = ['a', 'b', 'a', 'a', 'b'].map((text) => ask(generate, say(text)));
    const directory = await recordAll(count(), calls);
    const replay = await startReplay(directory);
    expect(replay.exchanges).toBe(5);
    const texts: string[] = [];
    for (const text of ['b', 'a', 'a', 'a', 'b', 'a', 'b'])
      texts.push((await sendHttp(replay.url, ask(generate, say(text)))).text);
    expect(texts).toEqual([
      '{"number":2}',
      '{"number":1}',
      '{"error":{"code":429}}',
      '{"number":4}',
      '{"number":5}',
      '{"number":1}',
      '{"number":2}',
    ]);
  });

  test('order holds over files: an error to a stream stands in another one than the stream', async () => {
    let number = 0;
    const call = ask(stream, say('a'));
    const directory = await recordAll(
      (_request, response) => {
        number += 1;
        if (number === 2) response.writeHead(503, { 'content-type': json }).end('{"n":2}');
        else response.writeHead(200, { 'content-type': events }).end(`data: {"n":${String(number)}}\n\n`);
      },
      [call, call, call],
    );
    const { url } = await startReplay(directory);
    const statuses = [await sendHttp(url, call), await sendHttp(url, call), await sendHttp(url, call)].map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 503, 200]);
  });

  test('another key, another order of members, other compression: the same request', async () => {
    const directory = await recordAll(count(), [
      ask(`${generate}?key=first-key-1&b=2&a=1`, '{"a":{"x":1,"y":[1,2]},"b":"first-key-1"}', {
        authorization: 'Bearer token-one-1',
      }),
    ]);
    const { url } = await startReplay(directory);
    const body = '{ "b": "second-key-2", "a": {"y": [1, 2], "x": 1} }';
    const same = await sendHttp(url, {
      path: `${generate}?a=1&key=second-key-2&b=2`,
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync(body),
    });
    expect(same.status).toBe(200);
    const headerKey = await sendHttp(url, ask(`${generate}?b=2&a=1`, body, { 'x-goog-api-key': 'second-key-2' }));
    expect(headerKey.status).toBe(200);
    // What is compared is compared: an array in another order is another request.
    expect((await sendHttp(url, ask(`${generate}?a=1&b=2`, body.replace('1, 2', '2, 1')))).status).toBe(404);
  });

  test('ids and marks are passed over where nothing has the same, but never in what tools are told', async () => {
    const mark = (letter: string): string => `antiphon${letter.repeat(80)}`;
    const turn = (id: string, marked: string, argument: string): object => ({
      contents: [
        { role: 'model', parts: [{ functionCall: { id, name: 'f', args: { id: argument } } }] },
        { role: 'user', parts: [{ text: `${marked}Hi` }] },
      ],
    });
    const directory = await recordAll(count(), [ask(generate, turn('one', '', 'x')), ask(generate, turn('two', '', 'x'))]);
    const { url } = await startReplay(directory);
    const send = async (body: object): Promise<string> => (await sendHttp(url, ask(generate, body))).text;
    expect(await send(turn('two', '', 'x'))).toBe('{"number":2}');
    expect(await send(turn('two', '', 'x'))).toBe('{"number":2}');
    expect(await send(turn('three', `${mark('a')}\n`, 'x'))).toBe('{"number":1}');
    expect(await send(turn('four', mark('b'), 'x'))).toBe('{"number":2}');
    expect(await send(turn('one', '', 'y'))).toContain('differs at body.contents[0].parts[0].functionCall.args.id');
  });

  test('a request without a recording is told which one is nearest', async () => {
    const directory = await recordAll(count(), [
      ask(generate, say('a b c')),
      ask(generate, say('x')),
      ask('/v1/chat/completions', { model: 'm' }),
    ]);
    const { url } = await startReplay(directory);
    const send = async (path: string, body: unknown): Promise<unknown> => {
      const answer = await sendHttp(url, ask(path, body));
      expect(answer).toMatchObject({ status: 404, headers: { 'content-type': 'application/json; charset=UTF-8' } });
      return JSON.parse(answer.text) as unknown;
    };
    const wrong = (message: RegExp): object => ({
      error: { code: 404, status: 'NOT_FOUND', message: expect.stringMatching(message) as unknown },
    });
    expect(await send(generate, say('a b d'))).toEqual(
      wrong(
        /^No recording answers POST \S+:generateContent with this body\. The nearest recording is \S+#0 \(model gemini-3-pro\): it differs at body\.contents\[0\]\.parts\[0\]\.text\.$/,
      ),
    );
    expect(await send(generate.replace('3-pro', '9'), say('x'))).toEqual(
      wrong(/nearest recording is \S+#0 \(model gemini-3-pro\): POST \S+gemini-3-pro:generateContent\.$/),
    );
    expect(await send('/v1/chat/completions?x=1', { model: 'n' })).toEqual(wrong(/model m\): POST \/v1\/chat\/completions/));
  });

  test('loose: the same route, kind of answer and model; then any model; never an error', async () => {
    const other = generate.replace('3-pro', 'flash');
    const directory = await recordAll(count(), [
      ask(generate, say('1')),
      ask(generate, say('2')),
      ask(generate, say('3')),
      ask(other, say('4')),
    ]);
    const { url } = await startReplay(directory, { loose: true });
    const send = async (path: string): Promise<string> => (await sendHttp(url, ask(path, say('new')))).text;
    expect([await send(generate), await send(generate), await send(generate)]).toEqual([
      '{"number":1}',
      '{"number":2}',
      '{"number":1}',
    ]);
    expect([await send(other), await send(generate.replace('3-pro', 'x'))]).toEqual(['{"number":4}', '{"number":1}']);
    expect(await send(stream)).toContain('No recording answers');
    // Exact ones first, errors too.
    expect((await sendHttp(url, ask(generate, say('3')))).status).toBe(429);
  });
});

describe('doors', () => {
  test('pages of other sites are refused, local ones and programs are not', async () => {
    const call = ask(generate, say('a'));
    const directory = await recordAll((_request, response) => response.end('{}'), [call]);
    const { url } = await startReplay(directory);
    const statusFor = async (headers: Record<string, string>): Promise<number> =>
      (await sendHttp(url, ask(generate, say('a'), headers))).status;
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await statusFor({ origin: 'https://evil.test' })).toBe(403);
    expect(await statusFor({ origin: 'https://localhost.evil.test' })).toBe(403);
    expect(await statusFor({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await statusFor({ origin: 'http://localhost:3000' })).toBe(200);
    expect(await statusFor({ host: 'generativelanguage.googleapis.com' })).toBe(200);
  });

  test('a body that cannot be decompressed', async () => {
    const { url } = await startReplay(await recordAll((_request, response) => response.end('{}'), [ask(generate, say('a'))]));
    expect((await sendHttp(url, { path: generate, headers: { 'content-encoding': 'gzip' }, body: 'no gzip' })).status).toBe(413);
  });

  test('a folder that is not there', async () => {
    await expect(startReplayServer({ directory: '/nowhere/at/all', port: 0, timing: 'none' })).rejects.toThrow(/ENOENT/);
  });
});
