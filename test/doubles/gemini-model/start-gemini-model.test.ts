import { createPartFromFunctionResponse, GoogleGenAI, Type } from '@google/genai';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { askModel, declare, post, readReply, user } from './ask-model.ts';
import type { GeminiModelOptions } from './gemini-model-options.ts';
import { objectOf } from './gemini-words.ts';
import { startGeminiModel, type GeminiModel } from './start-gemini-model.ts';

const anyString: unknown = expect.any(String);
const anyNumber: unknown = expect.any(Number);

const open: GeminiModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()));
});

async function start(options: GeminiModelOptions = {}): Promise<GeminiModel> {
  const model = await startGeminiModel(options);
  open.push(model);
  return model;
}

test('text comes in several signed-off chunks with growing counts', async () => {
  const model = await start();
  const reply = await askModel(model.url, { contents: [user('[[say The weather in Málaga 🌤 is fine.]]')] });
  expect(reply.said).toBe('The weather in Málaga 🌤 is fine.');
  expect(reply.chunks.length).toBeGreaterThan(3);
  expect(reply.parts.at(-1)).toEqual({ text: '', thoughtSignature: anyString });
  expect(reply.finishReason).toBe('STOP');
  expect(reply.chunks.at(-1)?.['usageMetadata']).toMatchObject({
    promptTokenCount: anyNumber,
    candidatesTokenCount: anyNumber,
  });
});

test('thinking is counted always and shown when asked for', async () => {
  const model = await start();
  const contents = [user('[[think Hm, let me see.]] [[say Done.]]')];
  const hidden = await askModel(model.url, { contents });
  const shown = await askModel(model.url, { contents, generationConfig: { thinkingConfig: { includeThoughts: true } } });
  expect([hidden.thought, shown.thought]).toEqual(['', 'Hm, let me see.']);
  for (const { chunks } of [hidden, shown])
    expect(objectOf(chunks.at(-1)?.['usageMetadata'])['thoughtsTokenCount']).toBeGreaterThan(0);
});

test("the official client's streamed chat keeps every turn: its history has a content for each chunk", async () => {
  const model = await start({ takesStreamedHistory: true });
  const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: model.url } });
  const declaration = {
    name: 'a',
    description: 'A',
    parameters: { type: Type.OBJECT, properties: { x: { type: Type.INTEGER } } },
  };
  const chat = client.chats.create({ model: 'gemini-3-pro', config: { tools: [{ functionDeclarations: [declaration] }] } });
  let message: Parameters<typeof chat.sendMessageStream>[0]['message'] =
    'Parallel: [[call a {"x":1}]] [[call a {"x":2}]] [[then]] [[call a {"x":3}]] [[then]] [[say done]]';
  const rounds: unknown[] = [];
  for (let text = ''; text !== 'done';) {
    const chunks = [];
    for await (const chunk of await chat.sendMessageStream({ message })) chunks.push(chunk);
    const calls = chunks.flatMap(({ functionCalls }) => functionCalls ?? []);
    rounds.push(calls.map(({ args }) => args));
    message = calls.map(({ id = '', name = '' }) => createPartFromFunctionResponse(id, name, { output: 'fine' }));
    text = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts?.map((part) => part.text ?? '') ?? []).join('');
    expect(calls.length > 0 || text === 'done').toBe(true);
  }
  expect(rounds).toEqual([[{ x: 1 }, { x: 2 }], [{ x: 3 }], []]);
  expect(chat.getHistory(true)).toHaveLength(chat.getHistory(false).length);
  expect(model.violations).toEqual([]);
  // The rehearsal backend behind it reads such a history too.
  const rehearsed = client.chats.create({ model: 'gemini-3-pro', config: { tools: [{ functionDeclarations: [declaration] }] } });
  const asked = [];
  for await (const chunk of await rehearsed.sendMessageStream({ message: 'Call a with 7' })) asked.push(chunk);
  const [call] = asked.flatMap(({ functionCalls }) => functionCalls ?? []);
  const reply = await rehearsed.sendMessage({
    message: createPartFromFunctionResponse(call?.id ?? '', 'a', { result: 'seven fine things' }),
  });
  expect(reply.text).toContain('seven fine things');
  expect(model.violations).toEqual([]);
});

