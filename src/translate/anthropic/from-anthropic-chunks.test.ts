import { describe, expect, test } from 'vitest';
import { messageOf, textMessage } from '../../../test/doubles/anthropic-answers.ts';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromAnthropicChunks, type FromAnthropicOptions } from './from-anthropic-chunks.ts';

const toolNames = createToolNames(['get.weather'], { pattern: /^[a-z_0-9]+$/, maxLength: 64 });

function createStage(change: Partial<FromAnthropicOptions> = {}) {
  return fromAnthropicChunks({
    ...{ newId: counterId(), model: 'm', toolNames, answerTool: null, hasServerTools: false },
    mapError: () => new GatewayError('upstream_overloaded', 'busy'),
    ...change,
  });
}

function run(chunks: readonly unknown[], change: Partial<FromAnthropicOptions> = {}): readonly ModelEvent[] {
  const stage = createStage(change);
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

/** Events without counts and without where texts were cut. */
function told(events: readonly ModelEvent[]): unknown[] {
  const out: { type: string; delta?: string }[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.type === 'usage' || event.type === 'served-model') continue;
    if ('delta' in event && last?.delta !== undefined && last.type === event.type) last.delta += event.delta;
    else out.push({ ...event });
  }
  return out;
}

const citation = {
  type: 'web_search_result_location',
  url: 'https://a.example',
  title: 'A',
  cited_text: 'x',
  encrypted_index: 'y',
};
const blocks = [
  { type: 'thinking', thinking: 'Let me see.', signature: 'SIG' },
  { type: 'redacted_thinking', data: 'XX' },
  { type: 'text', text: 'I search. ' },
  { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'oslo weather' } },
  { type: 'web_search_tool_result', tool_use_id: 'srv_1', content: [{ type: 'web_search_result', url: 'https://a.example' }] },
  { type: 'text', text: 'It is ' },
  { type: 'text', text: '7 °C', citations: [citation] },
  { type: 'tool_use', id: 'toolu_1', name: toolNames.toAlias('get.weather'), input: { city: 'Oslo' } },
  { type: 'tool_use', id: 'not usable!', name: 'other', input: {} },
];
const { body, events } = messageOf(blocks, { stop_reason: 'tool_use' });

test.each([
  ['streamed', events],
  ['whole', [body]],
])('every kind of block, %s', (_form, chunks) => {
  const found = run(chunks);
  expect(checkModelEvents(found)).toEqual([]);
  expect(told(found)).toEqual([
    { type: 'reasoning-delta', delta: 'Let me see.' },
    { type: 'reasoning-state', state: { format: 'anthropic', model: 'm', data: { thinking: 'Let me see.', signature: 'SIG' } } },
    { type: 'reasoning-state', state: { format: 'anthropic', model: 'm', data: { redacted: 'XX' } } },
    { type: 'text-delta', delta: 'I search. ' },
    { type: 'web-search', queries: ['oslo weather'], sources: ['https://a.example'] },
    { type: 'text-delta', delta: 'It is 7 °C' },
    { type: 'annotation', annotation: { url: 'https://a.example', title: 'A', startIndex: 6, endIndex: 10 } },
    { type: 'call-start', callId: 'toolu_1', name: 'get.weather' },
    { type: 'call-delta', callId: 'toolu_1', delta: '{"city":"Oslo"}' },
    { type: 'call-end', callId: 'toolu_1' },
    { type: 'call-start', callId: 'call_1', name: 'other' },
    { type: 'call-delta', callId: 'call_1', delta: '{}' },
    { type: 'call-end', callId: 'call_1' },
    { type: 'finish', reason: 'stop' },
  ]);
});

test('usage: cached input counts as input, the last word wins, and a zero that comes late does not', () => {
  const start = { input_tokens: 5, cache_creation_input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 1 };
  const found = run([
    { type: 'message_start', message: { id: 'm', model: 'claude-x-1', usage: start } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Hi' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: 0, output_tokens: 20, output_tokens_details: { thinking_tokens: 8 } },
    },
    { type: 'message_stop' },
  ]);
  expect(found).toContainEqual({ type: 'served-model', model: 'claude-x-1' });
  expect(found.findLast(({ type }) => type === 'usage')).toEqual({
    type: 'usage',
    usage: { inputTokens: 115, cachedTokens: 100, cacheWriteTokens: 10, outputTokens: 20, reasoningTokens: 8, totalTokens: 135 },
  });
});

