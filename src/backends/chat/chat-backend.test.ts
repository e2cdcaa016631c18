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

const request = plainRequest('some/model', 'Hi', {
  instructions: 'Be brief.',
  tools: [{ name: 'get', description: null, parameters: null, strict: false, path: 'tools[0]' }],
  toolChoice: { type: 'required-of', names: ['get'] },
  parallelToolCalls: false,
  reasoning: { effort: 'low', summary: null },
  maxOutputTokens: 16,
});

function run(backend: StatelessBackend, asked = request): Promise<readonly ModelEvent[]> {
  return drainTurn(backend.prepareTurn(asked), AbortSignal.timeout(10_000));
}

describe('a turn', () => {
  test('streams what the server streams, comments, late usage and [DONE] included', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const { backend, upstream } = await start(
      streamLines(
        ': hello',
        deltaLine({ role: 'assistant', content: '' }),
        deltaLine({ content: 'He' }),
        deltaLine({ content: 'y' }),
        deltaLine({}, 'stop'),
        dataLine({ choices: [], usage }),
        'data: [DONE]',
      ),
    );
    expect(await run(backend)).toEqual([
      { type: 'text-delta', delta: 'He' },
      { type: 'text-delta', delta: 'y' },
      { type: 'usage', usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } },
      { type: 'finish', reason: 'stop' },
    ]);
    expect(upstream.seen[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${canary}`, accept: 'text/event-stream', 'content-type': 'application/json' },
    });
  });

  test('an unstreamed answer is one chunk', async () => {
    const { backend, upstream } = await start(
      answerWith(200, { choices: [{ message: { content: 'Hey', reasoning: 'hm' }, finish_reason: 'length' }] }),
    );
    expect(await run(backend, { ...request, stream: false })).toEqual([
      { type: 'reasoning-delta', delta: 'hm' },
      { type: 'text-delta', delta: 'Hey' },
      { type: 'finish', reason: 'length' },
    ]);
    expect(upstream.seen[0]?.headers.accept).toBe('application/json');
    expect(upstream.seen[0]?.body).not.toHaveProperty('stream');
  });

  test('own headers, no key', async () => {
    const { backend, upstream } = await start(streamLines(deltaLine({ content: 'a' }, 'stop')), {
      apiKey: null,
      headers: { 'X-Title': 'test' },
    });
    await run(backend);
    expect(upstream.seen[0]?.headers).toMatchObject({ 'x-title': 'test' });
    expect(upstream.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  test('think tags, where the config says so', async () => {
    const { backend } = await start(
      streamLines(deltaLine({ content: '<thi' }), deltaLine({ content: 'nk>hm</think>\n\nHey' }, 'stop')),
      {
        thinkTags: true,
      },
    );
    expect(await run(backend)).toEqual([
      { type: 'reasoning-delta', delta: 'hm' },
      { type: 'text-delta', delta: 'Hey' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  test('Mistral repeats the beginning we gave it; that is taken away', async () => {
    const { backend } = await start(streamLines(deltaLine({ content: 'Once ' }), deltaLine({ content: 'upon a time' }, 'stop')), {
      vendor: 'mistral',
    });
    const prefix = {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: 'Once upon', path: 'input[1]' }],
      path: 'input[1]',
    } as const;
    expect(await run(backend, { ...request, input: [...request.input, prefix] })).toEqual([
      { type: 'text-delta', delta: ' a time' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  test('losses are known before anything is sent', async () => {
    const { backend, upstream } = await start(answerWith(200, {}), { vendor: 'generic' });
    expect(backend.prepareTurn(request).losses).toMatchObject([{ path: 'reasoning.effort', action: 'dropped' }]);
    expect(upstream.seen).toEqual([]);
  });
});

describe('the body for each vendor', () => {
  const system = { role: 'system', content: 'Be brief.' };
  const user = { role: 'user', content: 'Hi' };
  const tools = [{ type: 'function', function: { name: 'get', parameters: { type: 'object', properties: {} } } }];
  const common = { model: 'some/model', messages: [system, user], tools, stream: true, stream_options: { include_usage: true } };
  const named = { tool_choice: { type: 'function', function: { name: 'get' } } };

  test.each([
    ['openai', { ...common, ...named, max_completion_tokens: 16, reasoning_effort: 'low', parallel_tool_calls: false }],
    ['ollama', { ...common, max_tokens: 16, reasoning_effort: 'low' }],
    [
      'llamacpp',
      {
        ...common,
        tool_choice: 'required',
        max_tokens: 16,
        chat_template_kwargs: { enable_thinking: true, thinking: true, reasoning_effort: 'low' },
      },
    ],
    ['vllm', { ...common, ...named, max_completion_tokens: 16, reasoning_effort: 'low', parallel_tool_calls: false }],
    ['openrouter', { ...common, ...named, max_tokens: 16, reasoning: { effort: 'low' }, parallel_tool_calls: false }],
    ['deepseek', { ...common, ...named, max_tokens: 16, thinking: { type: 'enabled' } }],
    ['groq', { ...common, ...named, max_completion_tokens: 16, parallel_tool_calls: false }],
    ['mistral', { ...common, tool_choice: 'any', max_tokens: 16, reasoning_effort: 'high', parallel_tool_calls: false }],
    ['generic', { ...common, tool_choice: 'required', max_tokens: 16 }],
  ] as const)('%s', async (vendor, expected) => {
    const { backend, upstream } = await start(streamLines(deltaLine({ content: 'a' }, 'stop')), { vendor });
    await run(backend);
    expect(upstream.seen[0]?.body).toEqual(expected);
  });
});

describe('models', () => {
  test('are listed as the server names them', async () => {
    const list = [{ id: 'a', created: 5, owned_by: 'me' }, { id: 'b', created: 0 }, { object: 'model' }, null];
    const { backend, upstream } = await start(answerWith(200, { object: 'list', data: list }));
    expect(await backend.listModels(AbortSignal.timeout(5000))).toEqual([
      { id: 'a', created: 5, ownedBy: 'me' },
      { id: 'b', created: null, ownedBy: null },
    ]);
    expect(upstream.seen[0]).toMatchObject({ path: '/v1/models', body: null });
    expect(await backend.countInputTokens(request, AbortSignal.timeout(5000))).toBeNull();
  });

  test('a bare list, no model at all, and something else', async () => {
    expect(await (await start(answerWith(200, [{ id: 'a' }]))).backend.listModels(AbortSignal.timeout(5000))).toHaveLength(1);
    expect(await (await start(answerWith(200, { data: null }))).backend.listModels(AbortSignal.timeout(5000))).toEqual([]);
    await expect(
      (await start(answerWith(200, { hello: 1 }))).backend.listModels(AbortSignal.timeout(5000)),
    ).rejects.toMatchObject({
      code: 'upstream_invalid_response',
    });
  });
});