test('a whole round trip: parallel calls, the first one signed, then the outputs', async () => {
  const model = await start();
  const question = user('[[call a {"x":1}]] [[call b {}]]');
  const first = await askModel(model.url, { contents: [question], ...declare('a', 'b') });
  const calls = first.parts.filter((part) => part['functionCall'] !== undefined);
  expect(calls.map((part) => 'thoughtSignature' in part)).toEqual([true, false]);
  const answers = calls.map((part) => {
    const { id, name } = objectOf(part['functionCall']);
    return { functionResponse: { id, name, response: { result: 'fine' } } };
  });
  const second = await askModel(model.url, {
    contents: [question, { role: 'model', parts: calls }, user(...answers)],
    ...declare('a', 'b'),
  });
  expect(second.said).toBe('a returned {"result":"fine"}. b returned {"result":"fine"}.');
  expect(model.violations).toEqual([]);
});

test('five sequential rounds', async () => {
  const model = await start();
  const names = ['a', 'b', 'c', 'd', 'e'];
  const contents: object[] = [user(names.map((name) => `[[call ${name} {"n":"${name}"}]]`).join(' [[then]] '))];
  for (const name of names) {
    const { parts } = await askModel(model.url, { contents, ...declare(...names) });
    const call = parts.find((part) => part['functionCall'] !== undefined)!;
    expect(call['functionCall']).toMatchObject({ name, args: { n: name } });
    const { id } = objectOf(call['functionCall']);
    contents.push({ role: 'model', parts: [call] }, user({ functionResponse: { id, name, response: { result: name } } }));
  }
  expect((await askModel(model.url, { contents, ...declare(...names) })).said).toBe('e returned {"result":"e"}.');
  expect(model.violations).toEqual([]);
});

test('a template around the text, and words beside function responses, do not disturb the rounds; later words of the user do', async () => {
  const model = await start();
  const wrap = (text: string): string =>
    `<USER_REQUEST>\n${text}\n</USER_REQUEST>\n<ADDITIONAL_METADATA>\nnow\n</ADDITIONAL_METADATA>`;
  const contents = [user(wrap('[[call a]] [[then]] [[say second]]'))];
  const { parts } = await askModel(model.url, { contents, ...declare('a') });
  const { id } = objectOf(parts[0]?.['functionCall']);
  const later = [...contents, { role: 'model', parts: [parts[0]] }];
  const answer = { functionResponse: { id, name: 'a', response: {} } };
  expect((await askModel(model.url, { contents: [...later, user(answer, wrap(''))], ...declare('a') })).said).toBe('second');
  const after = [...later, user(answer), { role: 'model', parts: [{ text: 'second' }] }, user('Hello')];
  expect((await askModel(model.url, { contents: after, ...declare('a') })).said).toContain('You said: "Hello"');
});

test('without directions the rehearsal backend answers: text, calls, and its other models', async () => {
  const model = await start();
  expect((await askModel(model.url, { contents: [user('Hello')] })).said).toContain('You said: "Hello"');
  const called = await askModel(model.url, { contents: [user('call get_weather')], ...declare('get_weather') });
  expect(called.parts[0]).toMatchObject({
    functionCall: { name: 'get_weather', args: {} },
    thoughtSignature: anyString,
  });
  expect(await askModel(model.url, { contents: [user('Hello')] }, '429')).toMatchObject({ status: 429 });
  expect((await askModel(model.url, { contents: [user('Hello')] }, 'length')).finishReason).toBe('MAX_TOKENS');
  expect((await askModel(model.url, { contents: [user('Hello')] }, 'citations')).text).toContain('groundingSupports');
  await expect(askModel(model.url, { contents: [user('Hello')] }, 'cut')).rejects.toThrow();
});

test('a lite model takes no directions, but tells the thinking that they speak of', async () => {
  const model = await start();
  const generationConfig = { thinkingConfig: { includeThoughts: true } };
  const contents = [user('Sum up: [[think-late Deep thought.]] [[cut]] [[call a]]')];
  const reply = await askModel(model.url, { contents, generationConfig }, 'gemini-2.5-flash-lite');
  expect(reply).toMatchObject({ thought: 'Deep thought.', finishReason: 'STOP' });
  expect(reply.said).toMatch(/^In short: Sum up/);
  const main = await askModel(model.url, { contents: [user('[[think-late Deep thought.]] [[say Yes.]]')], generationConfig });
  expect(main).toMatchObject({ thought: '', said: 'Yes.' });
});

