import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPassingGateway, streamPieces, type PassingGateway } from '../../doubles/passing-gateway.ts';
import { sendHttp, type HttpAnswer } from '../../doubles/send-http.ts';

const frame = (event: { type: string }): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [],
  usage: { input_tokens: 9, output_tokens: 1 },
};
const start = frame({ type: 'message_start', message } as { type: string });
const block = [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hé' }, future: 1 },
  { type: 'content_block_stop', index: 0 },
].map(frame);
const end = [
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
].map(frame);
const ping = frame({ type: 'ping' });
const overload = frame({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } } as { type: string });

const scripts: Readonly<Record<string, readonly string[]>> = {
  plain: [start, ping, ...block, ...end],
  paused: [start, ...block, end.join('').replace('end_turn', 'pause_turn')],
  cut: [start, ...block],
  early: [overload],
  late: [start, ...block, overload],
};
const whole = JSON.stringify({ ...message, content: [{ type: 'text', text: 'hé', x: 1 }], stop_reason: 'end_turn' }, null, 1);

let gateway: PassingGateway;

beforeAll(async () => {
  gateway = await startPassingGateway(
    (url) =>
      [
        'backends:',
        `  claude: { type: anthropic, base_url: "${url}", api_key: "sk-ant-upstream-0123", headers: { anthropic-beta: ours-1 } }`,
        'routing: { retries: 0, breaker: off }',
      ].join('\n'),
    (response, { body, url }) => {
      const { model, stream = false } = JSON.parse(body.toString()) as { model: string; stream?: boolean };
      const isForeign = body.includes('signature');
      if (model === 'counted' || (url.includes('count_tokens') && !isForeign))
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ input_tokens: isForeign ? 42 : 7 }));
      else if (isForeign)
        response
          .writeHead(400, { 'content-type': 'application/json' })
          .end('{"type":"error","error":{"type":"invalid_request_error","message":"Invalid `signature` in `thinking` block"}}');
      else if (stream) streamPieces(response, ...(scripts[model] ?? []));
      else
        response.writeHead(200, { 'content-type': 'application/json', 'anthropic-ratelimit-requests-remaining': '3' }).end(whole);
    },
  );
});

afterAll(() => gateway.close());

function send(body: string): Promise<HttpAnswer> {
  return sendHttp(gateway.url, {
    path: '/v1/messages?beta=true&key=mine',
    headers: {
      'content-type': 'application/json',
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'theirs-2',
      'x-api-key': 'k',
    },
    body,
  });
}

const ask = (model: string, more: object = {}): Promise<HttpAnswer> =>
  send(
    JSON.stringify({
      model: `claude/${model}`,
      max_tokens: 9,
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
      ...more,
    }),
  );

test.each(['plain', 'paused'])('a streamed answer is the bytes of the server: %s', async (model) => {
  expect((await ask(model)).text).toBe(scripts[model]?.join(''));
  expect(await gateway.nextReport()).toMatchObject({
    ...{ outcome: 'completed', servedModel: 'claude-x', losses: [] },
    usage: { input_tokens: 9, output_tokens: 4 },
  });
});

test('a whole answer is the body of the server, with its limits in the headers', async () => {
  const answer = await ask('plain', { stream: false });
  expect(answer.text).toBe(whole);
  expect(answer.headers['anthropic-ratelimit-requests-remaining']).toBe('3');
  expect(await gateway.nextReport()).toMatchObject({ outcome: 'completed', usage: { input_tokens: 9 } });
});

test('the request goes out as it came but for the model, with the headers and the query of the dialect, and our key', async () => {
  const body =
    '{"messages":[{"role":"user","content":"hi"}],\n"max_tokens":9, "model":"claude/plain", "mcp_servers":[{"url":"x"}], "n":1.0}';
  const { headers } = await send(body);
  expect(headers['antiphon-losses']).toBeUndefined();
  const seen = gateway.upstream.requests.at(-1);
  expect(seen?.body.toString()).toBe(body.replace('claude/plain', 'plain'));
  expect(seen?.url).toBe('/v1/messages?beta=true');
  const sent = seen?.headers.map((line) => line.toLowerCase());
  expect(sent).toEqual(
    expect.arrayContaining([
      'anthropic-version: 2024-01-01',
      'anthropic-beta: theirs-2,ours-1',
      'x-api-key: sk-ant-upstream-0123',
    ]),
  );
  await gateway.nextReport();
});

test('a stream that is cut ends with an error event and no message_stop', async () => {
  const shown = [start, ...block].join('');
  const { text } = await ask('cut');
  expect(text.startsWith(shown)).toBe(true);
  expect(text.slice(shown.length)).toMatch(/^event: error\ndata: \{"type":"error".*\}\n\n$/);
  expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
});

test('an overload that comes first is a status, later it goes on in the words of the server', async () => {
  const early = await ask('early');
  expect([early.status, JSON.parse(early.text)]).toMatchObject([529, { type: 'error', error: { type: 'overloaded_error' } }]);
  await gateway.nextReport();
  expect((await ask('late')).text).toBe(scripts['late']?.join(''));
  expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
});

test('thinking that another server signed: refused as it is, the turn goes on translated without it', async () => {
  const thinking = { type: 'thinking', thinking: 'hm', signature: 'Zm9yZWlnbg==' };
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: [thinking, { type: 'text', text: 'yes' }] },
    { role: 'user', content: 'and?' },
  ];
  const answer = await ask('plain', { messages, stream: false });
  expect(JSON.parse(answer.text)).toMatchObject({ content: [{ type: 'text', text: 'hé' }] });
  expect(String(answer.headers['antiphon-losses'])).toContain('messages[1].content[0]');
  await gateway.nextReport();
});

test.each([
  ['counted', 42],
  ['plain', 7],
])('tokens are counted with thinking that the server signed, where it takes it (%s)', async (model, input_tokens) => {
  const body = {
    model: `claude/${model}`,
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'theirs' },
          { type: 'text', text: 'so' },
        ],
      },
      { role: 'user', content: 'and?' },
    ],
    future: 1,
  };
  const answer = await sendHttp(gateway.url, {
    path: '/v1/messages/count_tokens?beta=true',
    headers: { 'content-type': 'application/json', 'anthropic-beta': 'theirs-1' },
    body: JSON.stringify(body),
  });
  expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { input_tokens }]);
  const native = gateway.upstream.requests.at(model === 'counted' ? -1 : -2);
  expect([native?.url, JSON.parse(native?.body.toString() ?? '')]).toEqual([
    '/v1/messages/count_tokens?beta=true',
    { ...body, model },
  ]);
  expect(native?.headers).toContain('anthropic-beta: theirs-1,ours-1');
});
