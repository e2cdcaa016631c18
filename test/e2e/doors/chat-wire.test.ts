import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChatStream } from '../../check-chat-stream.ts';
import { sendHttp, errorLine, type HttpAnswer } from '../../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import { joinedOf } from '../../joined-chat-answer.ts';

let gateway: StartedGateway;

beforeAll(async () => {
  gateway = await startGateway();
});

afterAll(() => gateway.close());

function post(body: object, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return sendHttp(gateway.url, {
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Weather in Paris and London, in parallel' }], ...body }),
  });
}

const tools = [
  {
    type: 'function',
    function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];
const models = [
  'default',
  'parallel',
  'think-late',
  'citations',
  'split-surrogates',
  'empty',
  'refusal',
  'length',
  'content-filter',
  'no-usage',
];

describe('every rehearsal model, over the wire', () => {
  test.each(models)('%s: the stream is faultless and says what the unstreamed answer says', async (id) => {
    const request = { model: `rehearsal/${id}`, tools, reasoning_effort: 'low', logprobs: true, top_logprobs: 1 };
    const streamed = await post({ ...request, stream: true, stream_options: { include_usage: true } });
    const { answer, faults } = readChatStream(streamed.text, { includesUsage: true });
    expect(faults).toEqual([]);
    const whole = joinedOf(JSON.parse((await post(request)).text));
    // Ids, times, sealed texts and the ids of calls are made anew each time.
    const comparable = (one: typeof whole): object => ({
      ...{ ...one, id: null, created: null },
      details: one.details.length,
      calls: one.calls.map(({ name, arguments: text }) => [name, text]),
    });
    expect(comparable(answer)).toEqual(comparable(whole));
  });

  test.each(['late-failure', 'cut', 'throws', 'bad-arguments', 'cut-arguments'])(
    '%s: the stream ends with an error',
    async (id) => {
      const { text, status } = await post({ model: `rehearsal/${id}`, tools, stream: true });
      const { answer, faults } = readChatStream(text, { includesUsage: false });
      expect([status, faults]).toEqual([200, []]);
      expect(answer.error).not.toBeNull();
      expect(errorLine(await post({ model: `rehearsal/${id}`, tools }))).toMatch(/^50\d server_error/);
    },
  );
});

describe('losses and errors', () => {
  const model = 'rehearsal/default';

  test('are named as the client wrote them', async () => {
    const { headers } = await post({ model, store: true, logit_bias: { 1: 1 }, extra: 1 });
    const losses = JSON.parse(String(headers['antiphon-losses'])) as { path: string }[];
    expect(losses.map(({ path }) => path)).toEqual(expect.arrayContaining(['store', 'logit_bias', 'extra']));
  });

  test('strict mode refuses a loss, and nothing that nobody asked for', async () => {
    const strict = { 'antiphon-strict': 'true' };
    expect(errorLine(await post({ model, store: true }, strict))).toBe('400 invalid_request_error unsupported_parameter store');
    expect((await post({ model }, strict)).status).toBe(200);
  });

  test('in the words of this dialect', async () => {
    expect(errorLine(await post({ model: 'rehearsal/nobody' }))).toBe('404 invalid_request_error model_not_found model');
    const foreign = { type: 'reasoning.encrypted', data: 'antiphon.v1.x' };
    const answer = { role: 'assistant', content: 'a', reasoning_details: [foreign] };
    const { headers } = await post({ model, messages: [answer, { role: 'user', content: 'b' }] });
    expect(String(headers['antiphon-losses'])).toContain('messages[0].reasoning_details[0].data');
  });
});
