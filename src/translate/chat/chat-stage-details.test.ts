import { describe, expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { fromChatChunks, type FromChatOptions } from './from-chat-chunks.ts';

function eventsOf(chunks: readonly unknown[], vendor: ChatVendor = 'generic', more: Partial<FromChatOptions> = {}): ModelEvent[] {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor });
  const stage = fromChatChunks({
    newId: counterId(),
    model: 'm',
    profile,
    toolNames: createToolNames([], profile.toolNameRule),
    ...more,
  });
  const events = [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
  expect(checkModelEvents(events)).toEqual([]);
  return events;
}

const delta = (members: object, reason: string | null = null, beside: object = {}): unknown => ({
  choices: [{ index: 0, delta: members, finish_reason: reason, ...beside }],
});
const stop = delta({}, 'stop');
const finish = { type: 'finish', reason: 'stop' };
const text = (value: string): object => ({ type: 'text-delta', delta: value });
const thought = (value: string): object => ({ type: 'reasoning-delta', delta: value });

describe('reasoning', () => {
  test.each([
    ['reasoning_content', { reasoning_content: 'a' }],
    ['reasoning', { reasoning: 'a' }],
    ['both, of a vLLM in transition', { reasoning_content: 'a', reasoning: 'a' }],
    ['an empty reasoning_content beside reasoning', { reasoning_content: '', reasoning: 'a' }],
    ['details and the same text', { reasoning: 'a', reasoning_details: [{ type: 'reasoning.text', text: 'a', index: 0 }] }],
    [
      'encrypted details and a text',
      { reasoning: 'a', reasoning_details: [{ type: 'reasoning.encrypted', data: 'x', index: 0 }] },
    ],
    ['a summary', { reasoning_details: [{ type: 'reasoning.summary', summary: 'a', index: 0 }] }],
    ['thinking parts', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] }] }],
  ])('%s', (_name, members) => {
    expect(eventsOf([delta(members), delta({ content: 'b' }), stop])).toEqual([thought('a'), text('b'), finish]);
  });

  test('blocks of details are parts of the summary', () => {
    const block = (index: number, summary: string): unknown =>
      delta({ reasoning_details: [{ type: 'reasoning.summary', summary, index }] });
    expect(eventsOf([block(0, 'a'), block(0, 'b'), block(1, 'c'), stop])).toEqual([
      thought('a'),
      thought('b'),
      { type: 'reasoning-break' },
      thought('c'),
      finish,
    ]);
  });

  test('what OpenRouter wants back is merged by block, encrypted blocks and unknown members stay', () => {
    const chunks = [
      delta({ reasoning_details: [{ type: 'reasoning.text', text: 'a', index: 0, format: null, odd: { x: 1 } }] }),
      delta({ reasoning_details: [{ type: 'reasoning.text', text: 'b', index: 0, format: 'f', signature: 's' }] }),
      delta({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'd', index: 1, id: 'e' }] }),
      delta({ content: 'c' }),
      stop,
    ];
    const details = [
      { type: 'reasoning.text', text: 'ab', index: 0, format: 'f', odd: { x: 1 }, signature: 's' },
      { type: 'reasoning.encrypted', data: 'd', index: 1, id: 'e' },
    ];
    const state = { type: 'reasoning-state', state: { format: 'chat', model: 'm', data: { details } } };
    expect(eventsOf(chunks, 'openrouter')).toEqual([thought('a'), thought('b'), state, text('c'), finish]);
  });

  test('state that comes inside of a text does not cut it', () => {
    const late = delta({ extra_content: { google: { thought_signature: 's' } } });
    expect(eventsOf([delta({ content: 'a' }), late, delta({ content: 'b' }), stop]).map(({ type }) => type)).toEqual([
      'text-delta',
      'text-delta',
      'reasoning-state',
      'finish',
    ]);
  });

  test('R1 wants nothing back', () => {
    expect(eventsOf([delta({ reasoning_content: 'a' }), stop], 'deepseek', { model: 'deepseek-r1' })).toEqual([
      thought('a'),
      finish,
    ]);
  });
});

describe('text', () => {
  test('empty, null and listed contents, roles of any kind, no choice at all', () => {
    const chunks = [
      delta({ role: '', content: '' }),
      delta({ content: null }),
      delta({ content: [] }),
      { choices: [] },
      { choices: null },
      { other: 1 },
      delta({ content: [{ type: 'text', text: 'a' }, { type: 'reference', reference_ids: [1] }, 'b'] }),
      stop,
    ];
    expect(eventsOf(chunks)).toEqual([text('a'), text('b'), finish]);
  });

  test('refusals, sources and logprobs', () => {
    const source = { type: 'url_citation', url_citation: { url: 'https://a.b', title: '', start_index: 1, end_index: 2 } };
    const logprobs = {
      content: [
        { token: 'é', logprob: -1, bytes: null, top_logprobs: [{ token: 'e', logprob: -2, bytes: [101] }] },
        { token: 1 },
      ],
    };
    const chunks = [
      delta({ annotations: [source, { type: 'file' }] }),
      delta({ content: 'a' }, null, { logprobs }),
      delta({ refusal: 'no' }),
      stop,
    ];
    const annotation = { url: 'https://a.b', title: 'https://a.b', startIndex: 1, endIndex: 2 };
    const token = { token: 'é', logprob: -1, bytes: [195, 169], topLogprobs: [{ token: 'e', logprob: -2, bytes: [101] }] };
    expect(eventsOf(chunks, 'generic', { wantsLogprobs: true })).toEqual([
      { type: 'text-delta', delta: 'a', logprobs: [token] },
      { type: 'annotation', annotation },
      { type: 'refusal-delta', delta: 'no' },
      finish,
    ]);
    expect(eventsOf(chunks)[0]).toEqual(text('a'));
  });

  test('an image is a loss, reported once', () => {
    const image = delta({ content: '', images: [{ type: 'image_url' }] });
    expect(eventsOf([image, image, stop])).toMatchObject([{ type: 'loss', loss: { path: 'output', action: 'dropped' } }, finish]);
  });

  test('an answer that does not repeat the prefix, or only its beginning, is whole', () => {
    expect(eventsOf([delta({ content: 'On' }), delta({ content: 'ly' }), stop], 'mistral', { echo: 'Once' })).toEqual([
      text('Only'),
      finish,
    ]);
    expect(eventsOf([delta({ content: 'On' }), stop], 'mistral', { echo: 'Once' })).toEqual([text('On'), finish]);
  });
});

