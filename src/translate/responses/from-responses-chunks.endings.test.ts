import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { call, message, reasoning, streamOf, textEvents, type WireEvent } from '../../../test/doubles/responses-events.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromResponsesChunks } from './from-responses-chunks.ts';
import type { LintRule } from './lint/lint-rules.ts';
import { toRepairLoss } from './repair-losses.ts';

function read(chunks: readonly unknown[]): ModelEvent[] {
  const stage = fromResponsesChunks({
    newId: counterId(),
    model: 'm',
    toolNames: createToolNames([], { pattern: /./, maxLength: 64 }),
    customTools: new Set(),
    wantsLogprobs: false,
    cleanMessage: (text) => text,
  });
  const events = chunks.flatMap((chunk) => [...stage.push(chunk)]);
  return stage.settled ? events : [...events, ...stage.end()];
}

function endOf(chunks: readonly unknown[]): unknown {
  const last = read(chunks).at(-1);
  return last?.type === 'failure' ? [last.error.code, last.error.message] : last?.type === 'finish' ? last.reason : last;
}

/** The stream with another end. */
function ended(stream: readonly WireEvent[], type: string, change: object): unknown[] {
  const response = { ...(stream.at(-1)?.['response'] as object), ...change };
  return [...stream.slice(0, -1), { ...stream.at(-1), type, response }];
}

describe('why it ended', () => {
  const stream = textEvents(['Hello']);

  test.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content-filter'],
    ['timeout', 'timeout'],
    ['max_tool_calls', 'length'],
  ])('incomplete: %s', (reason, wanted) => {
    const change = { status: 'incomplete', incomplete_details: { reason } };
    expect(endOf(ended(stream, 'response.incomplete', change))).toBe(wanted);
    const losses = read(ended(stream, 'response.incomplete', change)).filter(({ type }) => type === 'loss');
    expect(losses).toHaveLength(reason === 'max_tool_calls' ? 1 : 0);
  });

  test('a status that ends otherwise than its event', () => {
    expect(
      endOf(ended(stream, 'response.completed', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } })),
    ).toBe('content-filter');
    const error = { code: 'server_error', message: 'broken' };
    expect(endOf(ended(stream, 'response.completed', { status: 'failed', error }))).toEqual([
      'upstream_error',
      'The model server reported an error: broken',
    ]);
    expect(endOf(ended(stream, 'response.completed', { status: 'complete' }))).toBe('stop');
  });

  test.each([
    [{ code: 'rate_limit_exceeded', message: 'slow down' }, 'rate_limit_exceeded'],
    [{ code: 'insufficient_quota', message: 'pay' }, 'insufficient_quota'],
    [{ code: 'context_length_exceeded', message: 'too long' }, 'context_length_exceeded'],
    [{ code: 'server_error', message: 'oh' }, 'upstream_error'],
    [null, 'upstream_error'],
  ])('failed: %j', (error, code) => {
    expect(endOf(ended(stream, 'response.failed', { status: 'failed', error }))).toMatchObject([code, expect.any(String)]);
    const [last] = ended(stream, 'response.failed', { status: 'failed' }).slice(-1) as object[];
    expect(endOf([...stream.slice(0, -1), { ...last, error }])).toMatchObject([code, expect.any(String)]);
  });

  test.each([
    ['nested', { type: 'error', error: { type: 'server_error', code: 'insufficient_quota', message: 'pay', param: null } }],
    ['flat', { type: 'error', code: 'insufficient_quota', message: 'pay', param: null }],
    ['without a type', { error: { code: 'insufficient_quota', message: 'pay' } }],
  ])('an error event, %s, with what follows it', (_name, event) => {
    const events = read([...stream.slice(0, 5), event, ...ended(stream, 'response.failed', { status: 'failed' }).slice(-1)]);
    expect(events.filter(({ type }) => type === 'failure')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: 'failure', error: { code: 'insufficient_quota' } });
    expect(events).toContainEqual({ type: 'text-delta', delta: 'Hello' });
  });

  test('an event that lost its type is told, also when it is the first', () => {
    const typeless = stream.map((event, at) => (at === 0 || at === 4 ? { ...event, type: undefined } : event));
    const losses = read(typeless).flatMap((event) => (event.type === 'loss' ? [event.loss] : []));
    expect(losses).toContainEqual(toRepairLoss('event-shape'));
  });

  test('no end at all', () => {
    expect(endOf(stream.slice(0, -1))).toMatchObject(['upstream_truncated', expect.any(String)]);
    expect(endOf([])).toMatchObject(['upstream_truncated', expect.any(String)]);
    expect(endOf([{ id: 'x', choices: [] }])).toMatchObject(['upstream_invalid_response', expect.any(String)]);
  });

  test('nothing is read after the end', () => {
    expect(read([...stream, ...stream]).filter(({ type }) => type === 'text-delta')).toHaveLength(1);
  });
});

