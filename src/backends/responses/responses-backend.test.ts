import { isJsonObject } from '../../lib/json.ts';
import { Secret } from '../../model/secret.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { counterId } from '../../../test/counter-id.ts';
import { answerWith, openChatUpstream, type ChatAnswer, type ChatUpstream } from '../../../test/doubles/chat-upstream.ts';
import { eventFrames, textEvents } from '../../../test/doubles/responses-events.ts';
import type { StatelessBackend } from '../../model/backend.ts';
import { createResponsesBackend } from './responses-backend.ts';

const signal = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function open(answer: ChatAnswer, path = '/v1'): Promise<{ upstream: ChatUpstream; backend: StatelessBackend }> {
  const upstream = await openChatUpstream(answer);
  const backend = createResponsesBackend({
    name: 'there',
    baseUrl: upstream.url + path,
    apiKey: new Secret('sk-secret-0123'),
    headers: { 'X-Title': 'agents' },
    timeouts: { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 },
    newId: counterId(),
  });
  opened.push(backend, upstream);
  return { upstream, backend };
}

const streamAnswer: ChatAnswer = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(eventFrames(textEvents(['Hel', 'lo'])));
};

test.each(['', '/', '/v1', '/v1/'])('one call to /v1/responses, with its headers (base_url ends with %j)', async (path) => {
  const { upstream, backend } = await open(streamAnswer, path);
  expect(textOf(await drainTurn(backend.prepareTurn(plainRequest('m', 'Hi'))))).toBe('Hello');
  expect(upstream.seen).toHaveLength(1);
  expect(upstream.seen[0]).toMatchObject({
    path: '/v1/responses',
    headers: { authorization: 'Bearer sk-secret-0123', 'x-title': 'agents', accept: 'text/event-stream' },
    body: { model: 'm', store: false, stream: true },
  });
});

test('a dated version of Azure: its query goes with every call, its key in its own header', async () => {
  const upstream = await openChatUpstream((response, call) => {
    if (call.path.includes('/models')) answerWith(200, { object: 'list', data: [] })(response, call);
    else streamAnswer(response, call);
  });
  const backend = createResponsesBackend({
    name: 'azure',
    baseUrl: `${upstream.url}/openai/?api-version=2025-04-01-preview`,
    apiKey: null,
    headers: { 'api-key': 'azure-secret' },
    timeouts: { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 },
    newId: counterId(),
  });
  opened.push(backend, upstream);
  await backend.listModels(signal);
  expect(textOf(await drainTurn(backend.prepareTurn(plainRequest('m', 'Hi'))))).toBe('Hello');
  expect(upstream.seen.map(({ path }) => path)).toEqual([
    '/openai/models?api-version=2025-04-01-preview',
    '/openai/responses?api-version=2025-04-01-preview',
  ]);
  expect(upstream.seen[1]?.headers).toMatchObject({ 'api-key': 'azure-secret' });
  expect(upstream.seen[1]?.headers).not.toHaveProperty('authorization');
});

test.each([
  ['without event lines', (text: string) => text.replaceAll(/^event: .*\n/gm, '')],
  ['with [DONE] and comments', (text: string) => `: hello\n\n${text}data: [DONE]\n\n`],
  ['with CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
])('a stream %s', async (_name, change) => {
  const { backend } = await open((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(change(eventFrames(textEvents(['Hello']))));
  });
  const events = await drainTurn(backend.prepareTurn(plainRequest('m', 'Hi')));
  expect([textOf(events), events.at(-1)]).toEqual(['Hello', { type: 'finish', reason: 'stop' }]);
});

test('a stream that just stops has failed', async () => {
  const { backend } = await open((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(eventFrames(textEvents(['Hello']).slice(0, -1)));
  });
  const events = await drainTurn(backend.prepareTurn(plainRequest('m', 'Hi')));
  expect(textOf(events)).toBe('Hello');
  expect(events.at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_truncated' } });
});

describe('a refusal before the first byte', () => {
  test.each([
    [400, { error: { message: 'Bad schema', code: 'invalid_function_parameters' } }, 'invalid_request_error', 400],
    [400, { error: { message: 'x', code: 'context_length_exceeded' } }, 'context_length_exceeded', 400],
    [400, { code: 'invalid-argument', error: 'Incorrect API key provided. Get one.' }, 'upstream_auth_failed', 502],
    [401, { error: { message: 'no', code: 'invalid_api_key' } }, 'upstream_auth_failed', 502],
    [404, { error: { message: 'no such model', code: 'model_not_found' } }, 'model_not_found', 400],
    [429, { error: { message: 'pay', code: 'insufficient_quota' } }, 'insufficient_quota', 429],
    [500, { error: 'boom' }, 'upstream_error', 502],
    [503, 'Loading model', 'upstream_overloaded', 503],
    [200, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }, 'rate_limit_exceeded', 429],
    [200, '<html><body>Hello</body></html>', 'upstream_invalid_response', 502],
    [200, { choices: [{ message: { content: 'Hi' } }] }, 'upstream_invalid_response', 502],
  ])('%i %j is %s', async (status, body, code, shown) => {
    const { backend } = await open(answerWith(status, body));
    const turn = drainTurn(backend.prepareTurn(plainRequest('m', 'Hi', { stream: false })));
    await expect(turn).rejects.toMatchObject({ code, status: shown });
  });

  test('our key is never in the words', async () => {
    const { backend } = await open(answerWith(400, { error: { message: 'Header was Bearer sk-secret-0123' } }));
    const turn = drainTurn(backend.prepareTurn(plainRequest('m', 'Hi')));
    await expect(turn).rejects.toMatchObject({ message: 'Header was Bearer [secret]' });
  });
});

describe('beside turns', () => {
  test('models', async () => {
    const { upstream, backend } = await open(
      answerWith(200, { object: 'list', data: [{ id: 'a', created: 5, owned_by: 'me' }, { id: 'b' }] }),
    );
    expect(await backend.listModels(signal)).toEqual([
      { id: 'a', created: 5, ownedBy: 'me' },
      { id: 'b', created: null, ownedBy: null },
    ]);
    expect(upstream.seen[0]?.path).toBe('/v1/models');
  });

  test('input tokens, where the server counts them', async () => {
    const { upstream, backend } = await open(answerWith(200, { object: 'response.input_tokens', input_tokens: 51 }));
    expect(await backend.countInputTokens(plainRequest('m', 'Hi'), signal)).toBe(51);
    const [seen] = upstream.seen;
    expect(seen?.path).toBe('/v1/responses/input_tokens');
    expect(Object.keys(isJsonObject(seen?.body) ? seen.body : {})).toEqual(['model', 'input']);
  });

  test.each([404, 405, 501])('nobody counts there: %i', async (status) => {
    const { backend } = await open(answerWith(status, { detail: 'Not Found' }));
    expect(await backend.countInputTokens(plainRequest('m', 'Hi'), signal)).toBeNull();
  });

  test('other trouble is told, and an answer without a count is none', async () => {
    const { backend } = await open(answerWith(429, { error: { message: 'slow down' } }));
    await expect(backend.countInputTokens(plainRequest('m', 'Hi'), signal)).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
    });
    const silent = await open(answerWith(200, { ok: true }));
    expect(await silent.backend.countInputTokens(plainRequest('m', 'Hi'), signal)).toBeNull();
  });
});
