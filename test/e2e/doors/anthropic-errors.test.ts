import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loose } from '../../check-anthropic-stream/loose-event.ts';
import { postMessage } from '../../doubles/post-message.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';

const key = 'sk-antiphon-test-0123456789abcdef';
let gateway: StartedGateway;
let client: Anthropic;

beforeAll(async () => {
  gateway = await startGateway(
    `store: { url: "memory:" }\nserver: { keys: ["${key}"] }\nkeep_alive: { comment: 20ms, event: 40ms }`,
  );
  client = new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 });
});

afterAll(() => gateway.close());

const hello = { max_tokens: 100, messages: [{ role: 'user', content: 'Hello' } as const] };

/** What the official client throws. */
async function errorOf(model: string, more: object = {}): Promise<InstanceType<typeof Anthropic.APIError>> {
  const thrown: unknown = await client.messages.create({ ...hello, model, ...more }).catch((error: unknown) => error);
  if (thrown instanceof Anthropic.APIError) return thrown;
  throw new Error(`no API error: ${String(thrown)}`);
}

describe('before the answer, an error is a status with a body that the official client knows', () => {
  test('a bad request names what is wrong', async () => {
    const error = await errorOf('rehearsal/default', { temperature: 3 });
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(error).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      requestID: expect.stringMatching(/^req_/) as string,
    });
    expect(error.message).toContain("'temperature'");
  });

  test('a model that does not exist', async () => {
    expect(await errorOf('rehearsal/nobody')).toMatchObject({ status: 404, type: 'not_found_error' });
  });

  test('a rate limit', async () => {
    const error = await errorOf('rehearsal/429');
    expect(error).toBeInstanceOf(Anthropic.RateLimitError);
    expect(error.type).toBe('rate_limit_error');
    expect(error.headers?.get('retry-after')).toMatch(/^\d+$/);
  });

  test('a wrong key', async () => {
    const stranger = new Anthropic({ baseURL: gateway.url, apiKey: 'sk-wrong', maxRetries: 0 });
    await expect(stranger.messages.create({ ...hello, model: 'rehearsal/default' })).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
  });

  test('the path of the hub is translated: a broken seal', async () => {
    const thinking = { type: 'thinking', thinking: 'Hm.', signature: '' } as const;
    const first = await client.messages.create({
      ...hello,
      model: 'rehearsal/default',
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
    const seal = first.content.flatMap((block) => (block.type === 'thinking' ? [block.signature] : [])).join();
    const broken = { ...thinking, signature: `${seal.slice(0, -4)}${seal.endsWith('AAAA') ? 'BBBB' : 'AAAA'}` };
    const error = await errorOf('rehearsal/default', {
      messages: [...hello.messages, { role: 'assistant', content: [broken, { type: 'text', text: 'Hi' }] }, ...hello.messages],
    });
    expect(error.status).toBe(400);
    expect(error.message).toContain('messages[1].content[0].signature');
  });

  test('a base URL that ends in the version', async () => {
    const lost = new Anthropic({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });
    await expect(lost.messages.create({ ...hello, model: 'rehearsal/default' })).rejects.toThrow('base URL must not end in it');
  });

  test('a call without its result', async () => {
    const use = { type: 'tool_use', id: 'a', name: 'f', input: {} };
    const messages = [...hello.messages, { role: 'assistant', content: [use] }, ...hello.messages];
    expect((await errorOf('rehearsal/default', { messages })).message).toContain('messages[1].content[0]');
  });

  test('in strict mode, what would be lost', async () => {
    const answer = await postMessage(
      gateway.url,
      { ...hello, model: 'rehearsal/default', colour: 'red' },
      {
        ...{ 'x-api-key': key, 'antiphon-strict': 'true' },
      },
    );
    expect(answer.status).toBe(400);
    expect(loose(answer.body['error'])['message']).toContain('colour');
  });
});

describe('on the wire', () => {
  const headers = { 'x-api-key': key };

  test.each(['late-failure', 'throws', 'cut'])('%s: an error in the middle is the last event', async (model) => {
    const { events, faults } = await postMessage(gateway.url, { ...hello, model: `rehearsal/${model}`, stream: true }, headers);
    expect(faults).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    const thrown = client.messages.stream({ ...hello, model: `rehearsal/${model}` }).finalMessage();
    await expect(thrown).rejects.toBeInstanceOf(Anthropic.APIError);
  });

  test('a silence is filled with pings, which are events', async () => {
    const left = new AbortController();
    const answer = await fetch(`${gateway.url}/v1/messages?beta=true`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ ...hello, model: 'rehearsal/stall-text', stream: true }),
      signal: left.signal,
    });
    let text = '';
    for await (const bytes of answer.body ?? []) {
      text += new TextDecoder().decode(bytes as Uint8Array);
      if (text.split('event: ping\ndata: {"type":"ping"}\n\n').length > 4) break;
    }
    left.abort();
    expect(text.match(/^event: message_start$/gm)).toHaveLength(1);
    expect(text).not.toContain(': keep-alive');
    expect(text).not.toContain('"text":""}}');
  });

  test('losses are reported in the words of the client', async () => {
    const answer = await postMessage(
      gateway.url,
      {
        ...hello,
        model: 'rehearsal/default',
        container: 'c_1',
        tools: [{ type: 'code_execution_20260120', name: 'code_execution' }],
      },
      headers,
    );
    expect(answer.status).toBe(200);
    const losses = JSON.parse(answer.headers.get('antiphon-losses') ?? '[]') as { path: string }[];
    expect(losses.map(({ path }) => path)).toEqual(['container', 'tools[0].type']);
    expect(answer.headers.get('request-id')).toMatch(/^req_/);
  });

  test('tokens of a bad request are not counted', async () => {
    const answer = await fetch(`${gateway.url}/v1/messages/count_tokens?beta=true`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'rehearsal/default', messages: [{ role: 'user', content: [{ type: 'image' }] }] }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });
});
