import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { drainTurn, plainRequest, textOf } from '../../../test/backend-suite.ts';
import { counterId } from '../../../test/counter-id.ts';
import {
  answerWith,
  dataLine,
  openChatUpstream,
  streamLines,
  type ChatAnswer,
  type ChatUpstream,
} from '../../../test/doubles/chat-upstream.ts';
import type { StatelessBackend } from '../../model/backend.ts';
import { GatewayError } from '../../model/errors.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';
import { Secret } from '../../model/secret.ts';
import { encodeThoughtState } from '../../translate/gemini/thought-state.ts';
import { createGeminiBackend, type GeminiBackendOptions } from './gemini-backend.ts';

const key = 'canary-key-1234567890';
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A server that gives these answers, one after the other, and a backend that asks it. */
async function connect(
  answers: readonly ChatAnswer[],
  path = '',
  options: Partial<GeminiBackendOptions> = {},
): Promise<{ backend: StatelessBackend; upstream: ChatUpstream }> {
  let next = 0;
  const upstream = await openChatUpstream((response, call) => {
    const answer = answers[Math.min(next, answers.length - 1)];
    next += 1;
    answer?.(response, call);
  });
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const backend = createGeminiBackend({
    name: 'google',
    baseUrl: upstream.url + path,
    apiKey: new Secret(key),
    timeouts,
    newId: counterId(),
    ...options,
  });
  open.push(upstream, backend);
  return { backend, upstream };
}

const whole = { candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }] };
const fine = streamLines(dataLine(whole));

async function errorOf(work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error;
  throw new Error(`no GatewayError but ${String(error)}`);
}

const gone = new AbortController().signal;

describe('the call', () => {
  test('streamed: address, key in a header only, body', async () => {
    const { backend, upstream } = await connect([fine], '', { headers: { 'x-team': 't' } });
    expect(textOf(await drainTurn(backend.prepareTurn(plainRequest('gemini-3-flash', 'hello'))))).toBe('Hi');
    const [seen] = upstream.seen;
    expect(seen?.path).toBe('/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse');
    expect(seen?.headers).toMatchObject({ 'x-goog-api-key': key, 'x-team': 't', 'content-type': 'application/json' });
    expect(seen?.path).not.toContain(key);
    expect(seen?.body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }] });
  });

  test('whole, and a base URL that has its version', async () => {
    const { backend, upstream } = await connect([answerWith(200, whole)], '/v1beta1/projects/p/locations/l/publishers/google/');
    expect(textOf(await drainTurn(backend.prepareTurn(plainRequest('gemini-2.5-pro', 'x', { stream: false }))))).toBe('Hi');
    expect(upstream.seen[0]?.path).toBe(
      '/v1beta1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent',
    );
  });

  test('JSON where a stream was asked for, as one body or an array of chunks, and a stream where a body was', async () => {
    const { backend } = await connect([answerWith(200, whole), answerWith(200, [whole]), fine]);
    for (const stream of [true, true, false]) {
      expect(textOf(await drainTurn(backend.prepareTurn(plainRequest('m', 'x', { stream }))))).toBe('Hi');
    }
  });

  test.each([
    ['a/../../v1/x', 'models/a%2F..%2F..%2Fv1%2Fx'],
    ['a?key=1#b', 'models/a%3Fkey%3D1%23b'],
    ['%2e%2e/x', 'models/%252e%252e%2Fx'],
    ['models/gemini-x', 'models/gemini-x'],
    ['tunedModels/mine', 'tunedModels/mine'],
    ['a:b', 'models/a%3Ab'],
  ])('a model called %s cannot change the path', async (model, expected) => {
    const { backend, upstream } = await connect([fine]);
    await drainTurn(backend.prepareTurn(plainRequest(model, 'x')));
    expect(upstream.seen[0]?.path).toBe(`/v1beta/${expected}:streamGenerateContent?alt=sse`);
  });

  test.each(['', '.', '..', 'a\0b', 'a\r\nb', '\ud800', 'models/..'])('a model called %j does not exist', async (model) => {
    const { backend, upstream } = await connect([fine]);
    expect(() => backend.prepareTurn(plainRequest(model, 'x'))).toThrow(
      expect.objectContaining({ code: 'model_not_found', param: 'model' }) as GatewayError,
    );
    expect(upstream.seen).toEqual([]);
  });
});

