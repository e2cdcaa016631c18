import { describe, expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { pushAll } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromAiSdkParts } from './from-ai-sdk-parts.ts';
import { toAiSdkParts } from './to-ai-sdk-parts.ts';

const usage = { inputTokens: { total: 9, noCache: 7, cacheRead: 2 }, outputTokens: { total: 4, text: 3, reasoning: 1 } };
const finish = { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: {} };
const meta = { fake: { signature: 's' } };

function read(parts: readonly unknown[], isStream = true): readonly ModelEvent[] {
  const stage = fromAiSdkParts({
    ...{ newId: counterId(), model: 'm', isStream },
    toolNames: createToolNames(['files.read'], { pattern: /^\w+$/, maxLength: 64 }),
    mapError: (error) => new GatewayError('upstream_error', String(error)),
    cleanMessage: (text) => text,
  });
  const events = [...pushAll(stage, parts), ...stage.end()];
  expect(checkModelEvents(events)).toEqual([]);
  return events;
}

const stateOf = (data: object): ModelEvent => ({
  type: 'reasoning-state',
  state: { format: 'ai-sdk', model: 'm', data: data as never },
});
const done: ModelEvent = { type: 'finish', reason: 'stop' };
const lossesOf = (events: readonly ModelEvent[]) => events.flatMap((event) => (event.type === 'loss' ? [event.loss] : []));

describe('text and thinking', () => {
  test('grow, with what the provider wants back behind them', () => {
    expect(
      read([
        { type: 'reasoning-start', id: 'r' },
        { type: 'reasoning-delta', id: 'r', delta: 'Hm' },
        { type: 'reasoning-delta', id: 'r', delta: '', providerMetadata: meta },
        { type: 'reasoning-end', id: 'r', providerMetadata: { fake: { id: 1 } } },
        { type: 'text-start', id: 't' },
        { type: 'text-delta', id: 't', delta: 'one ' },
        { type: 'text-end', id: 't' },
        { type: 'text-start', id: 'u' },
        { type: 'text-delta', id: 'u', delta: 'two' },
        { type: 'text-end', id: 'u', providerMetadata: meta },
        finish,
      ]),
    ).toEqual([
      { type: 'reasoning-delta', delta: 'Hm' },
      stateOf({ reasoning: { text: 'Hm', metadata: { fake: { signature: 's', id: 1 } } } }),
      { type: 'text-delta', delta: 'one ' },
      { type: 'text-delta', delta: 'two' },
      stateOf({ texts: [{ start: 4, length: 3, metadata: meta }] }),
      done,
    ]);
  });

  test('thinking without a word is kept when there is something in it', () => {
    const redacted = [
      { type: 'reasoning-start', id: 'r', providerMetadata: meta },
      { type: 'reasoning-end', id: 'r' },
    ];
    expect(read([...redacted, finish])).toEqual([stateOf({ reasoning: { text: '', metadata: meta } }), done]);
    expect(read([{ type: 'reasoning-start', id: 'r' }, { type: 'reasoning-end', id: 'r' }, finish])).toEqual([done]);
  });

  test('a whole answer is read like a stream', () => {
    const content = [
      { type: 'reasoning', text: 'Hm', providerMetadata: meta },
      { type: 'text', text: 'Yes' },
      { type: 'tool-call', toolCallId: 'c', toolName: 'f', input: '{}' },
    ];
    const whole = {
      content,
      finishReason: { unified: 'tool-calls', raw: 'x' },
      usage,
      warnings: [],
      response: { modelId: 'm-1' },
    };
    expect(read(toAiSdkParts(whole), false)).toEqual([
      { type: 'served-model', model: 'm-1' },
      { type: 'reasoning-delta', delta: 'Hm' },
      stateOf({ reasoning: { text: 'Hm', metadata: meta } }),
      { type: 'text-delta', delta: 'Yes' },
      { type: 'call-start', callId: 'c', name: 'f' },
      { type: 'call-delta', callId: 'c', delta: '{}' },
      { type: 'call-end', callId: 'c' },
      { type: 'usage', usage: { inputTokens: 9, cachedTokens: 2, outputTokens: 4, reasoningTokens: 1 } },
      done,
    ]);
  });
});

