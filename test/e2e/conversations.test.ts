import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../src/model/model-event.ts';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { ScriptedBackend, type Script } from '../doubles/scripted-backend.ts';
import { errorLine, postJson } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

const keys = { alice: 'sk-alice-0123456789', bob: 'sk-bob-0123456789abc' };
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const stop: ModelEvent[] = [
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];
const late: ModelEvent = { type: 'loss', loss: { path: 'input', action: 'emulated', reason: 'told with the first batch' } };
const script: Script = {
  accepts: [late],
  batches: [[{ type: 'text-delta', delta: 'I ' }], [{ type: 'text-delta', delta: 'hear.' }], stop],
};

let backend: ScriptedBackend;
let gateway: StartedGateway;
let count = 0;
let conversation: string;

beforeAll(async () => {
  backend = new ScriptedBackend(script);
  gateway = await startGateway(`server: { keys: ["${keys.alice}", "${keys.bob}"] }\nstore: { url: "memory:" }`, {
    backends: [backend],
  });
});
afterAll(() => gateway.close());
beforeEach(() => {
  conversation = `chat ${String(++count)}: ä/b?c#d%20`;
});

async function ask(request: object, key = keys.alice): Promise<StreamAnswer> {
  const answer = await postResponse(gateway.url, { model: 'scripted/one', ...request }, bearer(key));
  expect(answer.faults).toEqual([]);
  return answer;
}

async function inputsOf(id: string): Promise<string[]> {
  const answer = await fetch(`${gateway.url}/v1/responses/${id}/input_items?order=asc&limit=100`, {
    headers: bearer(keys.alice),
  });
  const { data } = (await answer.json()) as { data: { content: { text: string }[] }[] };
  return data.map(({ content }) => content.map(({ text }) => text).join());
}

describe.each([false, true])('a conversation (stream %s)', (stream) => {
  test('is made by its first response and goes on from turn to turn, by its name or {id}', async () => {
    const first = await ask({ conversation, input: 'One', stream });
    expect(first.body).toMatchObject({ status: 'completed', conversation: { id: conversation }, previous_response_id: null });
    const second = await ask({ conversation: { id: conversation }, input: 'Two', stream });
    const third = await ask({ conversation, input: 'Three', stream });
    expect(await inputsOf(third.body.id)).toEqual(['One', 'I hear.', 'Two', 'I hear.', 'Three']);
    const stored = await fetch(`${gateway.url}/v1/responses/${second.body.id}`, { headers: bearer(keys.alice) });
    expect(await stored.json()).toEqual(second.body);
  });

  test('is left alone by a branch out of it', async () => {
    const first = await ask({ conversation, input: 'One', stream });
    await ask({ conversation, input: 'Two', stream });
    const branch = await ask({ previous_response_id: first.body.id, input: 'Instead', stream });
    expect(branch.body).not.toHaveProperty('conversation');
    expect(await inputsOf(branch.body.id)).toEqual(['One', 'I hear.', 'Instead']);
    const third = await ask({ conversation, input: 'Three', stream });
    expect(await inputsOf(third.body.id)).toEqual(['One', 'I hear.', 'Two', 'I hear.', 'Three']);
  });

  test('of the same name is another one for another key', async () => {
    await ask({ conversation, input: 'Of Alice', stream });
    await ask({ conversation, input: 'Of Bob', stream }, keys.bob);
    expect(JSON.stringify(backend.requests.at(-1)?.input)).not.toContain('Alice');
    await ask({ conversation, input: 'And?', stream });
    expect(JSON.stringify(backend.requests.at(-1)?.input)).toContain('Alice');
    expect(JSON.stringify(backend.requests.at(-1)?.input)).not.toContain('Bob');
  });

  test('is stored although the client said no, and losses of the first batch stand in the header', async () => {
    const answer = await ask({ conversation, input: 'One', stream, store: false });
    const losses = JSON.parse(answer.headers.get('antiphon-losses') ?? '[]') as { path: string; action: string }[];
    expect(losses.map(({ path, action }) => `${path} ${action}`)).toEqual(['store approximated', 'input emulated']);
    expect(answer.body).toMatchObject({ store: true });
    await ask({ conversation, input: 'Two', stream });
    expect(backend.requests.at(-1)?.session?.inheritedItems).toBe(2);
  });
});

