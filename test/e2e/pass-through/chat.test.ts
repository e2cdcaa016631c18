import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPassingGateway, streamPieces, type PassingGateway } from '../../doubles/passing-gateway.ts';
import { sendHttp, type HttpAnswer } from '../../doubles/send-http.ts';

const frame = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`;
const delta = (content: string): string =>
  frame({
    id: 'c1',
    model: 'served-1',
    vendor_field: { kept: 1.0 },
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  });
const stop = frame({ id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const usage = frame({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 } });
const done = 'data: [DONE]\n\n';
const whole =
  '{ "id":"c1", "model":"served-1",  "vendor_field":9007199254740993, "choices":[{"index":0,"message":{"role":"assistant","content":"hé"},"finish_reason":"stop"}], "usage":{"prompt_tokens":11,"completion_tokens":5}}\n';

/** What the server does, by model. */
const scripts: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  plain: [': OPENROUTER PROCESSING\n\n', delta('hé') + delta('llo'), stop + usage, done],
  cutup: [...Buffer.from(delta('hé🌤') + stop + usage + done)].map((byte) => Uint8Array.of(byte)),
  crlf: [`${delta('a')}${stop}${done}`.replaceAll('\n', '\r\n')],
  'no-done': [delta('a'), stop],
  'late-done': [delta('a'), `${stop}data: [DONE]`],
  cut: [delta('one'), `${delta('two')}data: {"choices":[{"del`],
  garbage: [delta('one') + delta('two') + 'data: {"broken\n\n' + delta('three')],
  error: [delta('one'), frame({ error: { message: 'overheated', code: 500 } }) + done],
  leak: [delta('one'), frame({ error: { message: 'bad key sk-upstream-0123456789' } })],
};

let gateway: PassingGateway;

beforeAll(async () => {
  gateway = await startPassingGateway(
    (url) =>
      [
        'backends:',
        `  chat: { type: chat, base_url: "${url}/v1", vendor: openai, api_key: "sk-upstream-0123456789" }`,
        `  gemini: { type: gemini, base_url: "${url}", api_key: "x" }`,
        'models: { aliases: { first: [chat/busy, gemini/g] } }',
        'routing: { retries: 0, breaker: off }',
      ].join('\n'),
    (response, { url, body }) => {
      const { model = '', stream = false } = JSON.parse(body.toString()) as { model?: string; stream?: boolean };
      if (url.includes('generateContent'))
        response.end('{"candidates":[{"content":{"role":"model","parts":[{"text":"from gemini"}]},"finishReason":"STOP"}]}');
      else if (model === 'busy') response.writeHead(503).end('{"error":{"message":"busy"}}');
      else if (model === 'stalls') response.writeHead(200, { 'content-type': 'text/event-stream' }).write(delta('one'));
      else if (model === 'json-anyway') response.writeHead(200, { 'content-type': 'text/event-stream' }).end(whole);
      else if (stream) streamPieces(response, ...(scripts[model] ?? []));
      else response.writeHead(200, { 'content-type': 'application/json; x=1' }).end(whole);
    },
  );
});

afterAll(() => gateway.close());

const ask = [{ role: 'user', content: 'hi' }];

function send(body: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  return sendHttp(gateway.url, {
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
}

const stream = (model: string, more: object = {}): Promise<HttpAnswer> =>
  send(JSON.stringify({ model: `chat/${model}`, stream: true, messages: ask, ...more }));

const joined = (model: string): string => Buffer.concat((scripts[model] ?? []).map((piece) => Buffer.from(piece))).toString();

describe('an answer', () => {
  test.each(['plain', 'cutup', 'crlf', 'no-done', 'late-done'])('streamed: the bytes of the server (%s)', async (model) => {
    const answer = await stream(model);
    expect(answer.text).toBe(joined(model));
    expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-ratelimit-remaining-requests': '7' });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(await gateway.nextReport()).toMatchObject({ model: `chat/${model}`, outcome: 'completed', error: null });
  });

  test('is in the books: usage, the model that answered, metrics', async () => {
    await stream('plain');
    expect(await gateway.nextReport()).toMatchObject({
      servedModel: 'served-1',
      losses: [],
      usage: { input_tokens: 11, output_tokens: 5, total_tokens: 16 },
    });
    const metrics = await sendHttp(gateway.url, { path: '/metrics' });
    expect(metrics.text).toMatch(/antiphon_upstream_attempts_total\{backend="chat",outcome="accepted"\} \d/);
  });

  test('unstreamed: the body as it is', async () => {
    const answer = await send(JSON.stringify({ model: 'chat/plain', messages: ask }));
    expect(answer.text).toBe(whole);
    expect(answer.headers['content-type']).toBe('application/json; x=1');
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'completed', usage: { input_tokens: 11, output_tokens: 5 } });
  });

  test('that is no stream although one was asked for is written as one', async () => {
    const answer = await stream('json-anyway');
    expect(answer.text).toMatch(/^data: \{.*"content":"hé".*\ndata: \[DONE\]\n\n$/s);
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'completed' });
  });
});

describe('a request', () => {
  test('goes out byte for byte but for its model, and what nobody knows is no loss, in strict mode neither', async () => {
    const body = `{ "model" : "chat/plain",\n "stream":false, "messages":[{"role":"user","content":"h\\u00e9","x":{"model":"m"}}], "seed_64": 9007199254740993, "t":1.0 }`;
    const answer = await send(body, { 'antiphon-strict': 'true' });
    expect(answer.status).toBe(200);
    expect(answer.headers['antiphon-losses']).toBeUndefined();
    const seen = gateway.upstream.requests.at(-1);
    expect(seen?.body.toString()).toBe(body.replace('"chat/plain"', '"plain"'));
    expect(seen?.headers).toContain('authorization: Bearer sk-upstream-0123456789');
    await gateway.nextReport();
  });

  test('with our own sealed state in it is translated', async () => {
    const told = { role: 'assistant', content: 'a', reasoning_details: [{ type: 'reasoning.encrypted', data: 'antiphon.v1.x' }] };
    const answer = await stream('plain', { messages: [told, ...ask] });
    expect(gateway.upstream.requests.at(-1)?.body.toString()).not.toContain('antiphon.v1.');
    expect(answer.text).not.toBe(joined('plain'));
    expect(answer.text.endsWith(done)).toBe(true);
    await gateway.nextReport();
  });

  test('with our timeout in it is translated', async () => {
    await stream('plain', { timeout: 20 });
    expect(gateway.upstream.requests.at(-1)?.body.toString()).not.toContain('timeout');
    await gateway.nextReport();
  });

  test('that its native target does not take goes on, translated, to the next one; only that one has losses', async () => {
    const answer = await send(JSON.stringify({ model: 'first', messages: ask, vendor_field: 1 }));
    expect(JSON.parse(answer.text)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { content: 'from gemini' } }],
    });
    expect(String(answer.headers['antiphon-losses'])).toContain('vendor_field');
    expect(answer.headers['antiphon-route']).toBe('gemini/g; attempts=2; tried=chat/busy:503');
    await gateway.nextReport();
  });
});

describe('trouble in the middle', () => {
  test.each([
    ['cut', delta('one') + delta('two'), 'upstream_truncated'],
    ['garbage', delta('one') + delta('two'), 'upstream_invalid_response'],
    ['leak', delta('one'), null],
  ])('that the server does not tell (%s) is told by us, and [DONE] does not follow', async (model, shown, code) => {
    const { text } = await stream(model);
    expect(text.startsWith(shown)).toBe(true);
    const last = JSON.parse(text.slice(shown.length).replace(/^data: /, '')) as { error: { code: string } };
    if (code !== null) expect(last.error.code).toBe(code);
    expect(text).not.toMatch(/\[DONE\]|sk-upstream/);
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
  });

  test('that the server tells goes on in its words', async () => {
    expect((await stream('error')).text).toBe(joined('error'));
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
  });

  test('a client that leaves breaks the call off', async () => {
    const controller = new AbortController();
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, signal: controller.signal },
      body: JSON.stringify({ model: 'chat/stalls', stream: true, messages: ask }),
    });
    await answer.body?.getReader().read();
    controller.abort();
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'gone' });
  });
});
