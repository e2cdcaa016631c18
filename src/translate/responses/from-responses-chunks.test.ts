import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { call, message, plainItem, reasoning, refusal, streamOf, textEvents } from '../../../test/doubles/responses-events.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromResponsesChunks, type FromResponsesOptions } from './from-responses-chunks.ts';

function read(chunks: readonly unknown[], options: Partial<FromResponsesOptions> = {}): ModelEvent[] {
  const stage = fromResponsesChunks({
    newId: counterId(),
    model: 'm',
    toolNames: createToolNames(['get.weather'], { pattern: /^[a-z_]+$/, maxLength: 64 }),
    customTools: new Set(['edit']),
    wantsLogprobs: false,
    cleanMessage: (text) => text,
    ...options,
  });
  const events = chunks.flatMap((chunk) => [...stage.push(chunk)]);
  return stage.settled ? events : [...events, ...stage.end()];
}

/** Without what every good stream brings. */
function said(events: readonly ModelEvent[]): ModelEvent[] {
  return events.filter(({ type }) => type !== 'served-model' && type !== 'usage' && type !== 'finish' && type !== 'loss');
}

function text(delta: string): ModelEvent {
  return { type: 'text-delta', delta };
}

const state = (data: object): ModelEvent => ({
  type: 'reasoning-state',
  state: { format: 'responses', model: 'm', data: data as Record<string, string> },
});

test('everything in order', () => {
  const stream = streamOf(
    reasoning([['hm', '…'], ['ok']], 'sealed'),
    message(['Hel', 'lo']),
    call('get_weather', ['{"a"', ':1}']),
  );
  expect(read(stream)).toEqual([
    { type: 'served-model', model: 'upstream-model' },
    { type: 'reasoning-delta', delta: 'hm' },
    { type: 'reasoning-delta', delta: '…' },
    { type: 'reasoning-break' },
    { type: 'reasoning-delta', delta: 'ok' },
    state({ id: 'rs_0', encrypted_content: 'sealed', summary: ['hm…', 'ok'] }),
    text('Hel'),
    text('lo'),
    { type: 'call-start', callId: 'call_2', name: 'get_weather' },
    { type: 'call-delta', callId: 'call_2', delta: '{"a"' },
    { type: 'call-delta', callId: 'call_2', delta: ':1}' },
    { type: 'call-end', callId: 'call_2' },
    { type: 'usage', usage: { inputTokens: 9, cachedTokens: 0, outputTokens: 4, reasoningTokens: 0, totalTokens: 13 } },
    { type: 'finish', reason: 'stop' },
  ]);
});

