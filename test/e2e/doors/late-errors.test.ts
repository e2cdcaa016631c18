import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayError } from '../../../src/model/errors.ts';
import { ScriptedBackend } from '../../doubles/scripted-backend.ts';
import { sendHttp } from '../../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';

/** What goes wrong in the middle, in the hub's words. */
const refused = new GatewayError('invalid_request_error', "Invalid 'input[0].content[0]': too late.", {
  param: 'input[0].content[0]',
});

let gateway: StartedGateway;

beforeAll(async () => {
  const backend = new ScriptedBackend({
    batches: [[{ type: 'text-delta', delta: 'so far' }], [{ type: 'failure', error: refused }]],
  });
  gateway = await startGateway('store: { url: "memory:" }\nrouting: { retries: 0, breaker: off }', { backends: [backend] });
});

afterAll(() => gateway.close());

const messages = [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }];
const model = 'scripted/one';

test.each<[string, string, object, string]>([
  ['chat', '/v1/chat/completions', { model, messages }, 'messages[0].content[0]'],
  ['Messages', '/v1/messages', { model, messages, max_tokens: 9 }, 'messages[0].content[0]'],
  ['Gemini', `/v1beta/models/${model}`, { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }, 'contents[0].parts[0]'],
  ['Responses', '/v1/responses', { model, input: [{ role: 'user', content: 'Hello' }] }, 'input[0].content[0]'],
])(
  '%s: an error after the first words names the place in the client’s own words, streamed or not',
  async (_name, path, body, place) => {
    const isGemini = path.startsWith('/v1beta');
    for (const stream of [true, false]) {
      const method = stream ? ':streamGenerateContent?alt=sse' : ':generateContent';
      const { text } = await sendHttp(gateway.url, {
        path: isGemini ? path + method : path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(isGemini ? body : { ...body, stream }),
      });
      expect(text).toContain(`'${place}'`);
      if (stream) expect(text).toContain('so far');
      if (place !== 'input[0].content[0]') expect(text).not.toContain('input[0]');
    }
  },
);