describe('a whole body', () => {
  test.each([
    ['queued', 'upstream_invalid_response'],
    ['in_progress', 'upstream_invalid_response'],
    ['cancelled', 'upstream_error'],
    ['failed', 'upstream_error'],
  ])('%s stands alone, so that it can become a status', (status, code) => {
    expect(read([{ object: 'response', status, model: 'm', output: [], usage: { input_tokens: 1 } }])).toMatchObject([
      { type: 'failure', error: { code } },
    ]);
  });

  const message = (change: object): object => ({
    id: 'msg_0',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    ...change,
  });
  const call = (change: object): object => ({
    ...{ id: 'fc_0', type: 'function_call', call_id: 'call_0', name: 'f', arguments: '{}', status: 'completed' },
    ...change,
  });

  test.each<[string, object[], string, string]>([
    ['a text instead of a list', [message({ content: 'Hello' })], 'item-content', 'Hello'],
    ['parts of another name', [message({ content: [{ type: 'text', text: 'Hello' }] })], 'part-type', 'Hello'],
    ['no content', [message({ content: [] })], 'empty-message', ''],
    ['a call without an id', [call({ call_id: '' })], 'call-id', '{}'],
    ['an id that is too long', [call({ call_id: 'c'.repeat(65) })], 'call-id', '{}'],
    ['two calls of one id', [call({}), call({ id: 'fc_1' })], 'call-id', '{}{}'],
    ['two items of one id', [call({}), call({ call_id: 'call_1' })], 'item-id', '{}{}'],
    ['arguments that are no text', [call({ arguments: { a: 1 } })], 'arguments-sum', '{"a":1}'],
  ])('with %s is repaired, and that is told', (_name, output, rule, said) => {
    const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
    const events = read([{ object: 'response', id: 'r', status: 'completed', model: 'm', output, usage }]);
    expect(events.flatMap((event) => (event.type === 'loss' ? [event.loss] : []))).toContainEqual(toRepairLoss(rule as LintRule));
    expect(events.map((event) => ('delta' in event ? event.delta : '')).join('')).toBe(said);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  test.each([
    [{ error: { message: 'no', code: 'rate_limit_exceeded' } }, 'rate_limit_exceeded'],
    [{ code: 'invalid-argument', error: 'Incorrect words' }, 'upstream_error'],
    [{ detail: 'Not found' }, 'upstream_error'],
    [{ object: 'response.compaction', output: [] }, 'upstream_invalid_response'],
  ])('that is none: %j', (body, code) => {
    expect(read([body])).toMatchObject([{ type: 'failure', error: { code } }]);
  });
});

describe('calls that were cut', () => {
  const stream = streamOf(call('f', ['{"a":', '1}']));
  const cut = (status: string, text: string) => {
    const item = { id: 'fc_0', type: 'function_call', call_id: 'call_0', name: 'f', status, arguments: text };
    return stream.map((event) => {
      if (event['type'] === 'response.output_item.done') return { ...event, item };
      if (event['type'] === 'response.function_call_arguments.done') return { ...event, arguments: text };
      return event['type'] === 'response.completed'
        ? { ...event, response: { ...(event['response'] as object), output: [item] } }
        : event;
    });
  };
  const withoutLast = (events: readonly WireEvent[]) => events.filter(({ delta }) => delta !== '1}');

  test('never end, also where the server calls the answer complete', () => {
    const events = read(withoutLast(cut('incomplete', '{"a":')));
    expect(events.filter(({ type }) => type === 'call-end')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_truncated' } });
  });

  test('nor where the pieces happen to be JSON', () => {
    const end = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    const events = read(ended(cut('incomplete', '{"a":1}'), 'response.incomplete', end));
    expect(events.filter(({ type }) => type === 'call-end')).toEqual([]);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'length' });
  });

  test('one that nobody ended, but that is whole, ends', () => {
    const events = read(stream.filter(({ type }) => !/done$/.test(String(type))));
    expect(events).toContainEqual({ type: 'call-end', callId: 'call_0' });
  });

  test('one that nobody ended does not hold up what comes after it', () => {
    const both = streamOf(call('f', ['{}']), message(['after'])).filter(({ type, item }) => {
      const isCall = (item as WireEvent | undefined)?.['type'] === 'function_call';
      return !(type === 'response.output_item.done' && isCall);
    });
    const types = read(both).map(({ type }) => type);
    expect(types.indexOf('call-end')).toBeLessThan(types.indexOf('text-delta'));
  });

  test('other arguments than those that were streamed must not be run', () => {
    const events = read(cut('completed', '{"b":2}'));
    expect(events.filter(({ type }) => type === 'call-end')).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_invalid_response' } });
    expect(endOf(cut('completed', '{ "a": 1 }'))).toBe('stop');
  });

  test('one without a name cannot be told', () => {
    const nameless = JSON.parse(JSON.stringify(stream).replaceAll('"name":"f"', '"name":""')) as WireEvent[];
    expect(endOf(nameless)).toMatchObject(['upstream_invalid_response', expect.any(String)]);
  });
});

test('state that comes after others have spoken is a loss, not a stray item', () => {
  const stream = streamOf(reasoning([], 'sealed'), message(['Hello'])).filter(
    ({ type, item }) => !(type === 'response.output_item.done' && (item as WireEvent)['type'] === 'reasoning'),
  );
  const events = read(stream);
  expect(events.filter(({ type }) => type === 'reasoning-state')).toEqual([]);
  expect(events.some((event) => event.type === 'loss' && event.loss.reason.includes('wants back'))).toBe(true);
});

test('odd shapes do no harm', () => {
  const odd = [null, 5, 'x', [], {}, { type: 'response.output_item.added' }, { type: 'response.output_item.done', item: 7 }];
  const more = ['output_text.delta', 'output_text.done', 'content_part.done', 'function_call_arguments.delta', 'completed'].map(
    (name) => ({
      type: `response.${name}`,
      delta: {},
      part: 1,
      response: [],
    }),
  );
  expect(endOf([...odd, ...more])).toBe('stop');
});