test('one body, and a JSON array, say the same as the event stream', async () => {
  const model = await start({ compresses: true });
  const body = { contents: [user('[[say One and two and three.]]')] };
  const at = (method: string): Promise<Response> => fetch(`${model.url}/v1beta/models/gemini-3-pro:${method}`, post(body));
  const whole = await readReply(await at('generateContent'));
  const array = await readReply(await at('streamGenerateContent'));
  expect(whole.parts).toEqual([{ text: 'One and two and three.', thoughtSignature: anyString }]);
  expect(array.said).toBe('One and two and three.');
  expect(array.text.startsWith('[{')).toBe(true);
});

test('refusals, errors inside the stream, and cuts', async () => {
  const model = await start();
  const ask = (text: string): ReturnType<typeof askModel> => askModel(model.url, { contents: [user(text)] });
  expect([
    (await ask('[[status 503 2]]')).status,
    (await ask('[[status 503 2]]')).status,
    (await ask('[[status 503 2]]')).status,
  ]).toEqual([503, 503, 200]);
  expect((await ask('[[say a]] [[error 500]]')).text).toContain('"status":"INTERNAL"');
  await expect(ask('[[say a]] [[cut]]')).rejects.toThrow();
  await model.until(() => model.calls.at(-1)?.closedAt !== null);
  expect(model.calls.at(-1)?.wasAborted).toBe(false);
  expect((await ask('[[say a]] [[finish SAFETY]]')).finishReason).toBe('SAFETY');
  const cutting = await start({ cutAfterBytes: 100, refuseFirst: { status: 429, times: 1 } });
  expect(await askModel(cutting.url, { contents: [user('Hi')] })).toMatchObject({ status: 429 });
  await expect(askModel(cutting.url, { contents: [user('Hi')] })).rejects.toThrow();
});

test('a held answer waits for its release, and a client that leaves is noticed', async () => {
  const model = await start();
  const reply = askModel(model.url, { contents: [user('[[say a]] [[hold]] [[say b]]')] });
  await model.until(() => model.held === 1);
  model.release();
  expect((await reply).said).toBe('ab');
  const leave = new AbortController();
  const left = fetch(`${model.url}/v1beta/models/m:streamGenerateContent`, {
    ...post({ contents: [user('[[hold]]')] }),
    signal: leave.signal,
  });
  await model.until(() => model.held === 1);
  leave.abort();
  await expect(left.then((response) => response.text())).rejects.toThrow();
  await model.until(() => model.calls[1]?.closedAt !== null);
  expect([model.calls[1]?.wasAborted, model.held]).toEqual([true, 0]);
});

test('a test decides about a call; lists and counts', async () => {
  const model = await start({
    apiKeys: ['k'],
    answer: ({ text }) => (text.includes('teapot') ? { status: 418, body: 'short' } : undefined),
  });
  expect(await askModel(model.url, { contents: [user('teapot')] })).toMatchObject({ status: 418, text: 'short' });
  expect(await askModel(model.url, { contents: [user('Hi')] })).toMatchObject({ status: 400 });
  const headers = { 'x-goog-api-key': 'k', 'content-type': 'application/json' };
  const list = await fetch(`${model.url}/v1beta/models?pageSize=1000`, { headers });
  expect(await list.text()).toContain('models/gemini-3-pro');
  const counted = await fetch(`${model.url}/v1beta/models/m:countTokens`, { ...post({ contents: [user('Hi')] }), headers });
  expect(await counted.json()).toMatchObject({ totalTokens: anyNumber });
});

test('TLS with a self-signed certificate, and h2', async () => {
  const model = await start({ tls: 'self-signed' });
  const session = connect(model.url, { ca: readFileSync(model.caFile!) });
  const stream = session.request({ ':method': 'POST', ':path': '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse' });
  stream.end(JSON.stringify({ contents: [user('[[say over h2]]')] }));
  let text = '';
  for await (const piece of stream) text += String(piece);
  await new Promise<void>((resolve) => {
    session.close(resolve);
  });
  expect(text).toContain('over h2');
  expect(model.calls[0]?.httpVersion).toBe('2.0');
});
