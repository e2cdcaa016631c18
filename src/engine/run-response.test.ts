import { describe, expect, test } from 'vitest';
import { newEngine, runOnce } from '../../test/doubles/engine-deps.ts';
import { ScriptedBackend, type Script } from '../../test/doubles/scripted-backend.ts';
import { GatewayError } from '../model/errors.ts';
import type { ModelEvent } from '../model/model-event.ts';
import type { FunctionToolParam } from '../protocol/responses/request.ts';
import { replayResponse } from './replay-response.ts';

const text = (delta: string): ModelEvent => ({ type: 'text-delta', delta });
const stop: ModelEvent = { type: 'finish', reason: 'stop' };
const usage: ModelEvent = { type: 'usage', usage: { inputTokens: 10, outputTokens: 4, totalTokens: 14 } };
const call = (callId: string, name: string): ModelEvent[] => [
  { type: 'call-start', callId, name },
  { type: 'call-delta', callId, delta: '{"a":1}' },
  { type: 'call-end', callId },
];
const tool = (name: string): FunctionToolParam => ({
  type: 'function',
  name,
  description: null,
  parameters: { type: 'object' },
  strict: false,
});
const tools = [tool('look'), tool('search')];

describe('a response', () => {
  test('is durable before its terminal event', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [[text('Hi')], [usage, stop]] }));
    let storedBeforeEnd = false;
    const { response } = await runOnce(
      engine,
      {},
      {
        onBatch: (run) => {
          storedBeforeEnd ||= run.isEnded;
          return undefined;
        },
      },
    );
    expect(storedBeforeEnd).toBe(true);
    const stored = await engine.store.loadResponse(response.id, 'local');
    expect(stored?.response).toEqual(response);
    expect(response).toMatchObject({
      status: 'completed',
      usage: { total_tokens: 14 },
      completed_at: 1000,
      service_tier: 'default',
    });
  });

  test('is replayed from the store as it was streamed', async () => {
    const engine = newEngine(
      new ScriptedBackend({ batches: [[text('H'), text('i 😀')], ...[call('call_1', 'look')], [usage, stop]] }),
    );
    const { events, response } = await runOnce(engine, {}, { onBatch: (run) => run.keepAlive() });
    const stored = await engine.store.loadResponse(response.id, 'local');
    if (stored === undefined) throw new Error('not stored');
    expect(events.filter(({ type }) => type === 'response.in_progress').length).toBeGreaterThan(1);
    expect(JSON.stringify(replayResponse(stored, null))).toBe(JSON.stringify(events));
  });

  test('is not stored with store: false', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [[text('Hi'), usage, stop]] }));
    const { response } = await runOnce(engine, { store: false });
    expect(await engine.store.loadResponse(response.id, 'local')).toBeUndefined();
  });

  test('gets estimated usage when the backend reports none, and says so', async () => {
    const { response, run } = await runOnce(newEngine(new ScriptedBackend({ batches: [[text('one two three'), stop]] })));
    expect(response.usage).toMatchObject({ input_tokens: 5, output_tokens: 3, total_tokens: 8 });
    expect(run.lateLosses).toMatchObject([{ path: 'usage', action: 'estimated' }]);
  });

  test('that cannot be stored has failed', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [[text('All of it'), usage, stop]] }));
    const store = Object.create(engine.store) as typeof engine.store;
    store.saveResponse = () => Promise.reject(new GatewayError('storage_full', 'The disk is full.'));
    const { response, run } = await runOnce({ ...engine, store });
    expect(response).toMatchObject({
      status: 'failed',
      error: { code: 'storage_full' },
      output: [{ content: [{ text: 'All of it' }] }],
    });
    expect(run.failure?.code).toBe('storage_full');
  });
});

