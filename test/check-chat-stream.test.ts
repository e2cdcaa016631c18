import { describe, expect, test } from 'vitest';
import { readChatStream } from './check-chat-stream.ts';

type Chunk = Record<string, unknown>;

const counts = {
  ...{ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
};

function chunk(choices: unknown[], usage: unknown = null): Chunk {
  return {
    ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 100, model: 'm', system_fingerprint: null },
    choices,
    usage,
  };
}

function delta(delta: object, reason: string | null = null, logprobs: unknown = null): Chunk {
  return chunk([{ index: 0, delta, logprobs, finish_reason: reason }]);
}

/** A stream with one of everything that may stand together. */
function goodStream(): unknown[] {
  const detail = { type: 'reasoning.encrypted', id: 'rs_1', data: 'x', format: 'antiphon-v1', index: 0 };
  const source = { url: 'https://example.org', title: 'E', start_index: 0, end_index: 5 };
  return [
    delta({ role: 'assistant', content: '', refusal: null }),
    delta({ reasoning_content: 'hm' }),
    delta({ content: 'Hello' }, null, { content: [{ token: 'Hello' }], refusal: null }),
    delta({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
    delta({ tool_calls: [{ index: 1, id: 'call_2', type: 'function', function: { name: 'g', arguments: '{}' } }] }),
    delta({ reasoning_details: [detail], annotations: [{ type: 'url_citation', url_citation: source }] }),
    delta({}, 'tool_calls'),
    chunk([], counts),
    '[DONE]',
  ];
}

function sse(frames: readonly unknown[]): string {
  return frames.map((frame) => `data: ${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n\n`).join('');
}

function faultsOf(text: string, includesUsage = true): readonly string[] {
  return readChatStream(text, { includesUsage }).faults;
}

const error = { error: { message: 'no', type: 'server_error', param: null, code: 'upstream_error' } };

/** One planted mistake each: name, and the good stream with it. */
const mistakes: readonly [string, (good: unknown[]) => unknown[]][] = [
  ['no [DONE]', (good) => good.slice(0, -1)],
  ['something after [DONE]', (good) => [...good, delta({ content: 'x' })]],
  ['no finish_reason', (good) => good.filter((_, at) => at !== 7)],
  ['two finish_reasons', (good) => good.toSpliced(7, 0, delta({}, 'stop'))],
  ['a text after the finish_reason', (good) => good.toSpliced(8, 0, delta({ content: 'x' }))],
  ['the finish_reason with a delta', (good) => good.with(7, delta({ content: 'x' }, 'tool_calls'))],
  ['stop although there are calls', (good) => good.with(7, delta({}, 'stop'))],
  ['an unknown finish_reason', (good) => good.with(7, delta({}, 'end_turn'))],
  ['no usage', (good) => good.filter((_, at) => at !== 8)],
  ['usage before the end', (good) => good.with(8, good[7]).with(7, good[8])],
  ['usage with a choice', (good) => good.with(8, { ...(good[7] as Chunk), usage: counts })],
  ['usage that is no number', (good) => good.with(8, chunk([], { ...counts, prompt_tokens: '1' }))],
  ['no usage: null', (good) => good.with(2, without(good[2], 'usage'))],
  ['no role', (good) => good.slice(1)],
  ['the role twice', (good) => good.toSpliced(1, 0, good[0])],
  ['no content in the first delta', (good) => good.with(0, delta({ role: 'assistant' }))],
  ['another id', (good) => good.with(2, { ...(good[2] as Chunk), id: 'chatcmpl-2' })],
  ['another model', (good) => good.with(2, { ...(good[2] as Chunk), model: 'n' })],
  ['another created', (good) => good.with(2, { ...(good[2] as Chunk), created: 101 })],
  ['an id of another kind', (good) => good.map((one) => (typeof one === 'string' ? one : { ...(one as Chunk), id: 'resp_1' }))],
  ['another object', (good) => good.with(2, { ...(good[2] as Chunk), object: 'chat.completion' })],
  ['no fingerprint', (good) => good.with(2, without(good[2], 'system_fingerprint'))],
  ['an unknown member', (good) => good.with(2, { ...(good[2] as Chunk), x: 1 })],
  ['an unknown member of the delta', (good) => good.with(1, delta({ thinking: 'hm' }))],
  ['a choice 1', (good) => good.with(1, chunk([{ index: 1, delta: {}, logprobs: null, finish_reason: null }]))],
  ['no logprobs member', (good) => good.with(1, chunk([{ index: 0, delta: {}, finish_reason: null }]))],
  ['odd logprobs', (good) => good.with(2, delta({ content: 'Hello' }, null, { content: [] }))],
  ['content that is null', (good) => good.with(2, delta({ content: null }))],
  [
    'a call without an id',
    (good) => good.with(3, delta({ tool_calls: [{ index: 0, type: 'function', function: { name: 'f', arguments: '' } }] })),
  ],
  ['a call that begins at index 1', (good) => good.filter((_, at) => at !== 3 && at !== 4)],
  [
    'one id twice',
    (good) =>
      good.with(
        5,
        delta({ tool_calls: [{ index: 1, id: 'call_1', type: 'function', function: { name: 'g', arguments: '{}' } }] }),
      ),
  ],
  [
    'an id that is repeated',
    (good) => good.with(4, delta({ tool_calls: [{ index: 0, id: 'call_1', function: { arguments: '{}' } }] })),
  ],
  ['calls that interleave', (good) => good.toSpliced(6, 0, good[4])],
  ['arguments that are cut', (good) => good.with(4, delta({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }))],
  ['calls in both forms', (good) => good.toSpliced(6, 0, delta({ function_call: { name: 'f', arguments: '{}' } }))],
  ['a function_call without a name', (good) => good.toSpliced(6, 0, delta({ function_call: { arguments: '{}' } }))],
  ['a source outside of the text', (good) => good.filter((_, at) => at !== 2)],
  ['details that do not count', (good) => good.toSpliced(7, 0, good[6])],
  ['an error and [DONE]', (good) => good.with(8, error)],
  ['an error after the end', (good) => [...good.slice(0, -1), error]],
  ['something after an error', (good) => [...good.slice(0, 3), error, good[3]]],
  ['an error without code', (good) => [...good.slice(0, 3), { error: { message: 'no', type: 'x', param: null } }]],
  ['an error without message', (good) => [...good.slice(0, 3), { error: { ...error.error, message: '' } }]],
  ['something that is no JSON', (good) => good.with(2, '{')],
];

function without(value: unknown, key: string): Chunk {
  return Object.fromEntries(Object.entries(value as Chunk).filter(([name]) => name !== key));
}

describe('the oracle of chat streams', () => {
  test('passes a good stream, comments in it, and one that failed', () => {
    expect(faultsOf(sse(goodStream()))).toEqual([]);
    expect(faultsOf(`: keep-alive\n\n${sse(goodStream())}`)).toEqual([]);
    expect(faultsOf(sse([...goodStream().slice(0, 5), error]))).toEqual([]);
  });

  test('joins what came in pieces', () => {
    const { answer } = readChatStream(sse(goodStream()), { includesUsage: true });
    expect(answer).toMatchObject({ content: 'Hello', reasoning: 'hm', finishReason: 'tool_calls', usage: counts, error: null });
    expect(answer.calls.map((call) => `${call.id} ${call.name} ${call.arguments}`)).toEqual(['call_1 f {}', 'call_2 g {}']);
  });

  test.each(mistakes)('catches: %s', (_name, plant) => {
    expect(faultsOf(sse(plant(goodStream())))).not.toEqual([]);
  });

  test('catches a usage that nobody asked for, CRLF, an event line, and a frame that is cut', () => {
    const good = sse(goodStream());
    expect(faultsOf(good, false)).not.toEqual([]);
    expect(faultsOf(good.replaceAll('\n', '\r\n'))).not.toEqual([]);
    expect(faultsOf(good.replace('data: ', 'event: x\ndata: '))).not.toEqual([]);
    expect(faultsOf(good.slice(0, -1))).not.toEqual([]);
  });
});