describe('is refused', () => {
  test.each([
    [{ previous_response_id: 'resp_1' }, '400 invalid_request_error mutually_exclusive_parameters previous_response_id'],
    [{ conversation: 7 }, '400 invalid_request_error invalid_type conversation'],
    [{ conversation: { id: 7 } }, '400 invalid_request_error invalid_type conversation.id'],
    [{ conversation: { name: 'c' } }, '400 invalid_request_error missing_required_parameter conversation.id'],
    [{ conversation: '' }, '400 invalid_request_error string_below_min_length conversation'],
    [{ conversation: 'c'.repeat(257) }, '400 invalid_request_error string_above_max_length conversation'],
    [{ conversation: 'never heard of', input: [] }, '400 invalid_request_error missing_required_parameter input'],
  ])('%j', async (fields, line) => {
    const body = { model: 'scripted/one', input: 'Hi', conversation, ...fields };
    expect(errorLine(await postJson(gateway.url, body, bearer(keys.alice)))).toBe(line);
  });
});

test('a tool round trip in a conversation; a call that nobody made is refused and changes nothing', async () => {
  const rehearsal = { model: 'rehearsal/default', conversation };
  const tool = {
    type: 'function',
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  };
  const called = await ask({ ...rehearsal, input: 'Call get_weather for Oslo', tools: [tool] });
  const call = called.body.output.find(({ type }) => type === 'function_call');
  const output = { type: 'function_call_output', call_id: call?.call_id, output: 'minus 4' };
  const stray = { ...output, call_id: 'call_nobody_made' };
  const refused = await postJson(gateway.url, { ...rehearsal, input: [output, stray] }, bearer(keys.alice));
  expect(errorLine(refused)).toBe('400 invalid_request_error null input');
  const answered = await ask({ ...rehearsal, input: [output], tools: [tool], stream: true });
  expect(answered.body.status).toBe('completed');
  const after = await ask({ ...rehearsal, input: 'Thank you' });
  expect(after.body.status).toBe('completed');
});

test('null is no conversation; input_tokens counts with the history of one', async () => {
  expect((await ask({ conversation: null, input: 'One' })).body).not.toHaveProperty('conversation');
  await ask({ conversation, input: 'One' });
  const counted = await fetch(`${gateway.url}/v1/responses/input_tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(keys.alice) },
    body: JSON.stringify({ model: 'scripted/one', input: 'Two', conversation }),
  });
  const alone = 10;
  expect(((await counted.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(alone);
});

test('8 clients, 12 rounds each on one conversation: every accepted turn is in the chain, contiguous, none twice (S13)', async () => {
  const said: string[] = [];
  const clients = Array.from({ length: 8 }, async (_, client) => {
    for (let round = 0; round < 12; round++) {
      const input = `client ${String(client)} round ${String(round)}`;
      const { body, status } = await ask({ conversation, input, stream: (client + round) % 2 === 0 });
      expect([status, body.status]).toEqual([200, 'completed']);
      said.push(input);
    }
  });
  await Promise.all(clients);
  const last = await ask({ conversation, input: 'the end' });
  const heard = (backend.requests.at(-1)?.input ?? []).flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => (part.type === 'text' ? `${item.role}: ${part.text}` : '')) : [],
  );
  const users = heard.filter((_, at) => at % 2 === 0);
  expect(heard.filter((_, at) => at % 2 === 1)).toEqual(Array.from({ length: 96 }, () => 'assistant: I hear.'));
  expect(users.slice(0, -1).sort()).toEqual(said.map((text) => `user: ${text}`).sort());
  // Each client's rounds are in their order.
  for (let client = 0; client < 8; client++) {
    const own = users.filter((text) => text.startsWith(`user: client ${String(client)} `));
    expect(own).toEqual(Array.from({ length: 12 }, (_, round) => `user: client ${String(client)} round ${String(round)}`));
  }
  expect(await inputsOf(last.body.id)).toHaveLength(100);
});

test('32 children of one response see exactly its chain', async () => {
  await ask({ conversation, input: 'One' });
  const parent = await ask({ conversation, input: 'Two' });
  await Promise.all(
    Array.from({ length: 32 }, async (_, child) => {
      const { body } = await ask({ previous_response_id: parent.body.id, input: `child ${String(child)}` });
      expect(await inputsOf(body.id)).toEqual(['One', 'I hear.', 'Two', 'I hear.', `child ${String(child)}`]);
    }),
  );
});

test('a client that leaves frees its conversation, and its turn did not happen', async () => {
  const stalling = new ScriptedBackend({ batches: [[{ type: 'text-delta', delta: 'Hm' }]], stalls: true }, script);
  const other = await startGateway(undefined, { backends: [stalling] });
  const leaving = new AbortController();
  const answer = await fetch(`${other.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'scripted/one', input: 'One', conversation, stream: true }),
    signal: leaving.signal,
  });
  await answer.body?.getReader().read();
  const second = postResponse(other.url, { model: 'scripted/one', input: 'Two', conversation });
  leaving.abort();
  expect((await second).body.status).toBe('completed');
  expect(stalling.requests[1]?.session).toMatchObject({ previousResponseId: null, inheritedItems: 0 });
  await other.close();
});
