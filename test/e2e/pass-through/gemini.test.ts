import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPassingGateway, streamPieces, type PassingGateway } from '../../doubles/passing-gateway.ts';
import { sendHttp, type HttpAnswer } from '../../doubles/send-http.ts';

const chunk = (text: string, more: object = {}): string =>
  JSON.stringify({
    candidates: [{ content: { role: 'model', parts: [{ text, future: [1, '}]'] }] }, index: 0, ...more }],
    modelVersion: 'g-1',
  });
const usage = { usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 2, totalTokenCount: 8 } };
const last = JSON.stringify({ ...(JSON.parse(chunk('!', { finishReason: 'STOP' })) as object), ...usage });
const error = '{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}';
const sse = (...chunks: string[]): string[] => chunks.map((json) => `data: ${json}\r\n\r\n`);

const scripts: Readonly<Record<string, { readonly events: readonly string[]; readonly array: readonly string[] }>> = {
  plain: { events: sse(chunk('hé'), chunk('🌤'), last), array: [`[${chunk('hé')}`, `\n,\r\n${chunk('🌤')},`, `\n${last}\n]\n`] },
  cut: { events: [...sse(chunk('hé')), 'data: {"cand'], array: [`[${chunk('hé')}`, ',{"candidates":[{'] },
  late: { events: sse(chunk('hé'), error), array: [`[${chunk('hé')}`, `,${error}]`] },
};
/** Answers in which the model got nowhere: their reason is what the client looks for. */
const failed: Readonly<Record<string, object>> = {
  malformed: { candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL', finishMessage: 'print(f())', index: 0 }], ...usage },
  unexpected: {
    candidates: [{ content: { role: 'model', parts: [{ text: 'Hm.' }] }, finishReason: 'UNEXPECTED_TOOL_CALL', index: 0 }],
    ...usage,
  },
  blocked: { promptFeedback: { blockReason: 'SAFETY' }, ...usage },
  empty: { candidates: [], promptFeedback: { safetyRatings: [] }, ...usage },
};
const whole = ` ${JSON.stringify(JSON.parse(last), null, 2)}\n`.trimStart();

const refusal = '{"error":{"code":400,"message":"Corrupted thought signature.","status":"INVALID_ARGUMENT"}}';

function wholeAnswer(model: string, url: string, body: Buffer): string {
  if (url.includes(':countTokens')) return JSON.stringify({ totalTokens: body.includes('future') ? 42 : 7 });
  if (model === 'broken') return error;
  return model in failed ? JSON.stringify(failed[model]) : whole;
}

let gateway: PassingGateway;

beforeAll(async () => {
  gateway = await startPassingGateway(
    (url) =>
      `backends: { g: { type: gemini, base_url: "${url}", api_key: "AIza-upstream-0123" } }\nrouting: { retries: 0, breaker: off }`,
    (response, { url, body }) => {
      const model = /models\/([^:]+):/.exec(url)?.[1] ?? '';
      const { events = [], array = [] } = scripts[model] ?? {};
      if (body.includes('thoughtSignature')) response.writeHead(400).end(refusal);
      else if (url.includes('alt=sse')) streamPieces(response, ...events);
      else {
        response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' });
        if (url.includes(':stream')) for (const byte of Buffer.from(array.join(''))) response.write(Uint8Array.of(byte));
        else response.write(wholeAnswer(model, url, body));
        response.end();
      }
    },
  );
});

afterAll(() => gateway.close());

const question = '{"contents":[{"role":"user","parts":[{"text":"hi"}]}], "futureField": {"x":1.0}}';

const ask = (method: string, body = question): Promise<HttpAnswer> =>
  sendHttp(gateway.url, { path: `/v1beta/models/g/${method}`, headers: { 'content-type': 'application/json' }, body });

describe.each([
  ['events', 'streamGenerateContent?alt=sse&key=mine'],
  ['array', 'streamGenerateContent'],
] as const)('as %s', (form, method) => {
  test('the answer is the bytes of the server, and is in the books', async () => {
    expect((await ask(`plain:${method}`)).text).toBe(scripts['plain']?.[form].join(''));
    expect(await gateway.nextReport()).toMatchObject({
      ...{ outcome: 'completed', servedModel: 'g-1', losses: [] },
      usage: { input_tokens: 6, output_tokens: 2 },
    });
  });

  test('a cut ends with an error in the same framing', async () => {
    const { text } = await ask(`cut:${method}`);
    const chunks =
      form === 'array'
        ? (JSON.parse(text) as object[])
        : text
            .split('\r\n\r\n')
            .filter(Boolean)
            .map((one) => JSON.parse(one.slice(6)) as object);
    expect(chunks).toMatchObject([{ candidates: [{}] }, { error: { status: expect.any(String) as string } }]);
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
  });

  test("the server's own error goes on", async () => {
    expect((await ask(`late:${method}`)).text).toBe(scripts['late']?.[form].join(''));
    expect(await gateway.nextReport()).toMatchObject({ outcome: 'failed' });
  });
});

test('a whole answer is the body of the server; the request went out as it came, with the key of the gateway only', async () => {
  const answer = await ask('plain:generateContent?key=mine');
  expect([answer.text, answer.headers['antiphon-losses']]).toEqual([whole, undefined]);
  const seen = gateway.upstream.requests.at(-1);
  expect([seen?.url, seen?.body.toString()]).toEqual(['/v1beta/models/plain:generateContent', question]);
  expect(seen?.headers).toContain('x-goog-api-key: AIza-upstream-0123');
  await gateway.nextReport();
});

test.each(Object.keys(failed))('a whole answer that failed (%s) goes on too', async (model) => {
  const answer = await ask(`${model}:generateContent`);
  expect([answer.status, answer.text]).toEqual([200, JSON.stringify(failed[model])]);
  const { outcome } = await gateway.nextReport();
  expect(outcome).toBe(model === 'blocked' ? 'incomplete' : 'failed');
});

test('an error in a body of status 200 has the status of its error', async () => {
  const answer = await ask('broken:generateContent');
  expect(answer.status).toBe(503);
});

test('what Gemini would refuse is said in other words', async () => {
  const answer = await ask('plain:generateContent', '{"contents":"hi","systemInstruction":"Be brief."}');
  expect(answer.status).toBe(200);
  expect(JSON.parse(gateway.upstream.requests.at(-1)?.body.toString() ?? '')).toEqual({
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
  });
  await gateway.nextReport();
});

test('a model in the body does not contradict the one in the URL, and our own road takes model and stream out', async () => {
  await ask('plain:generateContent', question.replace('{', '{"model":"models/other", '));
  expect(JSON.parse(gateway.upstream.requests.at(-1)?.body.toString() ?? '')).toEqual(JSON.parse(question));
  await gateway.nextReport();
  const body = question.replace('{', '{"model":"g/plain","stream":true,');
  const answer = await sendHttp(gateway.url, { path: '/v1/gemini', headers: { 'content-type': 'application/json' }, body });
  expect(answer.text).toBe(scripts['plain']?.events.join(''));
  expect(gateway.upstream.requests.at(-1)?.body.toString()).toBe(question);
  await gateway.nextReport();
});

test('signatures of another server: refused as they are, the turn goes on translated without them', async () => {
  const call = { functionCall: { name: 'f', args: {} }, thoughtSignature: 'Zm9yZWlnbg==' };
  const contents = [
    { role: 'user', parts: [{ text: 'hi' }] },
    { role: 'model', parts: [{ text: 'so', thoughtSignature: call.thoughtSignature }] },
    { role: 'user', parts: [{ text: 'and?' }] },
  ];
  const answer = await ask('plain:generateContent', JSON.stringify({ contents }));
  expect(answer.status).toBe(200);
  expect(String(answer.headers['antiphon-losses'])).toContain('contents[1]');
  await gateway.nextReport();
});

test.each([
  ['flat', { contents: [{ role: 'user', parts: [{ text: 'hi', future: 1 }] }] }, 42],
  ['wrapped', { generateContentRequest: { model: 'models/g/plain', contents: [{ parts: [{ text: 'hi', future: 1 }] }] } }, 42],
  ['flat, with what Google counts only in a wrapper', { contents: [{ parts: [{ text: 'hi', future: 1 }] }], tools: [] }, 7],
  ['nothing', { future: 1 }, 7],
  ['wrapped', { generateContentRequest: { model: 'models/g/plain', contents: [{ parts: ['hi'], future: 1 }] } }, 7],
])('tokens are counted of what the client wrote: %s', async (_form, body, totalTokens) => {
  const answer = await ask('plain:countTokens', JSON.stringify(body));
  expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { totalTokens }]);
  const sent = JSON.parse(gateway.upstream.requests.at(-1)?.body.toString() ?? '') as Record<string, { model?: string }>;
  expect(sent['generateContentRequest']?.model ?? 'models/plain').toBe('models/plain');
});