describe('usage', () => {
  const usageOf = (usage: unknown): unknown[] =>
    eventsOf([{ ...(stop as object), usage }]).filter(({ type }) => type === 'usage');

  test.each([
    [
      'DeepSeek',
      { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, prompt_cache_hit_tokens: 3 },
      { inputTokens: 5, outputTokens: 2, totalTokens: 7, cachedTokens: 3 },
    ],
    [
      'OpenAI',
      {
        prompt_tokens: 5,
        completion_tokens: 2,
        total_tokens: 7,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
      { inputTokens: 5, outputTokens: 2, totalTokens: 7, cachedTokens: 0, reasoningTokens: 1 },
    ],
    [
      'xAI: thinking beside the output',
      { prompt_tokens: 5, completion_tokens: 2, total_tokens: 10, completion_tokens_details: { reasoning_tokens: 3 } },
      { inputTokens: 5, outputTokens: 5, totalTokens: 10, reasoningTokens: 3 },
    ],
    ['details null', { prompt_tokens: 5, prompt_tokens_details: null }, { inputTokens: 5 }],
    [
      'words, fractions, negative numbers',
      { prompt_tokens: '5', completion_tokens: -1, total_tokens: 1.5, prompt_cache_hit_tokens: 1e300 },
      undefined,
    ],
  ])('%s', (_name, usage, expected) => {
    expect(usageOf(usage)).toEqual(expected === undefined ? [] : [{ type: 'usage', usage: expected }]);
  });

  test("Groq's place, and several times", () => {
    const chunks = [
      { choices: [], usage: { prompt_tokens: 5 } },
      { ...(stop as object), x_groq: { usage: { completion_tokens: 2 } } },
    ];
    expect(eventsOf(chunks)).toEqual([
      { type: 'usage', usage: { inputTokens: 5 } },
      { type: 'usage', usage: { outputTokens: 2 } },
      finish,
    ]);
  });
});

describe('the end', () => {
  test.each([
    ['stop', 'finish stop'],
    ['tool_calls', 'finish stop'],
    ['LENGTH', 'finish length'],
    ['model_length', 'finish length'],
    ['content_filter', 'finish content-filter'],
    ['error', 'failure upstream_error'],
    ['insufficient_system_resource', 'failure upstream_overloaded'],
  ])('%s', (reason, expected) => {
    const last = eventsOf([delta({ content: 'a' }, reason)]).at(-1);
    expect(last?.type === 'failure' ? `failure ${last.error.code}` : last?.type === 'finish' ? `finish ${last.reason}` : '').toBe(
      expected,
    );
  });

  test('a reason nobody knows is a normal end with an answer, and a failure without', () => {
    expect(eventsOf([delta({ content: 'a' }, 'load')]).slice(1)).toMatchObject([{ type: 'loss' }, finish]);
    expect(eventsOf([delta({}, 'load')])).toMatchObject([{ type: 'failure', error: { code: 'upstream_error' } }]);
  });

  test('the first reason counts, text after it is kept, two ends are one', () => {
    expect(eventsOf([delta({ content: 'a' }, 'length'), delta({ content: 'b' }), stop])).toEqual([
      text('a'),
      text('b'),
      { type: 'finish', reason: 'length' },
    ]);
  });

  test('an error fails the turn at once; nothing comes after it', () => {
    const failed = eventsOf([
      delta({ content: 'a' }),
      { error: { message: 'x', code: 429 }, usage: { prompt_tokens: 1 } },
      delta({ content: 'b' }),
      stop,
    ]);
    expect(failed).toMatchObject([text('a'), { type: 'usage' }, { type: 'failure', error: { code: 'rate_limit_exceeded' } }]);
    expect(eventsOf([delta({}, 'error', { error: { code: 503, message: 'x' } })])).toMatchObject([
      { type: 'failure', error: { code: 'upstream_overloaded' } },
    ]);
  });

  test.each([
    ['nothing', [], 'upstream_truncated'],
    ['JSON that is no completion', [{ hello: 1 }], 'upstream_invalid_response'],
    ['a body without an answer', [{ choices: [{ message: { content: '' } }] }], 'upstream_truncated'],
    ['no choice', [{ choices: [] }], 'upstream_truncated'],
  ])('%s fails', (_name, chunks, code) => {
    expect(eventsOf(chunks)).toMatchObject([{ type: 'failure', error: { code } }]);
  });
});