describe('errors', () => {
  const badKey = readFileSync(new URL('../../translate/gemini/__fixtures__/bad-key.json', import.meta.url), 'utf8');
  const error = (code: number, status: string, message: string, details: readonly object[] = []) => ({
    error: { code, status, message, details },
  });
  const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' };
  const overflow = 'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).';

  test.each<[string, number, unknown, Partial<GatewayError>]>([
    ["a wrong key is the operator's matter", 400, badKey, { code: 'upstream_auth_failed', status: 502 }],
    ['no permission', 403, error(403, 'PERMISSION_DENIED', 'no'), { code: 'upstream_auth_failed', status: 502 }],
    [
      'an invalid request',
      400,
      error(400, 'INVALID_ARGUMENT', 'bad field'),
      { code: 'invalid_request_error', message: 'bad field' },
    ],
    ['too long', 400, error(400, 'INVALID_ARGUMENT', overflow), { code: 'context_length_exceeded' }],
    ['an unknown model', 404, error(404, 'NOT_FOUND', 'models/x is not found'), { code: 'model_not_found', param: 'model' }],
    [
      'too fast',
      429,
      error(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota, check billing', [retry]),
      { code: 'rate_limit_exceeded', retryAfter: 35 },
    ],
    [
      'the same in an array',
      429,
      [error(429, 'RESOURCE_EXHAUSTED', 'slow', [retry])],
      { code: 'rate_limit_exceeded', retryAfter: 35 },
    ],
    ['their fault', 500, error(500, 'INTERNAL', 'oops'), { code: 'upstream_error', status: 502 }],
    ['cancelled', 499, error(499, 'CANCELLED', 'gone'), { code: 'upstream_error' }],
    ['overloaded', 503, error(503, 'UNAVAILABLE', 'overloaded'), { code: 'upstream_overloaded' }],
    ['too slow', 504, error(504, 'DEADLINE_EXCEEDED', 'late'), { code: 'upstream_timeout' }],
    ['HTML', 500, '<html>secret page</html>', { code: 'upstream_error' }],
  ])('%s', async (_, status, body, expected) => {
    const { backend } = await connect([answerWith(status, body)]);
    const thrown = await errorOf(drainTurn(backend.prepareTurn(plainRequest('m', 'x'))));
    expect(thrown).toMatchObject(expected);
    expect(thrown.message).not.toContain('secret page');
  });

  test('an error inside a whole answer is thrown, inside a stream it is a failure', async () => {
    const inside = error(429, 'RESOURCE_EXHAUSTED', `slow ${key}`, [retry]);
    const { backend } = await connect([answerWith(200, inside), streamLines(dataLine(whole), dataLine(inside))]);
    expect(await errorOf(drainTurn(backend.prepareTurn(plainRequest('m', 'x'))))).toMatchObject({
      code: 'rate_limit_exceeded',
      retryAfter: 35,
    });
    const last = (await drainTurn(backend.prepareTurn(plainRequest('m', 'x')))).at(-1);
    expect(last).toMatchObject({ type: 'failure', error: { code: 'rate_limit_exceeded', retryAfter: 35 } });
    expect(JSON.stringify(last) + (last?.type === 'failure' ? last.error.message : '')).not.toContain(key);
  });
});

test("credentials in the operator's own headers are not repeated either", async () => {
  const refusal = answerWith(400, { error: { code: 400, message: 'no: ya29.token-abc', status: 'INVALID_ARGUMENT' } });
  const { backend } = await connect([refusal], '', { apiKey: null, headers: { authorization: 'Bearer ya29.token-abc' } });
  expect((await errorOf(drainTurn(backend.prepareTurn(plainRequest('m', 'x'))))).message).toBe('no: [secret]');
});

describe('refused thought signatures', () => {
  const refusal = answerWith(400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'Corrupted thought signature.' } });
  const state = encodeThoughtState('gemini-3-flash', {
    textLength: 0,
    entries: [{ on: 'call', callId: 'c', signature: 'S1', geminiId: 'g' }],
  });
  const history: InputItem[] = [
    { type: 'message', role: 'user', content: [{ type: 'text', text: 'q', path: 'p' }], path: 'p' },
    { type: 'reasoning', text: '', state, path: 'input[1]' },
    { type: 'call', callId: 'c', name: 'f', arguments: '{}', path: 'input[2]' },
    { type: 'call-output', callId: 'c', name: 'f', content: [], path: 'input[3]' },
  ];
  const request: ModelRequest = plainRequest('gemini-3-flash', '', { input: history });

  test('the turn is sent once more without them, and says so', async () => {
    const { backend, upstream } = await connect([refusal, fine]);
    const events = await drainTurn(backend.prepareTurn(request));
    expect(upstream.seen.map(({ body }) => /"thoughtSignature":"([^"]+)"/.exec(JSON.stringify(body))?.[1])).toEqual([
      'S1',
      'skip_thought_signature_validator',
    ]);
    expect(events.flatMap((event) => (event.type === 'loss' ? [event.loss.path] : []))).toEqual(['input', 'input[2]']);
    expect(textOf(events)).toBe('Hi');
  });

  test('only once, and only when there was a state', async () => {
    const { backend, upstream } = await connect([refusal]);
    expect(await errorOf(drainTurn(backend.prepareTurn(request)))).toMatchObject({ code: 'invalid_request_error' });
    expect(upstream.seen.length).toBe(2);
    await errorOf(drainTurn(backend.prepareTurn(plainRequest('gemini-3-flash', 'x'))));
    expect(upstream.seen.length).toBe(3);
  });

  test('any other refusal is not tried again', async () => {
    const { backend, upstream } = await connect([
      answerWith(400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'bad' } }),
    ]);
    await errorOf(drainTurn(backend.prepareTurn(request)));
    expect(upstream.seen.length).toBe(1);
  });
});

