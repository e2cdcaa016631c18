import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lintCapture } from '../../../src/lint-capture.ts';
import { createSseDecoder } from '../../../src/lib/sse-decoder.ts';
import { brokenStreams, goodStream, whole, type Shown } from '../../doubles/broken-streams.ts';
import { startPassingGateway, streamPieces, type PassingGateway } from '../../doubles/passing-gateway.ts';
import { call, eventFrames, message, plainItem, reasoning, streamOf, type WireEvent } from '../../doubles/responses-events.ts';
import { sendHttp, type HttpAnswer } from '../../doubles/send-http.ts';

const custom = { id: 'ctc_1', type: 'custom_tool_call', call_id: 'call_9', name: 'patch', input: 'x', status: 'completed' };
const longStream = streamOf(
  reasoning([['a', 'b'], ['c']], 'sealed'),
  message(['x', 'y']),
  call('get_weather', ['{"city":', '"Oslo"}']),
  call('f', ['{"a"', ':1}']),
  message(['z']),
);
const twoTexts = streamOf(message(['one']), message(['two']), plainItem(custom));
const good = eventFrames(goodStream());
const body = (events: readonly WireEvent[]): string => JSON.stringify(events.at(-1)?.['response'], null, 1);

/** By the model's name: each piece is a socket write of its own. */
const scripts: Readonly<Record<string, readonly string[]>> = {
  good: [good],
  pieces: good.match(/[^]{1,37}/g) ?? [],
  tools: [eventFrames(twoTexts), 'data: [DONE]\n\n'],
  late: [': keep-alive\n\n', good, eventFrames([{ type: 'response.output_text.delta', delta: 'more' }]), 'data: [DONE]\n\n'],
  custom: [eventFrames(twoTexts.slice(0, -3))],
  error: [
    eventFrames([...goodStream().slice(0, 12), { type: 'error', code: 'server_error', message: 'Overheated.', param: null }]),
  ],
  secret: [
    eventFrames(goodStream().slice(0, 4)),
    eventFrames([
      {
        type: 'response.failed',
        sequence_number: 4,
        response: {
          id: 'resp_1',
          status: 'failed',
          output: [],
          error: { code: 'server_error', message: 'key sk-upstream-012345 failed' },
        },
      },
    ]),
  ],
  cut: [eventFrames(goodStream().slice(0, 14))],
  'cut in an event': [good.slice(0, good.indexOf('there') + 3)],
  'not json': [eventFrames(goodStream().slice(0, 14)), 'data: {oops\n\n'],
  html: ['<html>'],
};

/** Every stream of ours has that mark behind its end, whether the server sent one or not. */
const withDone = (text: string): string => `${text.replace('data: [DONE]\n\n', '')}data: [DONE]\n\n`;

let gateway: PassingGateway;

beforeAll(async () => {
  gateway = await startPassingGateway(
    (url) => `
backends:
  upstream: { type: responses, base_url: "${url}", api_key: sk-upstream-012345 }
  ollama: { type: responses, base_url: "${url}/ollama" }
routing: { retries: 0, breaker: off }`,
    (response, request) => {
      const { model, stream = false } = JSON.parse(request.body.toString()) as { model: string; stream?: boolean };
      const [mishap = '', at] = model.split(' ');
      const broken = brokenStreams.find(({ rule }) => rule === model);
      const events = mishaps[mishap]?.(longStream, Number(at)) ?? broken?.plant(goodStream()) ?? goodStream();
      if (request.body.includes('sealed-elsewhere'))
        response.writeHead(400, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            error: {
              message: 'The encrypted content could not be verified.',
              type: 'invalid_request_error',
              code: 'invalid_encrypted_content',
              param: null,
            },
          }),
        );
      else if (stream) streamPieces(response, ...(scripts[model] ?? [eventFrames(events)]));
      else response.writeHead(200, { 'content-type': 'application/json', 'x-ratelimit-remaining-tokens': '5' }).end(body(events));
    },
  );
});

afterAll(() => gateway.close());