describe('calls', () => {
  const start = (id: string, more: object = {}) => ({ type: 'tool-input-start', id, toolName: 'f', ...more });
  const delta = (id: string, text: string) => ({ type: 'tool-input-delta', id, delta: text });
  const whole = (id: string, input: unknown, more: object = {}) => ({
    ...{ type: 'tool-call', toolCallId: id, toolName: 'f', input },
    ...more,
  });
  const argumentsOf = (events: readonly ModelEvent[]) => {
    const calls: { [id: string]: string } = {};
    for (const event of events) {
      if (event.type === 'call-start') calls[event.callId] = '';
      if (event.type === 'call-delta') calls[event.callId] = `${calls[event.callId] ?? ''}${event.delta}`;
      if (event.type === 'call-end') calls[event.callId] = `${calls[event.callId] ?? ''}.`;
    }
    return calls;
  };

  test('grow by deltas and end with the whole call', () => {
    const parts = [start('a'), delta('a', '{"x"'), start('b'), delta('a', ':1}'), { type: 'tool-input-end', id: 'a' }];
    expect(argumentsOf(read([...parts, whole('a', '{"x":1}'), whole('b', '{"y":2}'), finish]))).toEqual({
      a: '{"x":1}.',
      b: '{"y":2}.',
    });
  });

  test('come whole, as an object, or without anything', () => {
    expect(argumentsOf(read([whole('a', '{"x":1}'), whole('b', { y: 2 }), whole('c', ''), finish]))).toEqual({
      ...{ a: '{"x":1}.', b: '{"y":2}.', c: '{}.' },
    });
  });

  test('have ids of their own, and the client’s name', () => {
    const alias = createToolNames(['files.read'], { pattern: /^\w+$/, maxLength: 64 }).toAlias('files.read');
    const events = read([
      whole('', '{"x":1}', { toolName: alias }),
      whole('', '{"x":2}'),
      whole('a', '{}'),
      whole('a', '{"x":3}'),
      finish,
    ]);
    expect(events.flatMap((event) => (event.type === 'call-start' ? [[event.callId, event.name]] : []))).toEqual([
      ...[
        ['call_1', 'files.read'],
        ['call_2', 'f'],
        ['a', 'f'],
        ['call_3', 'f'],
      ],
    ]);
    // Told twice, made once.
    expect(argumentsOf(read([whole('a', '{}'), whole('a', '{}'), finish]))).toEqual({ a: '{}.' });
  });

  test('raw text is no JSON: the call itself brings it', () => {
    const parts = [
      start('a', { inputEncoding: 'text' }),
      delta('a', 'ls'),
      { type: 'tool-input-end', id: 'a' },
      whole('a', '"ls"'),
    ];
    expect(argumentsOf(read([...parts, finish]))).toEqual({ a: '"ls".' });
  });

  test('metadata stands before the call where it is known by then, else at the end', () => {
    const early = read([
      start('a', { providerMetadata: meta }),
      delta('a', '{}'),
      whole('a', '{}', { providerMetadata: meta }),
      finish,
    ]);
    expect(early[0]).toEqual(stateOf({ calls: { a: meta } }));
    expect(early.filter(({ type }) => type === 'reasoning-state')).toHaveLength(1);
    const late = read([start('a'), delta('a', '{}'), whole('a', '{}', { providerMetadata: meta }), finish]);
    expect(late.slice(-2)).toEqual([stateOf({ calls: { a: meta } }), done]);
  });

  test('that are cut have no end', () => {
    const parts = [start('a'), delta('a', '{"x"')];
    expect(read([...parts, finish]).at(-1)).toMatchObject({ type: 'failure', error: { code: 'upstream_truncated' } });
    const limit = read([...parts, { ...finish, finishReason: { unified: 'length', raw: 'length' } }]);
    expect(limit.at(-1)).toEqual({ type: 'finish', reason: 'length' });
    expect(argumentsOf(limit)).toEqual({ a: '{"x"' });
    // Whole, though nobody said so.
    expect(argumentsOf(read([...parts, delta('a', ':1}'), finish]))).toEqual({ a: '{"x":1}.' });
  });
});