describe('models and tokens', () => {
  test('every page, without the prefix, only what generates content', async () => {
    const model = (name: string, method = 'generateContent') => ({ name, supportedGenerationMethods: [method] });
    const { backend, upstream } = await connect([
      answerWith(200, { models: [model('models/a'), model('models/e', 'embedContent')], nextPageToken: 'p/2' }),
      answerWith(200, { models: [{ name: 'tunedModels/t' }, null, {}] }),
    ]);
    const ids = (await backend.listModels(gone)).map(({ id }) => id);
    expect(ids).toEqual(['a', 'tunedModels/t']);
    expect(upstream.seen.map(({ path }) => path)).toEqual([
      '/v1beta/models?pageSize=1000',
      '/v1beta/models?pageSize=1000&pageToken=p%2F2',
    ]);
    expect(upstream.seen[0]?.headers).toMatchObject({ 'x-goog-api-key': key });
  });

  test('a server that repeats its pages, one that has none, one that is another', async () => {
    const { backend, upstream } = await connect([answerWith(200, { models: [], nextPageToken: 'same' })]);
    expect(await backend.listModels(gone)).toEqual([]);
    expect(upstream.seen.length).toBe(2);
    const other = await connect([answerWith(200, {}), answerWith(200, { data: [], models: 'x' })]);
    expect(await other.backend.listModels(gone)).toEqual([]);
    expect(await errorOf(other.backend.listModels(gone))).toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('tokens of the whole request: system text and tools count', async () => {
    const { backend, upstream } = await connect([answerWith(200, { totalTokens: 61 }), answerWith(200, {})]);
    expect(await backend.countInputTokens(plainRequest('gemini-3-flash', 'hi', { instructions: 'I' }), gone)).toBe(61);
    expect(upstream.seen[0]).toMatchObject({
      path: '/v1beta/models/gemini-3-flash:countTokens',
      body: {
        generateContentRequest: { model: 'models/gemini-3-flash', systemInstruction: { parts: [{ text: 'I' }] }, contents: [{}] },
      },
    });
    expect(await backend.countInputTokens(plainRequest('gemini-3-flash', 'hi'), gone)).toBeNull();
  });
});