describe('endings', () => {
  test.each([
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content-filter'],
    ['pause_turn', 'stop'],
  ])('%s', (stop_reason, reason) => {
    const text = { type: 'text', text: 'so far' };
    for (const chunks of [messageOf([text], { stop_reason }).events, [messageOf([text], { stop_reason }).body]])
      expect(run(chunks).at(-1)).toEqual({ type: 'finish', reason });
  });

  test('a stop sequence is named', () => {
    const chunks = messageOf([{ type: 'text', text: 'a' }], { stop_reason: 'stop_sequence', stop_sequence: 'END' }).events;
    expect(run(chunks).slice(-2)).toEqual([
      { type: 'stop-sequence', sequence: 'END' },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  test('a refusal is explained', () => {
    const chunks = messageOf([], { stop_reason: 'refusal', stop_details: { type: 'refusal', explanation: 'Not this.' } }).events;
    expect(run(chunks).slice(-2)).toEqual([
      { type: 'refusal-delta', delta: 'Not this.' },
      { type: 'finish', reason: 'content-filter' },
    ]);
  });

  test('an unknown reason is taken as a normal end, with a loss; without any answer it is none', () => {
    const found = run(messageOf([{ type: 'text', text: 'a' }], { stop_reason: 'new_reason' }).events);
    expect(found.slice(-2)).toMatchObject([{ type: 'loss', loss: { action: 'estimated' } }, { type: 'finish' }]);
    expect(run(messageOf([], { stop_reason: 'new_reason' }).events).at(-1)).toMatchObject({ type: 'failure' });
  });

  test('without message_stop nothing is complete', () => {
    for (let count = 0; count < events.length; count += 1) {
      const found = run(events.slice(0, count));
      expect(found.at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_truncated' } });
    }
  });

  test('a call cut by max_tokens stays open; one that is just wrong does not', () => {
    const call = [
      { type: 'message_start', message: { id: 'm', usage: {} } },
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} } },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_stop', index: 0 },
    ];
    const end = (stop_reason: string) => [{ type: 'message_delta', delta: { stop_reason } }, { type: 'message_stop' }];
    expect(run([...call, ...end('max_tokens')]).map(({ type }) => type)).not.toContain('call-end');
    expect(run([...call, ...end('tool_use')]).map(({ type }) => type)).toContain('call-end');
  });
});

describe('what is out of order', () => {
  test('an error, first or in the middle', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    expect(run([error])).toMatchObject([{ type: 'failure', error: { code: 'upstream_overloaded' } }]);
    expect(run([...events.slice(0, 6), error]).at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_overloaded' } });
  });

  test('the same message_start twice is one; another one inside is a failure', () => {
    const [start] = events;
    const rest = events.slice(1);
    expect(told(run([start, start, ...rest]))).toEqual(told(run(events)));
    const other = { type: 'message_start', message: { id: 'msg_other' } };
    expect(run([...events.slice(0, 5), other, ...rest]).at(-1)).toMatchObject({
      type: 'failure',
      error: { code: 'upstream_invalid_response' },
    });
  });

  test('what nobody knows is passed over with a loss, once a kind', () => {
    const odd = { type: 'hologram', data: 'x' };
    const { events: known } = messageOf([
      odd,
      odd,
      { type: 'text', text: 'seen' },
      { type: 'server_tool_use', id: 's', name: 'bash' },
    ]);
    const more = [
      known[0],
      { type: 'novelty' },
      ...known.slice(1, 3),
      { type: 'content_block_delta', delta: { type: 'x' } },
      ...known.slice(3),
    ];
    const found = run(more);
    expect(told(found.filter(({ type }) => type !== 'loss'))).toEqual([
      { type: 'text-delta', delta: 'seen' },
      { type: 'finish', reason: 'stop' },
    ]);
    expect(found.filter(({ type }) => type === 'loss')).toHaveLength(3);
  });

  test.each([null, [], 'text', 7, {}, { type: 'message_start' }, { type: 'message', content: 'no list' }, { choices: [] }])(
    'a chunk that is %j breaks nothing',
    (chunk) => {
      expect(run([chunk]).at(-1)?.type).toBe('failure');
      const found = run([events[0], chunk, ...events.slice(1)]);
      expect(['finish', 'failure']).toContain(found.at(-1)?.type);
    },
  );
});

test('thinking without a signature leaves nothing to send back; two such blocks are two parts', () => {
  const found = run(
    messageOf([{ type: 'thinking', thinking: 'One.' }, { type: 'thinking', thinking: 'Two.' }, ...blocks.slice(2, 3)]).events,
  );
  expect(told(found).slice(0, 4)).toMatchObject([
    { type: 'reasoning-delta', delta: 'One.' },
    { type: 'reasoning-break' },
    { type: 'reasoning-delta', delta: 'Two.' },
    { type: 'text-delta' },
  ]);
});

test('the arguments of the answer function are the text', () => {
  const { body: whole, events: pieces } = messageOf([{ type: 'tool_use', id: 't', name: 'answer', input: { a: 1 } }], {
    stop_reason: 'tool_use',
  });
  for (const chunks of [pieces, [whole]])
    expect(told(run(chunks, { answerTool: 'answer' }))).toEqual([
      { type: 'text-delta', delta: '{"a":1}' },
      { type: 'finish', reason: 'stop' },
    ]);
});

test('a paused answer can be sent back as it came, and goes on', () => {
  const first = messageOf(blocks.slice(0, 4), { stop_reason: 'pause_turn' });
  for (const chunks of [first.events, [first.body]]) {
    const stage = createStage({ hasServerTools: true });
    chunks.forEach((chunk) => stage.push(chunk));
    expect(stage.paused).toEqual(blocks.slice(0, 4));
    stage.continue();
    const rest = messageOf(blocks.slice(4, 5)).events.flatMap((chunk) => [...stage.push(chunk)]);
    expect(rest).toContainEqual({ type: 'web-search', queries: ['oslo weather'], sources: ['https://a.example'] });
    expect(rest.findLast(({ type }) => type === 'usage')).toMatchObject({
      usage: { inputTokens: 18, outputTokens: 8, totalTokens: 26 },
    });
    expect(stage.paused).toBeNull();
  }
  const plain = createStage();
  textMessage('x').events.forEach((chunk) => plain.push(chunk));
  expect(plain.paused).toBeNull();
});