function post(model: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  const text = JSON.stringify(
    { input: 'Hi', model: `upstream/${model}`, store: false, unknown_to_us: [1.0, 'é'], ...more },
    null,
    1,
  );
  return sendHttp(gateway.url, {
    path: '/v1/responses',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
}

function eventsOf({ text }: HttpAnswer): WireEvent[] {
  const decoder = createSseDecoder({ maxEventBytes: 1e6 });
  const events = [...decoder.push(Buffer.from(text)), ...decoder.end()];
  return events.filter(({ data }) => data !== '[DONE]').map(({ data }) => JSON.parse(data) as WireEvent);
}

const faultsOf = ({ text }: HttpAnswer): readonly string[] =>
  lintCapture(text)
    .faults.filter(({ severity }) => severity === 'fault')
    .map(({ rule, words }) => `${rule}: ${words}`);

interface Response {
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly output: readonly {
    readonly type: string;
    readonly status?: string;
    readonly arguments?: string;
    readonly content?: readonly { readonly text?: string }[];
    readonly summary?: readonly { readonly text?: string }[];
  }[];
}

const finalOf = (answer: HttpAnswer): Response => eventsOf(answer).at(-1)?.['response'] as Response;

function shownBy({ output, status }: Response): Shown {
  const join = (parts: readonly { readonly text?: string }[]): string => parts.map(({ text }) => text ?? '').join('');
  return {
    text: join(output.flatMap(({ content }) => content ?? [])),
    reasoning: join(output.flatMap(({ summary }) => summary ?? [])),
    call: output.map((item) => item.arguments ?? '').join(''),
    status: status === 'completed' ? 'completed' : 'failed',
  };
}

describe('what the server says goes on byte for byte', () => {
  test.each(['good', 'pieces', 'tools'])('a stream: %s', async (model) => {
    const answer = await post(model, { stream: true });
    expect(answer.text).toBe(withDone((scripts[model] ?? []).join('')));
    expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-ratelimit-remaining-requests': '7' });
    expect(answer.headers['set-cookie']).toBeUndefined();
    const report = await gateway.nextReport();
    expect(report).toMatchObject({ outcome: 'completed', usage: { input_tokens: 9, output_tokens: 4 } });
  });

  test('the request, but for the name of the model', async () => {
    await post('good', { stream: true });
    await gateway.nextReport();
    const sent = gateway.upstream.requests.at(-1);
    expect(sent?.body.toString()).toBe(
      JSON.stringify({ input: 'Hi', model: 'good', store: false, unknown_to_us: [1.0, 'é'], stream: true }, null, 1),
    );
  });

  test('one body', async () => {
    const answer = await post('good');
    expect(answer.text).toBe(body(goodStream()));
    expect(answer.headers['x-ratelimit-remaining-tokens']).toBe('5');
    await gateway.nextReport();
  });

  test('what a server says behind the end does not', async () => {
    const answer = await post('late', { stream: true });
    expect(answer.text).toBe(withDone(`: keep-alive\n\n${good}`));
    await gateway.nextReport();
  });
});

describe('a rule is broken on the way', () => {
  const cases = brokenStreams.map((broken) => [broken.rule, broken] as const);
  const tally = { tried: 0, repaired: 0, failed: 0 };
  /** What was shown would have to be taken back. */
  const taken = new Set(['incomplete-item', 'empty-message']);

  test.each(cases)('%s: what was shown is carried on, cleanly', async (rule, { shown }) => {
    const answer = await post(rule, { stream: true });
    expect(faultsOf(answer)).toEqual([]);
    const final = finalOf(answer);
    tally.tried += 1;
    if (final.status === 'failed') tally.failed += 1;
    else tally.repaired += 1;
    if (taken.has(rule)) expect(final.status).toBe('failed');
    else expect(shownBy(final)).toEqual({ ...whole, ...shown });
    await gateway.nextReport();
  });

  test('how many', () => {
    console.log(`Responses passed through, rules broken: ${tally.repaired} repaired + ${tally.failed} failed of ${tally.tried}`);
    expect(tally.tried).toBe(brokenStreams.length);
  });

  test('a body that breaks one is written anew', async () => {
    const answer = await post('usage-missing');
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 'completed',
      usage: { output_tokens: expect.any(Number) as number },
    });
    await gateway.nextReport();
  });
});

