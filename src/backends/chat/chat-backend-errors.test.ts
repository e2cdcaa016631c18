import { afterEach, describe, expect, test } from 'vitest';
import { drainTurn, plainRequest } from '../../../test/backend-suite.ts';
import { counterId } from '../../../test/counter-id.ts';
import {
  answerWith,
  dataLine,
  deltaLine,
  openChatUpstream,
  streamLines,
  type ChatAnswer,
  type ChatUpstream,
} from '../../../test/doubles/chat-upstream.ts';
import type { StatelessBackend } from '../../model/backend.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { Secret } from '../../model/secret.ts';
import { createChatBackend, type ChatBackendOptions } from './chat-backend.ts';

const canary = 'sk-canary-1234567890';
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function start(
  answer: ChatAnswer,
  options: Partial<ChatBackendOptions> = {},
): Promise<{ backend: StatelessBackend; upstream: ChatUpstream }> {
  const upstream = await openChatUpstream(answer);
  const timeouts = { connectMs: 2000, firstByteMs: 5000, idleMs: 5000 };
  const backend = createChatBackend({
    name: 'local',
    baseUrl: upstream.url,
    apiKey: new Secret(canary),
    timeouts,
    newId: counterId(),
    ...options,
  });
  opened.push(backend, upstream);
  return { backend, upstream };
}

async function run(backend: StatelessBackend): Promise<readonly ModelEvent[]> {
  return drainTurn(backend.prepareTurn(plainRequest('m', 'Hi')), AbortSignal.timeout(10_000));
}

async function failureOf(backend: StatelessBackend): Promise<unknown> {
  return run(backend).then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
}

describe('errors', () => {
  test.each([
    [
      'OpenAI, unknown model',
      404,
      { error: { message: 'The model `x` does not exist', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
      'model_not_found',
    ],
    [
      'OpenAI, bad request',
      400,
      { error: { message: "Invalid 'messages'", type: 'invalid_request_error', param: 'messages', code: 'empty_array' } },
      'invalid_request_error',
    ],
    ['bad key', 401, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } }, 'upstream_auth_failed'],
    [
      'OpenAI, no money',
      429,
      { error: { message: 'You exceeded your quota', type: 'insufficient_quota', code: 'insufficient_quota' } },
      'insufficient_quota',
    ],
    [
      'OpenRouter, rate limit',
      429,
      { error: { code: 429, message: 'Provider returned error', metadata: { raw: 'slow down' } } },
      'rate_limit_exceeded',
    ],
    ['OpenRouter, credits', 402, { error: { code: 402, message: 'More credits are needed' } }, 'insufficient_quota'],
    [
      'Mistral, flat',
      400,
      { object: 'error', message: 'bad', type: 'invalid_request_error', param: null, code: '3051' },
      'invalid_request_error',
    ],
    ['Mistral, FastAPI list', 422, { detail: [{ loc: ['body', 'n'], msg: 'too big' }] }, 'invalid_request_error'],
    [
      'DeepSeek, context',
      400,
      {
        error: {
          message: "This model's maximum context length is 10 tokens.",
          type: 'invalid_request_error',
          code: 'invalid_request_error',
        },
      },
      'context_length_exceeded',
    ],
    [
      'Perplexity, context',
      400,
      { error: { message: 'The total length of all messages is too long.', type: 'too_many_prompt_tokens', code: 400 } },
      'context_length_exceeded',
    ],
    [
      'llama.cpp, context',
      400,
      { error: { code: 400, message: 'too long', type: 'exceed_context_size_error', n_ctx: 4096 } },
      'context_length_exceeded',
    ],
    [
      'llama.cpp, loading',
      503,
      { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      'upstream_overloaded',
    ],
    [
      'Groq, the model called badly',
      400,
      {
        error: {
          message: 'Tool call validation failed',
          type: 'invalid_request_error',
          code: 'tool_use_failed',
          failed_generation: '{}',
        },
      },
      'upstream_error',
    ],
    [
      'Ollama',
      500,
      { error: { message: 'llama runner process has terminated', type: 'api_error', param: null, code: null } },
      'upstream_error',
    ],
    ['HTML', 502, '<html><body>Bad gateway</body></html>', 'upstream_error'],
  ])('%s', async (_name, status, body, code) => {
    const { backend } = await start(answerWith(status, body, { 'retry-after': '7' }));
    const thrown = await failureOf(backend);
    expect(thrown).toMatchObject({ code });
    if (status === 429) expect(thrown).toMatchObject({ retryAfter: 7 });
  });

  test('the words of the server are passed on, also out of `detail` and `metadata`, but never a credential', async () => {
    const detail = await start(answerWith(422, { detail: [{ loc: ['body', 'n'], msg: 'too big' }] }));
    expect(await failureOf(detail.backend)).toMatchObject({ message: 'body.n: too big' });
    const raw = await start(
      answerWith(429, { error: { code: 429, message: 'Provider returned error', metadata: { raw: `slow down ${canary}` } } }),
    );
    const thrown = await failureOf(raw.backend);
    expect(thrown).toMatchObject({ message: expect.stringContaining('slow down') as string });
    expect((thrown as Error).message).not.toContain(canary);
  });

  test('an error instead of an answer in a 200 is thrown', async () => {
    const { backend } = await start(
      answerWith(200, {
        id: 'gen-1',
        error: { code: 429, message: `Rate limited ${canary}` },
        choices: null,
        usage: { total_tokens: 1 },
      }),
    );
    const thrown = await failureOf(backend);
    expect(thrown).toMatchObject({ code: 'rate_limit_exceeded' });
    expect((thrown as Error).message).not.toContain(canary);
  });

  test.each([
    ['a chunk with an error', dataLine({ error: { message: 'CUDA out of memory', code: 500 } }), 'upstream_error'],
    ['an error event', 'event: error\ndata: {"message":"overloaded","code":503}', 'upstream_overloaded'],
    ['a line of old llama.cpp', 'error: {"code":500,"message":"oom","type":"server_error"}', 'upstream_error'],
    ['finish_reason error', deltaLine({}, 'error'), 'upstream_error'],
    ['DeepSeek out of resources', deltaLine({}, 'insufficient_system_resource'), 'upstream_overloaded'],
    ['the end of the stream (Ollama swallows its errors)', ': bye', 'upstream_truncated'],
  ])('inside of a stream: %s', async (_name, line, code) => {
    const { backend } = await start(streamLines(deltaLine({ content: 'a' }), line));
    expect(await run(backend)).toMatchObject([{ type: 'text-delta' }, { type: 'failure', error: { code } }]);
  });
});