describe('what a provider does by itself', () => {
  const hosted = { providerExecuted: true, toolCallId: 's' };

  test('searches of the web are shown, other tools are losses', () => {
    const parts = [
      { type: 'tool-input-start', id: 's', toolName: 'web_search', providerExecuted: true },
      { type: 'tool-input-delta', id: 's', delta: '{"query"' },
      { type: 'tool-call', ...hosted, toolName: 'web_search', input: '{"query":"cats"}' },
      { type: 'tool-result', ...hosted, toolName: 'web_search', result: [{ url: 'https://cats.example' }] },
      { type: 'tool-call', ...hosted, toolCallId: 'x', toolName: 'code_execution', input: '{}' },
      { type: 'tool-result', ...hosted, toolCallId: 'x', toolName: 'code_execution', result: {} },
      { type: 'tool-approval-request', approvalId: 'a', toolCallId: 'x' },
    ];
    const events = read([...parts, finish]);
    expect(events[0]).toEqual({ type: 'web-search', queries: ['cats'], sources: ['https://cats.example'] });
    expect(lossesOf(events)).toHaveLength(2);
    expect(lossesOf(events)[0]?.reason).toContain('code_execution');
    const unanswered = [{ type: 'tool-call', ...hosted, toolName: 'web_search', input: '' }];
    expect(read([...unanswered, finish])[0]).toEqual({ type: 'web-search', queries: [], sources: [] });
  });

  test('sources are annotations at the text written so far, also those that come before it', () => {
    const source = (url: string) => ({ type: 'source', sourceType: 'url', id: '1', url, title: `Title of ${url}` });
    const events = read([
      source('https://a.example'),
      { type: 'text-delta', id: 't', delta: 'Hello' },
      source('https://b.example'),
      source('https://a.example'),
      finish,
    ]);
    expect(events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : []))).toEqual([
      { url: 'https://a.example', title: 'Title of https://a.example', startIndex: 5, endIndex: 5 },
      { url: 'https://b.example', title: 'Title of https://b.example', startIndex: 5, endIndex: 5 },
    ]);
    expect(lossesOf(read([source('https://a.example'), finish]))).toHaveLength(1);
  });

  test('files, documents and parts of unknown types are losses, once each; raw chunks are none', () => {
    const odd = { type: 'telepathy' };
    const parts = [{ type: 'raw', rawValue: 1 }, { type: 'file', mediaType: 'image/png', data: '' }, odd, odd, 7, null];
    const events = read([...parts, { type: 'source', sourceType: 'document', title: 'x' }, finish]);
    expect(lossesOf(events).map(({ path }) => path)).toEqual(['output', 'output', 'output']);
  });

  test('warnings are losses at the setting they are about', () => {
    const warnings = [
      { type: 'unsupported', feature: 'topK' },
      { type: 'unsupported', feature: 'responseFormat', details: 'no schema' },
      { type: 'compatibility', feature: 'x' },
      { type: 'other', message: 'Hear me.' },
    ];
    expect(lossesOf(read([{ type: 'stream-start', warnings }, finish]))).toEqual([
      { path: 'top_k', action: 'dropped', reason: 'the provider warns: topK' },
      { path: 'text.format', action: 'dropped', reason: 'the provider warns: responseFormat: no schema' },
      { path: 'input', action: 'approximated', reason: 'the provider warns: x' },
      { path: 'input', action: 'approximated', reason: 'the provider warns: Hear me.' },
    ]);
  });
});

describe('the end', () => {
  const text = { type: 'text-delta', id: 't', delta: 'Hi' };
  const ending = (unified: string, raw?: string) => ({ ...finish, finishReason: { unified, raw } });

  test.each([
    ['length', 'length'],
    ['content-filter', 'content-filter'],
    ['tool-calls', 'stop'],
  ])('%s', (unified, reason) => {
    expect(read([text, ending(unified, 'x')]).at(-1)).toEqual({ type: 'finish', reason });
  });

  test('without a reason a stream was cut, and a whole answer was not', () => {
    expect(read([text, ending('other')]).at(-1)).toMatchObject({ error: { code: 'upstream_truncated' } });
    expect(read([text, ending('other')], false).at(-1)).toEqual(done);
    expect(read([text, ending('other', 'odd')]).at(-1)).toEqual(done);
    expect(read([ending('other', 'odd')]).at(-1)).toMatchObject({ error: { code: 'upstream_error' } });
    expect(read([text]).at(-1)).toMatchObject({ error: { code: 'upstream_truncated' } });
    expect(read([])).toMatchObject([{ error: { code: 'upstream_invalid_response' } }]);
  });

  test('by an error is a failure, and nothing comes after it', () => {
    expect(read([text, { type: 'error', error: 'no' }, text, finish]).slice(1)).toMatchObject([{ type: 'failure' }]);
    expect(read([text, ending('error', 'x')]).at(-1)).toMatchObject({ type: 'failure' });
  });

  test('by one of the request’s texts says by which, where the provider does', () => {
    expect(read([text, { ...finish, providerMetadata: { anthropic: { stopSequence: 'END' } } }]).slice(-2)).toEqual([
      { type: 'stop-sequence', sequence: 'END' },
      done,
    ]);
  });
});