describe('an answer that breaks off', () => {
  test.each([
    ['cut', 'upstream_truncated'],
    ['cut in an event', 'upstream_truncated'],
    ['not json', 'upstream_invalid_response'],
    ['error', 'upstream_error'],
    ['custom', 'upstream_truncated'],
  ])('%s: fails, with what was shown', async (model, code) => {
    const answer = await post(model, { stream: true });
    expect(faultsOf(answer)).toEqual([]);
    const final = finalOf(answer);
    expect(final).toMatchObject({ status: 'failed', error: { code } });
    expect(final.output.filter((item) => item.type === 'function_call' && item.status === 'completed')).toEqual([]);
    expect(answer.text.startsWith((scripts[model]?.[0] ?? '').slice(0, 200))).toBe(true);
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
  });

  test('a key in the words of an error goes nowhere', async () => {
    const answer = await post('secret', { stream: true });
    expect(answer.text).not.toContain('sk-upstream');
    expect(finalOf(answer).status).toBe('failed');
    expect(faultsOf(answer)).toEqual([]);
    await gateway.nextReport();
  });
});

describe('what needs a translation gets one', () => {
  const theirs = '"id":"resp_1"';
  test.each<[string, object, Readonly<Record<string, string>>]>([
    ['a stored response', { store: true }, {}],
    ['a time of its own', { timeout: 30 }, {}],
    ['the client wants none passed on', {}, { 'antiphon-pass-through': 'off' }],
    [
      'reasoning that only its server has',
      {
        input: [
          { type: 'reasoning', id: 'rs_1', summary: [] },
          { role: 'user', content: 'Hi' },
        ],
      },
      {},
    ],
    ['sealed reasoning of a model that does not think', { include: ['reasoning.encrypted_content'] }, {}],
  ])('%s', async (_name, more, headers) => {
    const answer = await post('good', { stream: true, ...more }, headers);
    expect(answer.text).not.toContain(theirs);
    expect(faultsOf(answer)).toEqual([]);
    await gateway.nextReport();
  });

  test('state that another server has sealed: the turn goes without it', async () => {
    const input = [
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'sealed-elsewhere' },
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: 'Hi' },
    ];
    const answer = await post('good', { stream: true, input });
    expect(finalOf(answer).status).toBe('completed');
    expect(answer.headers['antiphon-losses']).toContain('input[0]');
    await gateway.nextReport();
  });
});

/** Every event in turn: left out, told twice, misnamed, or the last that comes. */
const mishaps: Readonly<Record<string, (events: readonly WireEvent[], at: number) => readonly WireEvent[]>> = {
  drop: (events, at) => events.toSpliced(at, 1),
  twice: (events, at) => events.toSpliced(at, 0, ...events.slice(at, at + 1)),
  rename: (events, at) => events.map((event, index) => (index === at ? { ...event, item_id: 'other', output_index: 7 } : event)),
  cut: (events, at) => events.slice(0, at),
};

test.each(Object.keys(mishaps))(
  'wherever a stream breaks (%s), the client gets a clean one, and no cut call as complete',
  async (mishap) => {
    const tally = { tried: 0, repaired: 0, failed: 0, bad: 0 };
    for (let at = 0; at < longStream.length; at += 1) {
      const answer = await post(`${mishap} ${at}`, { stream: true });
      await gateway.nextReport();
      const { output, status } = answer.status === 200 ? finalOf(answer) : { output: [], status: 'failed' };
      const isCallBad = output.some(
        (item) => item.status === 'completed' && item.arguments !== undefined && !isCallOf(item.arguments),
      );
      tally.tried += 1;
      if (faultsOf(answer).length > 0 && answer.status === 200) tally.bad += 1;
      else if (isCallBad || !/^(completed|failed)$/.test(status)) tally.bad += 1;
      else if (status === 'failed') tally.failed += 1;
      else tally.repaired += 1;
    }
    console.log(
      `Responses passed through, ${mishap}: ${tally.bad} bad / ${tally.tried} tried, ${tally.repaired} repaired, ${tally.failed} failed`,
    );
    expect(tally).toMatchObject({ bad: 0, tried: longStream.length });
  },
);

const isCallOf = (text: string): boolean => ['{"city":"Oslo"}', '{"a":1}'].includes(text);
