import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import { objectOf } from '../../doubles/gemini-model/gemini-words.ts';
import { send } from './client.ts';
import { openStrictUpstream, type StrictUpstream } from './strict-upstream.ts';

let upstream: StrictUpstream;
let gateway: StartedGateway;

beforeAll(async () => {
  upstream = await openStrictUpstream();
  gateway = await startGateway(`
backends:
  gemini: { type: gemini, base_url: "${upstream.url}", api_key: k }
  chat: { type: chat, base_url: "${upstream.url}/v1", api_key: k, vendor: openai }
  anthropic: { type: anthropic, base_url: "${upstream.url}", api_key: k }
  responses: { type: responses, base_url: "${upstream.url}/v1", api_key: k }
  rehearsal: { type: rehearsal }
routing: { retries: 0, breaker: off }
store: { url: "memory:" }`);
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

/** Models that think and that do not, and a server that never shows it. */
const models = [
  'gemini/gemini-2.0-flash',
  'gemini/gemini-3-pro',
  'chat/gpt-5',
  'anthropic/claude-3-5-haiku',
  'anthropic/claude-sonnet-4-5',
  'anthropic/claude-opus-4-7',
  'responses/gpt-4o',
  'rehearsal/default',
];

/** Each dialect, and how a client of it asks for thinking. */
const dialects = {
  responses: (model: string, asks: boolean) =>
    ['/v1/responses', { model, input: 'Hi', ...(asks && { reasoning: { summary: 'auto' } }) }] as const,
  chat: (model: string) => ['/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] }] as const,
  messages: (model: string, asks: boolean) =>
    [
      '/v1/messages',
      {
        model,
        max_tokens: 4096,
        messages: [{ role: 'user', content: 'Hi' }],
        ...(asks && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
      },
    ] as const,
  gemini: (model: string, asks: boolean) =>
    [
      `/v1beta/models/${model}:generateContent`,
      {
        contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
        ...(asks && { generationConfig: { thinkingConfig: { includeThoughts: true } } }),
      },
    ] as const,
};

const strict = { 'antiphon-strict': 'true', 'antiphon-pass-through': 'off' };

test.each(models)('who did not ask for thinking is not refused for it in strict mode, and told of no loss: %s', async (model) => {
  for (const toRequest of Object.values(dialects)) {
    const [path, body] = toRequest(model, false);
    const { status, losses, answer } = await send({ url: gateway.url, tools: [], headers: strict }, path, body);
    expect([path, status, losses, answer['error'] ?? null]).toEqual([path, 200, [], null]);
  }
});

test.each([
  ['responses', 'chat/gpt-5', 'reasoning.summary'],
  ['messages', 'gemini/gemini-2.0-flash', 'thinking'],
  ['gemini', 'gemini/gemini-2.0-flash', 'generationConfig.thinkingConfig.includeThoughts'],
] as const)('who asked is refused in the words of the request: %s at %s', async (dialect, model, param) => {
  const [path, body] = dialects[dialect](model, true);
  const { status, answer } = await send({ url: gateway.url, tools: [], headers: strict }, path, body);
  expect([status, JSON.stringify(objectOf(answer['error']))]).toEqual([400, expect.stringContaining(param)]);
});

test('a wish of ours changes nothing but what is shown: no thinking that nobody pays for, no setting given up', async () => {
  const ask = (model: string): ReturnType<typeof send> =>
    send({ url: gateway.url, tools: [] }, '/v1/chat/completions', {
      model,
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: 0.5,
    });
  await ask('anthropic/claude-opus-4-6');
  expect(upstream.seen.at(-1)?.body).toMatchObject({ temperature: 0.5 });
  expect(upstream.seen.at(-1)?.body).not.toHaveProperty('thinking');
  await ask('gemini/gemini-3-pro');
  expect(upstream.seen.at(-1)?.body).toMatchObject({ generationConfig: { thinkingConfig: { includeThoughts: true } } });
});
