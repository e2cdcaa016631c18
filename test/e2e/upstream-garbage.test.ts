import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogResponse } from '../check-event-log/log-event.ts';
import { dialects, openModelUpstream, upstreamKeys, upstreamYaml, type Dialect } from '../doubles/model-upstream.ts';
import { referenceAnswer, referenceRequest, referenceText, toEvents, toWhole, type Said } from '../doubles/model-wire.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { eventStreamHead, httpAnswer, httpChunk, lastHttpChunk, type RawUpstream } from '../doubles/raw-upstream.ts';
import { errorLine } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

/** What the model server streams, by the model's name: pieces, each one a chunk and a write of its own. */
type Stream = (dialect: Dialect) => readonly (string | Uint8Array)[];

const text =
  (said: readonly Said[]): Stream =>
  (dialect) =>
    toEvents(dialect, said);
const events = toEvents;
const endOf = (dialect: Dialect): string[] => events(dialect, [{ finish: 'stop' }, { usage: [1, 2] }]);
const start = (dialect: Dialect): string => events(dialect, [{ text: 'Hello ' }])[0] ?? '';

const chatEvent = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`;
const chatDelta = (delta: object, reason: string | null = null): string =>
  chatEvent({ choices: [{ index: 0, delta, finish_reason: reason }] });

/** JSON text with a lone surrogate as an escape, as models' servers cut emoji. */
const halves = (dialect: Dialect): string[] =>
  ['a\\ud83c', '\\udf24b'].map((half) => (events(dialect, [{ text: '@' }])[0] ?? '').replace('@', half));

const streams: Record<string, Stream> = {
  'bad-json': (dialect) => [start(dialect), 'data: {"choices":[{"delta":\n\n', ...endOf(dialect)],
  'no-json': (dialect) => [start(dialect), 'data: <html>oops</html>\n\n', ...endOf(dialect)],
  'bad-utf8': (dialect) => [
    start(dialect),
    Uint8Array.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xfe, 0x0a, 0x0a]),
    ...endOf(dialect),
  ],
  bytes: (dialect) => Array.from(Buffer.from(text(referenceAnswer)(dialect).join('')), (byte) => Uint8Array.of(byte)),
  'no-end-line': (dialect) => [text(referenceAnswer)(dialect).join('').trimEnd()],
  comments: (dialect) => [
    ': hello\n\n',
    'event: ping\ndata:\n\n',
    'retry: 5\n\n',
    ...text(referenceAnswer)(dialect),
    ': bye\n\n',
  ],
  halves: (dialect) => [...halves(dialect), ...endOf(dialect)],
  'half-middle': (dialect) => [halves(dialect)[0] ?? '', start(dialect), ...endOf(dialect)],
  'half-only': (dialect) => [halves(dialect)[0] ?? '', ...endOf(dialect)],
  'error-first': () => [chatEvent({ error: { message: `slow down KEY`, code: 429, status: 'RESOURCE_EXHAUSTED' } })],
  'error-later': (dialect) => [
    start(dialect),
    chatEvent({ error: { message: 'it broke KEY', code: 503, status: 'UNAVAILABLE' } }),
  ],
  'error-in-call': (dialect) => [
    start(dialect),
    ...(dialect === 'chat' ? events('chat', [{ call: 'get_weather', pieces: ['{"city":'] }]).slice(0, -1) : []),
    chatEvent({ error: { message: 'it broke', code: 500, status: 'INTERNAL' } }),
    ...endOf(dialect),
  ],
  'no-finish': (dialect) => [start(dialect)],
  'no-usage': text([{ text: 'Hello ' }, { finish: 'stop' }]),
  'nothing-said': text([{ finish: 'stop' }]),
  length: text([{ text: 'Hello ' }, { finish: 'length' }]),
  'odd-finish': text([{ text: 'Hello ' }, { finish: 'eaten_by_a_grue' }]),
  'huge-event': (dialect) => [start(dialect), `data: {"x":"${'x'.repeat(9 * 1024 * 1024)}"}\n\n`, ...endOf(dialect)],
  'endless-line': (dialect) => [start(dialect), ...Array.from({ length: 33 }, () => 'x'.repeat(1024 * 1024))],
};

/** Only the chat protocol sends arguments in pieces, and can lie about them. */
const chatStreams: Record<string, Stream> = {
  'lying-stop': () => [
    ...events('chat', [{ text: 'Hello ' }, { call: 'get_weather', pieces: ['{"city":"Os'] }, { finish: 'stop' }]),
  ],
  'lying-calls': () => [...events('chat', [{ call: 'get_weather', pieces: ['{"city":"Os'] }, { finish: 'tool_calls' }])],
  'bad-arguments': () => [...events('chat', [{ call: 'get_weather', pieces: ['["Oslo"]'] }, { finish: 'tool_calls' }])],
  'calls-without-call': () => [...events('chat', [{ text: 'Hello ' }, { finish: 'tool_calls' }])],
  interleaved: () => {
    const call = (index: number, fields: object): string => chatDelta({ tool_calls: [{ index, ...fields }] });
    const opened = (index: number, name: string): string =>
      call(index, { id: `call_${String(index)}`, type: 'function', function: { name, arguments: '' } });
    const piece = (index: number, json: string): string => call(index, { function: { arguments: json } });
    return [
      opened(0, 'get_weather'),
      opened(1, 'get_weather'),
      piece(1, '{"city":'),
      piece(0, '{"city":"Oslo"'),
      piece(1, '"Rome"}'),
      piece(0, '}'),
      chatDelta({}, 'tool_calls'),
      'data: [DONE]\n\n',
    ];
  },
};

let upstream: RawUpstream;
let gateway: StartedGateway;
beforeAll(async () => {
  upstream = await openModelUpstream(({ socket, dialect, model, stream }) => {
    const script = (streams[model] ?? chatStreams[model])?.(dialect) ?? [];
    if (!stream) {
      socket.write(httpAnswer(whole(model, dialect)));
      return;
    }
    socket.write(eventStreamHead);
    for (const piece of script)
      socket.write(httpChunk(typeof piece === 'string' ? piece.replace('KEY', upstreamKeys[dialect]) : piece));
    socket.write(lastHttpChunk);
  });
  gateway = await startGateway(upstreamYaml(upstream.url));
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** The body of an answer that is not streamed. */
function whole(model: string, dialect: Dialect): string | Uint8Array {
  switch (model) {
    case 'bad-json':
      return toWhole(dialect, referenceAnswer).slice(0, -20);
    case 'bad-utf8':
      return Buffer.from(toWhole(dialect, [{ text: 'Hello @' }, { finish: 'stop' }])).map((byte) =>
        byte === 0x40 ? 0xff : byte,
      );
    case 'no-usage':
      return toWhole(dialect, [{ text: 'Hello ' }, { finish: 'stop' }]);
    case 'no-finish':
      return dialect === 'chat' ? '{"choices":[]}' : '{"candidates":[]}';
    case 'huge':
      return toWhole(dialect, [{ text: 'x'.repeat(20 * 1024 * 1024) }, { finish: 'stop' }]);
    default:
      return toWhole(dialect, referenceAnswer);
  }
}

const ask = (model: string, stream = true): Promise<StreamAnswer> => postResponse(gateway.url, referenceRequest(model, stream));
const textOf = (body: LogResponse): string =>
  body.output.flatMap(({ content = [] }) => content.map((part) => part.text ?? '')).join('');

describe.each(dialects)('%s', (dialect) => {
  test.each([
    ['bad-json', 'upstream_invalid_response'],
    ['no-json', 'upstream_invalid_response'],
    ['bad-utf8', 'upstream_invalid_response'],
    ['error-later', 'upstream_overloaded'],
    ['error-in-call', 'upstream_error'],
    ['no-finish', 'upstream_truncated'],
    ['huge-event', 'upstream_event_too_large'],
    ['endless-line', 'upstream_event_too_large'],
  ])('%s in the middle is response.failed, with what came before it', async (model, code) => {
    const { status, body, faults } = await ask(`${dialect}/${model}`);
    expect([status, faults]).toEqual([200, []]);
    expect(body).toMatchObject({ status: 'failed', error: { code } });
    expect(body.error?.message).not.toContain(upstreamKeys[dialect]);
    expect(textOf(body)).toBe('Hello ');
    expect(body.output.at(-1)?.status).toBe('incomplete');
  });

  test('an error as the first event of a stream is response.failed with its code', async () => {
    const { status, body, faults } = await ask(`${dialect}/error-first`);
    expect([status, faults]).toEqual([200, []]);
    expect(body).toMatchObject({ status: 'failed', output: [], error: { code: 'rate_limit_exceeded' } });
    expect(body.error?.message).toContain('slow down');
    expect(body.error?.message).not.toContain(upstreamKeys[dialect]);
  });

  test.each(['bytes', 'no-end-line', 'comments'])('%s: the answer is whole', async (model) => {
    const { body, faults } = await ask(`${dialect}/${model}`);
    expect(faults).toEqual([]);
    expect(body).toMatchObject({ status: 'completed', usage: { input_tokens: 11, output_tokens: 7 } });
    expect(textOf(body)).toBe(referenceText);
    expect(body.output.at(-1)).toMatchObject({ type: 'function_call', arguments: expect.stringContaining('Málaga') as string });
  });

  test('a surrogate pair split over deltas becomes one character, half of one U+FFFD', async () => {
    const split = await ask(`${dialect}/halves`);
    expect(split.faults).toEqual([]);
    expect([split.body.status, textOf(split.body)]).toEqual(['completed', 'a🌤b']);
    for (const { delta } of split.events) expect(delta ?? '').not.toMatch(/\p{Surrogate}/u);
    for (const [model, whole] of [
      ['half-only', 'a\ufffd'],
      ['half-middle', 'a\ufffdHello '],
    ] as const) {
      const half = await ask(`${dialect}/${model}`);
      expect(half.faults).toEqual([]);
      expect(textOf(half.body)).toBe(whole);
    }
  });

  test('an odd finish reason is an end, a limit is response.incomplete, silence is an empty answer', async () => {
    const odd = await ask(`${dialect}/odd-finish`);
    expect(odd.faults).toEqual([]);
    expect(textOf(odd.body)).toBe('Hello ');
    const length = await ask(`${dialect}/length`);
    expect(length.faults).toEqual([]);
    expect(length.body).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    const silent = await ask(`${dialect}/nothing-said`);
    expect(silent.faults).toEqual([]);
    expect(silent.body).toMatchObject({ status: 'completed', output: [{ type: 'message', content: [{ text: '' }] }] });
  });

  test('usage that is not reported is counted', async () => {
    for (const stream of [false, true]) {
      const { body, faults } = await ask(`${dialect}/no-usage`, stream);
      expect(faults).toEqual([]);
      expect(body.status).toBe('completed');
      expect(body.usage?.input_tokens).toBeGreaterThan(0);
      expect(body.usage?.output_tokens).toBeGreaterThan(0);
    }
  });

  test.each([
    ['bad-json', '502 server_error upstream_invalid_response null'],
    ['bad-utf8', '502 server_error upstream_invalid_response null'],
    ['no-finish', /^502 server_error upstream_(truncated|invalid_response) null$/],
  ])('%s without a stream is an HTTP status', async (model, line) => {
    expect(errorLine(await ask(`${dialect}/${model}`, false))).toMatch(line);
  });

  test('20 MiB of text without a stream arrive', async () => {
    const { status, body } = await ask(`${dialect}/huge`, false);
    expect([status, textOf(body).length]).toEqual([200, 20 * 1024 * 1024]);
  });
});

describe('calls in pieces', () => {
  test.each([
    ['lying-stop', ['upstream_truncated', 'invalid_tool_arguments']],
    ['lying-calls', ['upstream_truncated', 'invalid_tool_arguments']],
    ['bad-arguments', ['invalid_tool_arguments']],
  ])('%s: a finish does not make a call whole', async (model, codes) => {
    const { body, faults } = await ask(`chat/${model}`);
    expect(faults).toEqual([]);
    expect(body.status).toBe('failed');
    expect(codes).toContain(body.error?.code);
    expect(body.output.at(-1)).toMatchObject({ type: 'function_call', status: 'incomplete' });
  });

  test('a finish that names calls that were not made is just an end', async () => {
    const { body, faults } = await ask('chat/calls-without-call');
    expect(faults).toEqual([]);
    expect([body.status, textOf(body)]).toEqual(['completed', 'Hello ']);
  });

  test('interleaved calls come one after the other', async () => {
    const { body, faults } = await ask('chat/interleaved');
    expect(faults).toEqual([]);
    expect(body.output.map(({ call_id, arguments: json }) => [call_id, json])).toEqual([
      ['call_0', '{"city":"Oslo"}'],
      ['call_1', '{"city":"Rome"}'],
    ]);
  });
});
