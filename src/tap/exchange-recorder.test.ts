import { readdir } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { createRecordingBench, readFolder } from '../../test/doubles/recording-proxy.ts';
import { sendHttp, type HttpCall } from '../../test/doubles/send-http.ts';

const { openRun, listen, startProxy, record } = createRecordingBench();

const generate = '/v1beta/models/gemini-3-pro:generateContent';
const stream = '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse';
const hello = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };
const call = (path: string, more: HttpCall = {}): HttpCall => ({
  path,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(hello),
  ...more,
});
const answerWith = (
  body: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): RequestListener => {
  return (_request, response) => response.writeHead(200, headers).end(body);
};

describe('what is written down', () => {
  test('a stream: data payloads, line ends, times', async () => {
    const recording = await record((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-internal-host': 'a.b.c', date: 'today' });
      response.write('data: {"n":1}\r\n\r\nda');
      setImmediate(() => response.end('ta: {"n":"é"}\r\n\r\n'));
    }, call(stream));
    expect(recording).toEqual({
      id: 'antiphon-tap:2026-01-02T00:00:00.010Z#0',
      group: 'antiphon-tap:2026-01-02T00:00:00.010Z',
      source: 'antiphon-tap',
      provider: 'gemini',
      vendor: 'google-ai',
      model: 'gemini-3-pro',
      fidelity: 'wire',
      edited: false,
      recorded: '2026-01-02',
      recorded_at: '2026-01-02T00:00:00.020Z',
      stream: true,
      stream_requested: true,
      features: [],
      request: { method: 'POST', path: stream, headers: { 'content-type': 'application/json' }, body: hello },
      response: {
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        chunks: ['{"n":1}', '{"n":"é"}'],
        sse: { event_lines: false, eol: 'crlf' },
        timing: expect.objectContaining({ chunks_ms: [expect.any(Number), expect.any(Number)] }) as unknown,
      },
    });
    const { answer_ms: answered, chunks_ms: [first, second] = [], end_ms: ended } = recording.response.timing!;
    expect([answered < first!, first! < second!, second! < ended]).toEqual([true, true, true]);
  });

  test.each([
    [
      'an array',
      '[{"a":"]"}\n,\r\n{"b":2}\n]',
      { chunks: ['{"a":"]"}', '{"b":2}'], framing: 'json-array', wire: ['[{"a":"]"}', '\n,\r\n{"b":2}', '\n]'] },
    ],
    ['an array as replays write it', '[{"a":1},\r\n{"b":2}]', { chunks: ['{"a":1}', '{"b":2}'], framing: 'json-array' }],
  ])('%s of Gemini without alt=sse', async (_name, body, expected) => {
    const { response } = await record(answerWith(body), call(stream.replace('?alt=sse', '')));
    expect(response).toMatchObject(expected);
    expect('wire' in response).toBe('wire' in expected);
  });

  test('a body: parsed, and its exact text where that is not what JSON.stringify writes', async () => {
    const compact = await record(answerWith('{"a":1}'), call(generate));
    expect(compact.response).toMatchObject({ body: { a: 1 } });
    expect(compact.response.wire).toBeUndefined();
    const pretty = await record(answerWith('{\n  "a": 1.0\n}\n'), call(generate));
    expect(pretty.response).toMatchObject({ body: { a: 1 }, wire: ['{\n  "a": 1.0\n}\n'] });
    expect(pretty.stream).toBe(false);
  });

  test.each(['gzip', 'br'])('%s is undone, in requests and answers', async (encoding) => {
    const compress = encoding === 'gzip' ? gzipSync : brotliCompressSync;
    const answer = answerWith(compress('data: {"n":1}\n\ndata: {"n":2}\n\n'), {
      'content-type': 'text/event-stream',
      'content-encoding': encoding,
    });
    const headers = { 'content-encoding': encoding };
    const recording = await record(answer, call(stream, { headers, body: compress(JSON.stringify(hello)) }));
    expect(recording.request).toMatchObject({ body: hello, headers });
    expect(recording.response).toMatchObject({
      chunks: ['{"n":1}', '{"n":2}'],
      headers: { 'content-type': 'text/event-stream' },
    });
    expect(recording.response.headers).not.toHaveProperty('content-encoding');
  });

  test('bodies that are no JSON, and no text', async () => {
    const text = await record(answerWith('no\n'), call(generate, { body: 'not json' }));
    expect([text.request, text.response]).toMatchObject([{ body: null, body_text: 'not json' }, { body_text: 'no\n' }]);
    const bytes = Buffer.from([0xff, 0, 0xfe]);
    const binary = await record(answerWith(bytes), call(generate, { body: bytes }));
    expect([binary.request, binary.response]).toMatchObject([{ body: null, body_base64: '/wD+' }, { body_base64: '/wD+' }]);
  });

  test('each provider and kind of answer has its file', async () => {
    const run = await openRun();
    const proxy = await startProxy(
      await listen((request, response) => {
        const isStream = request.url?.includes('alt=sse') === true;
        response.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
        response.writeHead(request.headers['x-fail'] === undefined ? 200 : 429).end(isStream ? 'data: 1\n\n' : '{}');
      }),
      run.recorder,
    );
    await sendHttp(proxy, call(stream));
    await sendHttp(proxy, call(generate));
    await sendHttp(proxy, call(stream.replace('?alt=sse', ''), { headers: { 'x-fail': '1' } }));
    await sendHttp(proxy, call('/v1/chat/completions'));
    await sendHttp(proxy, { path: '/favicon.ico' });
    const recordings = await run.readAll();
    expect((await readdir(run.directory)).sort()).toEqual([
      'chat-compat-sync.jsonl',
      'gemini-stream.jsonl',
      'gemini-sync.jsonl',
      'other-sync.jsonl',
    ]);
    expect(recordings.filter(({ response }) => response.status === 429)).toMatchObject([
      { stream: false, stream_requested: true, features: ['error'] },
    ]);
  });
});

