import { afterEach, expect, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { counterId } from '../../../test/counter-id.ts';
import { eventLine, messageOf, textMessage } from '../../../test/doubles/anthropic-answers.ts';
import { answerWith, openChatUpstream, type ChatAnswer, type ChatUpstream } from '../../../test/doubles/chat-upstream.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { StatelessBackend } from '../../model/backend.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { Secret } from '../../model/secret.ts';
import { encodeThinking } from '../../translate/anthropic/anthropic-thinking-state.ts';
import { createAnthropicBackend, type AnthropicBackendOptions } from './anthropic-backend.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** The answers in turn; the last one again and again. */
async function open(answers: readonly ChatAnswer[], options: Partial<AnthropicBackendOptions> = {}) {
  let at = 0;
  const upstream = await openChatUpstream((response, call) => {
    answers[Math.min(at++, answers.length - 1)]?.(response, call);
  });
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const apiKey = new Secret('sk-ant-secret-0123456789');
  const backend = createAnthropicBackend({
    name: 'claude',
    baseUrl: upstream.url,
    apiKey,
    timeouts,
    newId: counterId(),
    ...options,
  });
  opened.push(upstream, backend);
  return { upstream, backend };
}

function streamOf(events: readonly { readonly type: string }[]): ChatAnswer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(events.map(eventLine).join(''));
  };
}

function refusal(status: number, type: string, message: string, headers: Record<string, string> = {}): ChatAnswer {
  return answerWith(status, { type: 'error', error: { type, message }, request_id: 'req_1' }, headers);
}

function ask(backend: StatelessBackend, change: Partial<ModelRequest> = {}) {
  return drainTurn(backend.prepareTurn(plainRequest('claude-sonnet-4-5', 'hi', change)));
}

function bodyOf(upstream: ChatUpstream, at: number): JsonObject {
  return upstream.seen[at]?.body as JsonObject;
}

test('the call: version, key, configured headers; the address with and without /v1', async () => {
  const ok = streamOf(textMessage('Hello').events);
  const { upstream, backend } = await open([ok], { headers: { 'Anthropic-Beta': 'b' } });
  expect(textOf(await ask(backend))).toBe('Hello');
  const { path, headers } = upstream.seen[0] ?? {};
  expect(path).toBe('/v1/messages');
  expect(headers).toMatchObject({
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'b',
    'x-api-key': 'sk-ant-secret-0123456789',
    accept: 'text/event-stream',
  });
  const other = await open([ok], {
    baseUrl: `${upstream.url}/anthropic/v1/`,
    apiKey: null,
    headers: { authorization: 'Bearer t' },
  });
  await ask(other.backend);
  expect(upstream.seen[1]).toMatchObject({ path: '/anthropic/v1/messages', headers: { authorization: 'Bearer t' } });
  expect(upstream.seen[1]?.headers['x-api-key']).toBeUndefined();
});

const signedLoop: readonly InputItem[] = [
  { type: 'message', role: 'user', content: [{ type: 'text', text: 'hi', path: 'input[0]' }], path: 'input[0]' },
  {
    type: 'reasoning',
    text: 'Hm.',
    state: encodeThinking('claude-sonnet-4-5', { thinking: 'Hm.', signature: 'BAD' }),
    path: 'input[1]',
  },
  { type: 'call', callId: 'c', name: 'f', arguments: '{}', path: 'input[2]' },
  { type: 'call-output', callId: 'c', name: 'f', content: [], path: 'input[3]' },
];

