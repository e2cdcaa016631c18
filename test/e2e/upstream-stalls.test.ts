import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBlackHole } from '../doubles/black-hole.ts';
import { dialects, openModelUpstream, upstreamYaml, type Dialect } from '../doubles/model-upstream.ts';
import { referenceAnswer, referenceRequest, toEvents, toWhole, type Said } from '../doubles/model-wire.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { eventStreamHead, httpChunk, httpHead, type RawUpstream } from '../doubles/raw-upstream.ts';
import { errorLine } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const firstText = referenceAnswer.slice(0, 2);

/** What a stalling model server writes before it falls silent. */
function beginning(stall: string, dialect: Dialect): string | Uint8Array {
  switch (stall) {
    case 'headers':
      return '';
    case 'event':
      return eventStreamHead;
    case 'text':
      return Buffer.concat([Buffer.from(eventStreamHead), httpChunk(toEvents(dialect, firstText).slice(0, 2).join(''))]);
    case 'arguments':
      return Buffer.concat([Buffer.from(eventStreamHead), httpChunk(untilArguments(dialect))]);
    default:
      // The first half of a body whose length is known.
      return `${httpHead({ 'content-type': 'application/json', 'content-length': '100000' })}${toWhole(dialect, referenceAnswer).slice(0, 60)}`;
  }
}

/** A Gemini call comes whole, except where arguments are streamed. */
function untilArguments(dialect: Dialect): string {
  const said: Said[] = [...firstText, { call: 'get_weather', pieces: ['{"city":', '"Os'] }];
  if (dialect === 'chat') return toEvents('chat', said).slice(0, -1).join('');
  const partialArgs = [{ jsonPath: '$.city', stringValue: 'Os', willContinue: true }];
  const part = { functionCall: { name: 'get_weather', partialArgs, willContinue: true } };
  const chunk = { candidates: [{ content: { role: 'model', parts: [part] } }] };
  return `${toEvents('gemini', firstText).join('')}data: ${JSON.stringify(chunk)}\r\n\r\n`;
}

let upstream: RawUpstream;
/** Waits 300 ms for everything. */
let impatient: StartedGateway;
/** Waits for ever, but 400 ms for the whole, and no request may ask for more than 800 ms. */
let strict: StartedGateway;

beforeAll(async () => {
  upstream = await openModelUpstream(({ socket, dialect, model }) => socket.write(beginning(model, dialect)));
  const store = 'store: { url: "memory:" }';
  impatient = await startGateway(
    upstreamYaml(upstream.url, { more: `timeouts: { connect: 300ms, first_byte: 300ms, idle: 300ms }\n${store}` }),
  );
  strict = await startGateway(upstreamYaml(upstream.url, { more: `timeouts: { total: 400ms, max_total: 800ms }\n${store}` }));
});

afterAll(async () => {
  await impatient.close();
  await strict.close();
  await upstream.close();
});