describe('what is said where nobody looks for it', () => {
  const whole = streamOf(message(['Hello']), call('f', ['{"a":1}']));
  const wanted = [
    text('Hello'),
    { type: 'call-start', callId: 'call_1', name: 'f' },
    { type: 'call-delta', callId: 'call_1', delta: '{"a":1}' },
    { type: 'call-end', callId: 'call_1' },
  ];

  test.each([
    ['only in the done events', /\.(delta)$/],
    ['only in the items', /\.delta$|text\.done|content_part|arguments/],
    ['only in the terminal event', /output_item|\.delta$|text\.done|content_part|arguments/],
    ['not in the terminal event', /nothing/],
  ])('%s', (_name, dropped) => {
    const left = structuredClone(whole).filter(({ type }) => !dropped.test(String(type)));
    if (dropped.source === 'nothing') (left.at(-1)?.['response'] as { output: unknown[] }).output = [];
    expect(said(read(left))).toEqual(wanted);
    expect(read(left).at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  test('the whole body alone', () => {
    expect(said(read([whole.at(-1)?.['response']]))).toEqual(wanted);
  });

  test('a name that comes with the end of the arguments', () => {
    const late = streamOf(call('f', ['{}'])).map((event) =>
      event['type'] === 'response.output_item.added'
        ? { ...event, item: { ...(event['item'] as object), name: undefined } }
        : event,
    );
    expect(said(read(late))).toEqual([
      { type: 'call-start', callId: 'call_0', name: 'f' },
      { type: 'call-delta', callId: 'call_0', delta: '{}' },
      { type: 'call-end', callId: 'call_0' },
    ]);
  });

  test('arguments that are an object', () => {
    const item = { id: 'fc_1', type: 'function_call', call_id: 'call_x', name: 'f', arguments: { a: 1 } };
    expect(said(read([{ object: 'response', status: 'completed', output: [item] }]))).toContainEqual({
      type: 'call-delta',
      callId: 'call_x',
      delta: '{"a":1}',
    });
  });
});

describe('ids and places', () => {
  test('ids that change with every event', () => {
    const stream = streamOf(message(['a', 'b']), message(['c']), call('f', ['{', '}'])).map((event, at) => {
      const item = event['item'] as object | undefined;
      return {
        ...event,
        ...('item_id' in event && { item_id: `x${String(at)}` }),
        ...(item && { item: { ...item, id: `y${String(at)}` } }),
      };
    });
    const events = said(read(stream));
    expect(events.slice(0, 4)).toEqual([text('a'), text('b'), { type: 'message-break' }, text('c')]);
    expect(events.filter(({ type }) => type === 'call-start')).toHaveLength(1);
  });

  test('no ids and no places', () => {
    const stream = streamOf(message(['a', 'b']), call('f', ['{}'])).map((event) => ({
      ...event,
      item_id: undefined,
      output_index: undefined,
    }));
    expect(said(read(stream)).map(({ type }) => type)).toEqual([
      'text-delta',
      'text-delta',
      'call-start',
      'call-delta',
      'call-end',
    ]);
  });

  test('two calls with one id, an id that is too long, none at all', () => {
    const item = (callId: string) => ({
      type: 'function_call',
      call_id: callId,
      name: 'f',
      arguments: '{}',
      status: 'completed',
    });
    const output = [item('same'), item('same'), item('x'.repeat(65)), item('')];
    const ids = read([{ object: 'response', status: 'completed', output }]).flatMap((event) =>
      event.type === 'call-start' ? [event.callId] : [],
    );
    expect(ids).toEqual(['same', 'call_1', 'call_2', 'call_3']);
  });

  test('aliases of tools are theirs again', () => {
    const alias = createToolNames(['get.weather'], { pattern: /^[a-z_]+$/, maxLength: 64 }).toAlias('get.weather');
    expect(read(streamOf(call(alias, ['{}'])))).toContainEqual({ type: 'call-start', callId: 'call_0', name: 'get.weather' });
  });
});

test('thinking in the clear is thinking, and goes back as such', () => {
  const at = { item_id: 'rs_0', output_index: 0, content_index: 0 };
  const item = { id: 'rs_0', type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hmm' }] };
  const stream = [
    { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
    { type: 'response.reasoning_text.delta', ...at, delta: 'h' },
    { type: 'response.reasoning_text.delta', ...at, delta: 'mm' },
    { type: 'response.reasoning_text.done', ...at, text: 'hmm' },
    { type: 'response.output_item.done', output_index: 0, item },
    ...textEvents(['ok']).slice(2),
  ];
  expect(said(read(stream))).toEqual([
    { type: 'reasoning-delta', delta: 'h' },
    { type: 'reasoning-delta', delta: 'mm' },
    state({ id: 'rs_0', content: ['hmm'], summary: [] }),
    text('ok'),
  ]);
});

test('refusals, and text beside them', () => {
  expect(said(read(streamOf(refusal(['I ', 'cannot']))))).toEqual([
    { type: 'refusal-delta', delta: 'I ' },
    { type: 'refusal-delta', delta: 'cannot' },
  ]);
  const content = [
    { type: 'refusal', refusal: 'no' },
    { type: 'output_text', text: 'but' },
  ];
  const body = { object: 'response', status: 'completed', output: [{ type: 'message', content }] };
  expect(said(read([body]))).toEqual([{ type: 'refusal-delta', delta: 'no' }, text('but')]);
});

test('log probabilities only for who wants them', () => {
  const logprobs = [{ token: 'a', logprob: -0.5, top_logprobs: [{ token: 'b', logprob: -2 }] }];
  const stream = textEvents(['a']).map((event) =>
    event['type'] === 'response.output_text.delta' ? { ...event, logprobs } : event,
  );
  expect(said(read(stream))).toEqual([text('a')]);
  const kept = { token: 'a', logprob: -0.5, bytes: [97], topLogprobs: [{ token: 'b', logprob: -2, bytes: [98] }] };
  expect(said(read(stream, { wantsLogprobs: true }))).toEqual([{ type: 'text-delta', delta: 'a', logprobs: [kept] }]);
});

describe('tools that are no functions', () => {
  const search = (action: object) => plainItem({ id: 'ws_1', type: 'web_search_call', status: 'completed', action });
  const lossesOf = (events: readonly ModelEvent[]) =>
    events.flatMap((event) => (event.type === 'loss' ? [event.loss.reason] : []));

  test('a web search is told with its queries and sources', () => {
    const action = { type: 'search', query: 'a', queries: ['a', 'b'], sources: [{ type: 'url', url: 'https://example.org' }] };
    expect(said(read(streamOf(search(action))))).toEqual([
      { type: 'web-search', queries: ['a', 'b'], sources: ['https://example.org'] },
    ]);
    expect(said(read(streamOf(search({ type: 'search', query: 'a' }))))).toEqual([
      { type: 'web-search', queries: ['a'], sources: [] },
    ]);
    expect(lossesOf(read(streamOf(search({ type: 'open_page', url: 'https://example.org' }))))).toHaveLength(1);
  });

  test('a freeform call of the client is a function call; one of the server is told once', () => {
    const custom = (name: string) =>
      plainItem({ id: `ctc_${name}`, type: 'custom_tool_call', call_id: `c_${name}`, name, input: 'x\ny' });
    const events = read(streamOf(custom('edit'), custom('x_search'), custom('x_search')));
    expect(said(events)).toEqual([
      { type: 'call-start', callId: 'c_edit', name: 'edit' },
      { type: 'call-delta', callId: 'c_edit', delta: '{"input":"x\\ny"}' },
      { type: 'call-end', callId: 'c_edit' },
    ]);
    expect(lossesOf(events).filter((reason) => reason.includes('custom_tool_call'))).toHaveLength(1);
  });

  test('other items are told once a type', () => {
    const item = (id: string) => plainItem({ id, type: 'code_interpreter_call', status: 'completed' });
    const events = read(streamOf(item('a'), item('b'), message(['done'])));
    expect(lossesOf(events)).toEqual(['the model used a tool of its server; items of type code_interpreter_call are not shown']);
    expect(said(events)).toEqual([text('done')]);
  });
});