describe('what does not end well', () => {
  test('a stream that was cut: whole chunks, and the rest as it came', async () => {
    const recording = await record((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"n":1}\n\ndata: {"n":', () => response.socket?.destroySoon());
    }, call(stream));
    expect(recording).toMatchObject({ edited: true, features: ['cut'], response: { cut: true, chunks: ['{"n":1}'] } });
    expect(recording.response.wire?.join('')).toBe('data: {"n":1}\n\ndata: {"n":');
  });

  test('no answer at all', async () => {
    const recording = await record((request) => request.socket.destroy(), call(generate));
    expect(recording.response).toMatchObject({ status: 502, cut: true, unanswered: true });
  });

  test('an answer that is longer than what is kept', async () => {
    const { response } = await record(
      answerWith('{"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}'),
      call(generate, { body: '{}' }),
      { maxBodyBytes: 20 },
    );
    expect(response).toMatchObject({
      cut: true,
      body_text: '{"a":"xxxxxxxxxxxxxx',
      note: 'cut after 20 bytes: longer than what is recorded',
    });
  });

  test('memory is bounded over all exchanges, and free again after them', async () => {
    const run = await openRun({ maxHeldBytes: 100 });
    const begin = () =>
      run.recorder.begin({ method: 'POST', url: `https://models.test${generate}`, headers: {}, body: new Uint8Array(0) });
    const finish = (exchange: ReturnType<typeof begin>): void => {
      exchange.answer(200, {});
      exchange.piece(Buffer.from(`"${'x'.repeat(58)}"`));
      exchange.end();
    };
    const both = [begin(), begin()];
    both.forEach(finish);
    await vi.waitFor(async () => {
      expect((await readFolder(run.directory)).split('\n')).toHaveLength(3);
    });
    finish(begin());
    const notes = (await run.readAll()).map(({ response }) => response.note ?? 'whole');
    expect(notes.sort()).toEqual(['cut after 0 bytes: too many answers at once', 'whole', 'whole']);
  });

  test('closing records what is still running as cut; nothing is recorded after it', async () => {
    const run = await openRun();
    const request = { method: 'POST', url: `https://models.test${generate}`, headers: {}, body: Buffer.from('{}') };
    const open = run.recorder.begin(request);
    open.answer(200, {});
    open.piece(Buffer.from('{"a"'));
    await run.recorder.close();
    run.recorder.begin(request).end();
    open.end();
    expect(await run.readAll()).toMatchObject([{ response: { cut: true, body_text: '{"a"' } }]);
  });
});