describe.each(dialects)('%s', (dialect) => {
  const ask = (gateway: StartedGateway, stall: string, stream: boolean, more: object = {}): Promise<StreamAnswer> =>
    postResponse(gateway.url, { ...referenceRequest(`${dialect}/${stall}`, stream), ...more });
  const timedOut = '504 server_error upstream_timeout null';

  test('a stall before the headers is a 504', async () => {
    for (const answer of await Promise.all([false, true].map((stream) => ask(impatient, 'headers', stream)))) {
      expect(errorLine(answer)).toBe(timedOut);
      expect(answer.headers.get('x-should-retry')).toBe('true');
      expect(answer.body.error?.message).toContain('first byte timeout');
    }
  });

  test('a stall before the first event is response.failed', async () => {
    const answer = await ask(impatient, 'event', true);
    expect([answer.status, answer.faults]).toEqual([200, []]);
    expect(answer.body).toMatchObject({ status: 'failed', output: [], error: { code: 'upstream_timeout' } });
  });

  test('a stall inside of the text is response.failed and keeps the text', async () => {
    const answer = await ask(impatient, 'text', true);
    expect(answer.faults).toEqual([]);
    expect(answer.body).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_timeout', message: expect.stringContaining('idle timeout') as string },
      output: [{ type: 'message', status: 'incomplete', content: [{ text: 'The weather in Málaga 🌤 is ' }] }],
    });
  });

  test('a stall inside of arguments is response.failed and the call is incomplete', async () => {
    const answer = await ask(impatient, 'arguments', true);
    expect(answer.faults).toEqual([]);
    expect(answer.body).toMatchObject({
      status: 'failed',
      error: { code: 'upstream_timeout' },
      output: [{ type: 'message' }, { type: 'function_call', name: 'get_weather', status: 'incomplete' }],
    });
  });

  test('without a stream every stall is a 504', async () => {
    const stalls = ['body', 'event', 'text', 'arguments'];
    const answers = await Promise.all(stalls.map((stall) => ask(impatient, stall, false)));
    expect(answers.map(errorLine)).toEqual(stalls.map(() => timedOut));
  });

  test('the end of the whole time keeps what there is: response.incomplete, reason timeout', async () => {
    const both = (stream: boolean): Promise<[StreamAnswer, StreamAnswer]> =>
      Promise.all([ask(strict, 'text', stream), ask(strict, 'arguments', stream)]);
    for (const [text, call] of await Promise.all([both(false), both(true)])) {
      expect([text.status, text.faults]).toEqual([200, []]);
      expect(text.body).toMatchObject({
        status: 'incomplete',
        error: null,
        incomplete_details: { reason: 'timeout' },
        output: [{ status: 'incomplete', content: [{ text: 'The weather in Málaga 🌤 is ' }] }],
        usage: { input_tokens: expect.any(Number) as number },
      });
      expect(call.faults).toEqual([]);
      expect(call.body).toMatchObject({ status: 'incomplete', output: [{}, { type: 'function_call', status: 'incomplete' }] });
    }
  });

  test('the end of the whole time with nothing to keep is a failure', async () => {
    const [answer, ...refused] = await Promise.all([
      ask(strict, 'event', true),
      ask(strict, 'event', false),
      ask(strict, 'headers', true),
      ask(strict, 'headers', false),
    ]);
    expect(refused.map(errorLine)).toEqual([timedOut, timedOut, timedOut]);
    expect(answer.faults).toEqual([]);
    expect(answer.body).toMatchObject({ status: 'failed', error: { code: 'upstream_timeout' } });
  });

  test('a request may ask for less time, and for more only as far as the operator lets it', async () => {
    const times = [0.3, 0.6, 1e6, Number.MAX_SAFE_INTEGER];
    const answers = await Promise.all(times.map((timeout) => ask(strict, 'text', true, { timeout })));
    for (const answer of answers) {
      expect(answer.faults).toEqual([]);
      expect(answer.body).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'timeout' } });
    }
    for (const timeout of [0, -1, '5']) expect((await ask(strict, 'text', true, { timeout })).status).toBe(400);
    // The default of the others is half an hour: only the request's own time can end this one.
    const own = await ask(impatient, 'headers', true, { timeout: 0.05 });
    expect(errorLine(own)).toBe(timedOut);
    expect(own.body.error?.message).toContain('the time this request had');
  });
});

test('a server that never accepts the connection is a 504', async () => {
  const hole = await openBlackHole();
  const gateway = await startGateway(
    upstreamYaml(`http://127.0.0.1:${String(hole.port)}`, { more: 'timeouts: { connect: 200ms }\nstore: { url: "memory:" }' }),
  );
  for (const dialect of dialects) {
    const answer = await postResponse(gateway.url, referenceRequest(`${dialect}/m`, true));
    expect(errorLine(answer)).toBe('504 server_error upstream_timeout null');
  }
  await gateway.close();
  await hole.close();
});