describe('trouble', () => {
  test('before the call is accepted is thrown, so that it can be an HTTP status', async () => {
    const refuses = new GatewayError('rate_limit_exceeded', 'Slow down.', { retryAfter: 3 });
    await expect(runOnce(newEngine(new ScriptedBackend({ refuses })))).rejects.toBe(refuses);
  });

  test.each<[string, Script, string]>([
    ['a thrown error', { breaks: new GatewayError('upstream_truncated', 'cut') }, 'upstream_truncated'],
    ['a stranger', { breaks: new TypeError('secret detail') }, 'server_error'],
    ['just the end', {}, 'upstream_truncated'],
    [
      'a failure event',
      { batches: [[text('Half'), { type: 'failure', error: new GatewayError('upstream_error', 'no') }]] },
      'upstream_error',
    ],
  ])('after it – %s – is response.failed with what there was', async (_case, script, code) => {
    const { response } = await runOnce(newEngine(new ScriptedBackend({ batches: [[text('Half')]], ...script })));
    expect(response).toMatchObject({
      status: 'failed',
      error: { code },
      output: [{ status: 'incomplete', content: [{ text: 'Half' }] }],
    });
    expect(JSON.stringify(response)).not.toContain('secret detail');
  });

  test.each([
    [
      'keeps what there is as incomplete',
      2,
      { status: 'incomplete', incomplete_details: { reason: 'timeout' }, output: [{ status: 'incomplete' }] },
    ],
    ['is a failure when there is nothing', 1, { status: 'failed', error: { code: 'upstream_timeout' }, output: [] }],
  ])('the deadline %s', async (_case, batches, expected) => {
    const deadline = new AbortController();
    const backend = new ScriptedBackend({ batches: batches === 2 ? [[text('Half')]] : [], stalls: true });
    let seen = 0;
    const onBatch = (): undefined => {
      if (++seen === batches) deadline.abort();
    };
    const { response } = await runOnce(newEngine(backend), {}, { signals: { deadline: deadline.signal }, onBatch });
    expect(response).toMatchObject(expected);
    expect(backend.aborted).toBe(1);
  });

  test('a client that left breaks the call off, and nothing is stored', async () => {
    const gone = new AbortController();
    const backend = new ScriptedBackend({ batches: [[text('Half')]], stalls: true });
    const engine = newEngine(backend);
    const onBatch = (): undefined => {
      gone.abort();
    };
    await expect(runOnce(engine, {}, { signals: { gone: gone.signal }, onBatch })).rejects.toThrow();
    expect(backend.aborted).toBe(1);
  });
});

describe('tool_choice is true whatever the backend does', () => {
  test('none: a call is suppressed, text is kept', async () => {
    const { response, run } = await runOnce(
      newEngine(new ScriptedBackend({ batches: [[text('Hm.'), ...call('c', 'look'), usage, stop]] })),
      { tools, tool_choice: 'none' },
    );
    expect(response.output.map(({ type }) => type)).toEqual(['message']);
    expect(run.lateLosses).toMatchObject([{ path: 'tool_choice', action: 'dropped' }]);
  });

  test('none with nothing but a call: asked again once, without tools', async () => {
    const backend = new ScriptedBackend(
      { batches: [[...call('c', 'look'), usage, stop]] },
      { batches: [[text('Fine.'), usage, stop]] },
    );
    const { response } = await runOnce(newEngine(backend), { tools, tool_choice: 'none' });
    expect(response).toMatchObject({
      status: 'completed',
      output: [{ type: 'message' }],
      usage: { input_tokens: 20, output_tokens: 8 },
    });
    expect(backend.requests[1]).toMatchObject({ tools: [] });
  });

  test('required: text alone is asked again, and the call follows', async () => {
    const backend = new ScriptedBackend(
      { batches: [[text('No.'), usage, stop]] },
      { batches: [[...call('c', 'look'), usage, stop]] },
    );
    const { response } = await runOnce(newEngine(backend), { tools, tool_choice: 'required' });
    expect(response.output.map(({ type }) => type)).toEqual(['message', 'function_call']);
    expect(backend.requests).toHaveLength(2);
  });

  test('required: never called, even when asked again, has failed with a clear code', async () => {
    const backend = new ScriptedBackend({ batches: [[text('No.'), usage, stop]] });
    const { response } = await runOnce(newEngine(backend), { tools, tool_choice: 'required' });
    expect(response).toMatchObject({ status: 'failed', error: { code: 'tool_choice_not_followed' } });
    expect(backend.requests).toHaveLength(2);
  });

  test('a named function: any other call is suppressed', async () => {
    const backend = new ScriptedBackend({ batches: [[...call('c', 'look'), ...call('d', 'search'), usage, stop]] });
    const { response } = await runOnce(newEngine(backend), { tools, tool_choice: { type: 'function', name: 'search' } });
    expect(response.output).toMatchObject([{ type: 'function_call', name: 'search' }]);
    expect(backend.requests[0]?.tools.map(({ name }) => name)).toEqual(['search']);
  });

  test('parallel_tool_calls: false keeps the first call only', async () => {
    const backend = new ScriptedBackend({ batches: [[...call('c', 'look'), ...call('d', 'search'), usage, stop]] });
    const { response, run } = await runOnce(newEngine(backend), { tools, parallel_tool_calls: false });
    expect(response.output).toMatchObject([{ name: 'look' }]);
    expect(run.lateLosses).toMatchObject([{ path: 'parallel_tool_calls' }]);
  });
});