test('thinking that is refused is left out, once', async () => {
  const refuse = refusal(400, 'invalid_request_error', 'messages.1.content.0: Invalid `signature` in `thinking` block');
  const { upstream, backend } = await open([refuse, streamOf(textMessage('Done').events)]);
  const events = await ask(backend, { input: signedLoop, reasoning: { effort: 'low', summary: null } });
  expect(textOf(events)).toBe('Done');
  expect(events[0]).toMatchObject({ type: 'loss', loss: { path: 'input', action: 'dropped' } });
  expect(JSON.stringify(bodyOf(upstream, 0))).toContain('BAD');
  expect(JSON.stringify(bodyOf(upstream, 1))).not.toContain('BAD');
  expect(bodyOf(upstream, 1)['thinking']).toEqual({ type: 'disabled' });
  const stubborn = await open([refuse]);
  await expect(ask(stubborn.backend, { input: signedLoop })).rejects.toMatchObject({ code: 'invalid_request_error' });
  expect(stubborn.upstream.seen).toHaveLength(2);
  await expect(ask(stubborn.backend)).rejects.toMatchObject({ code: 'invalid_request_error' });
  expect(stubborn.upstream.seen).toHaveLength(3);
});

const search = { hostedTools: [{ type: 'web_search', settings: { type: 'web_search' }, path: 'tools[0]' }] };

test.each([true, false])('a paused answer is sent back and goes on (streamed: %s)', async (stream) => {
  const query = { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'x' } };
  const result = { type: 'web_search_tool_result', tool_use_id: 's', content: [] };
  const parts = [
    messageOf([{ type: 'text', text: 'One. ' }, query], { stop_reason: 'pause_turn' }),
    messageOf([result, { type: 'text', text: 'Two. ' }, query], { stop_reason: 'pause_turn' }),
    messageOf([result, { type: 'text', text: 'Three.' }]),
  ];
  const answers = parts.map(({ events, body }) => (stream ? streamOf(events) : answerWith(200, body)));
  const { upstream, backend } = await open(answers);
  const events = await ask(backend, { ...search, stream });
  expect(textOf(events)).toBe('One. Two. Three.');
  expect(events.filter(({ type }) => type === 'finish')).toEqual([{ type: 'finish', reason: 'stop' }]);
  expect(events.findLast(({ type }) => type === 'usage')).toMatchObject({ usage: { inputTokens: 27, outputTokens: 12 } });
  const { messages } = bodyOf(upstream, 2) as { messages: unknown[] };
  expect(messages.at(-1)).toEqual({
    role: 'assistant',
    content: [{ type: 'text', text: 'One. ' }, query, result, { type: 'text', text: 'Two. ' }, query],
  });
});

test('a server that pauses for ever is stopped, with a loss', async () => {
  const query = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
  const { upstream, backend } = await open([streamOf(messageOf([query], { stop_reason: 'pause_turn' }).events)]);
  const events = await ask(backend, search);
  expect(upstream.seen).toHaveLength(11);
  expect(events.slice(-2)).toMatchObject([{ type: 'loss', loss: { path: 'status' } }, { type: 'finish' }]);
});

test('an error as the first event is thrown, one in the middle is a failure', async () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  const { backend } = await open([streamOf([error])]);
  await expect(ask(backend)).rejects.toMatchObject({ code: 'upstream_overloaded', status: 503 });
  const later = await open([streamOf([...textMessage('Some words').events.slice(0, 4), error])]);
  expect((await ask(later.backend)).at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_overloaded' } });
  const whole = await open([answerWith(200, error)]);
  await expect(ask(whole.backend, { stream: false })).rejects.toMatchObject({ code: 'upstream_overloaded' });
});

const errors = [
  {
    status: 400,
    type: 'invalid_request_error',
    words: 'prompt is too long: 3 tokens > 2 maximum',
    code: 'context_length_exceeded',
    shown: 400,
  },
  {
    status: 400,
    type: 'invalid_request_error',
    words: 'input length and `max_tokens` exceed context limit: 9',
    code: 'context_length_exceeded',
    shown: 400,
  },
  { status: 400, type: 'invalid_request_error', words: 'messages.0: Field required', code: 'invalid_request_error', shown: 400 },
  {
    status: 400,
    type: 'invalid_request_error',
    words: 'Your credit balance is too low to access the API.',
    code: 'insufficient_quota',
    shown: 429,
  },
  { status: 401, type: 'authentication_error', words: 'invalid x-api-key', code: 'upstream_auth_failed', shown: 502 },
  { status: 403, type: 'permission_error', words: 'no', code: 'upstream_auth_failed', shown: 502 },
  { status: 404, type: 'not_found_error', words: 'model: claude-x', code: 'model_not_found', shown: 400 },
  { status: 413, type: 'request_too_large', words: 'too large', code: 'invalid_request_error', shown: 413 },
  { status: 429, type: 'rate_limit_error', words: 'slow down', code: 'rate_limit_exceeded', shown: 429 },
  { status: 500, type: 'api_error', words: 'oops', code: 'upstream_error', shown: 502 },
  { status: 529, type: 'overloaded_error', words: 'Overloaded', code: 'upstream_overloaded', shown: 503 },
];

test.each(errors)('HTTP $status $type "$words" is $code', async ({ status, type, words, code, shown }) => {
  const { backend } = await open([refusal(status, type, words)]);
  await expect(ask(backend)).rejects.toMatchObject({ code, status: shown });
});

test('when to come back: retry-after, else the limit that is used up', async () => {
  const { backend } = await open([refusal(429, 'rate_limit_error', 'slow', { 'retry-after': '7' })]);
  await expect(ask(backend)).rejects.toMatchObject({ retryAfter: 7 });
  const reset = new Date(Date.now() + 3_600_000).toISOString();
  const limits = {
    'anthropic-ratelimit-requests-remaining': '5',
    'anthropic-ratelimit-requests-reset': new Date(Date.now() + 7_200_000).toISOString(),
    'anthropic-ratelimit-output-tokens-remaining': '0',
    'anthropic-ratelimit-output-tokens-reset': reset,
  };
  const other = await open([refusal(429, 'rate_limit_error', 'slow', limits)]);
  const thrown: unknown = await ask(other.backend).catch((error: unknown) => error);
  const { retryAfter } = thrown as { retryAfter: number };
  expect(retryAfter).toBeGreaterThan(3000);
  expect(retryAfter).toBeLessThanOrEqual(3600);
});

test('the list of models has pages', async () => {
  const page = (id: string, has_more: boolean) =>
    answerWith(200, { data: [{ type: 'model', id, created_at: '2025-02-19T00:00:00Z' }, { id: 7 }], has_more, last_id: id });
  const { upstream, backend } = await open([page('claude-a', true), page('claude/b', false)]);
  expect(await backend.listModels(new AbortController().signal)).toEqual([
    { id: 'claude-a', created: 1_739_923_200, ownedBy: 'anthropic' },
    { id: 'claude/b', created: 1_739_923_200, ownedBy: 'anthropic' },
  ]);
  expect(upstream.seen.map(({ path }) => path)).toEqual(['/v1/models?limit=1000', '/v1/models?limit=1000&after_id=claude-a']);
  const other = await open([answerWith(200, { models: [] })]);
  await expect(other.backend.listModels(new AbortController().signal)).rejects.toMatchObject({
    code: 'upstream_invalid_response',
  });
});

test('tokens are counted where the server can; a model it does not know is an error', async () => {
  const count = (backend: StatelessBackend) =>
    backend.countInputTokens(plainRequest('claude-sonnet-4-5', 'hi', { maxOutputTokens: 9 }), new AbortController().signal);
  const { upstream, backend } = await open([answerWith(200, { input_tokens: 12 })]);
  expect(await count(backend)).toBe(12);
  expect(Object.keys(bodyOf(upstream, 0)).sort()).toEqual(['messages', 'model']);
  expect(await count((await open([answerWith(404, '404 page not found')])).backend)).toBeNull();
  await expect(count((await open([refusal(404, 'not_found_error', 'model: x')])).backend)).rejects.toMatchObject({
    code: 'model_not_found',
  });
});

test('the key never stands in an error', async () => {
  const { backend } = await open([refusal(400, 'invalid_request_error', 'bad key sk-ant-secret-0123456789')]);
  await expect(ask(backend)).rejects.toMatchObject({ message: 'bad key [secret]' });
});
