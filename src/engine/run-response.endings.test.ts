import { describe, expect, test } from 'vitest';
import { newEngine, runOnce } from '../../test/doubles/engine-deps.ts';
import { ScriptedBackend } from '../../test/doubles/scripted-backend.ts';
import { GatewayError } from '../model/errors.ts';
import type { ModelEvent, TokenUsage } from '../model/model-event.ts';
import type { FunctionToolParam } from '../protocol/responses/request.ts';
import { replayResponse } from './replay-response.ts';

const text = (delta: string): ModelEvent => ({ type: 'text-delta', delta });
const stop: ModelEvent = { type: 'finish', reason: 'stop' };
const counted = (usage: TokenUsage): ModelEvent => ({ type: 'usage', usage });
const call = (callId: string, name: string, delta = '{"a":1}'): ModelEvent[] => [
  { type: 'call-start', callId, name },
  { type: 'call-delta', callId, delta },
  { type: 'call-end', callId },
];
const tools: FunctionToolParam[] = ['look', 'search'].map((name) => ({
  ...{ type: 'function', name, description: null },
  ...{ parameters: { type: 'object' }, strict: false },
}));

describe('an answer that turns out to be broken', () => {
  test('is the failure of the run, so that a client without a stream gets it as an HTTP status', async () => {
    const backend = new ScriptedBackend({ batches: [[...call('c', 'look', '[1]')], [stop]] });
    const { response, run } = await runOnce(newEngine(backend), { tools });
    expect(response).toMatchObject({ status: 'failed', error: { code: 'invalid_tool_arguments' } });
    expect(run.failure?.code).toBe('invalid_tool_arguments');
  });

  test('is ended at once: the model server, which goes on, is left', async () => {
    const backend = new ScriptedBackend({ batches: [call('c', 'look', '[1]')], stalls: true });
    const { response } = await runOnce(newEngine(backend), { tools });
    expect(response.error?.code).toBe('invalid_tool_arguments');
  });

  test('keeps its losses when it is cut', async () => {
    const cut = new GatewayError('upstream_truncated', 'cut');
    const backend = new ScriptedBackend({ batches: [[text('Hm.'), ...call('c', 'look')]], breaks: cut });
    const engine = newEngine(backend);
    const { response, run } = await runOnce(engine, { tools, tool_choice: 'none' });
    const dropped = [{ path: 'tool_choice', action: 'dropped' }];
    expect(run.lateLosses).toMatchObject(dropped);
    expect((await engine.store.loadResponse(response.id, 'local'))?.losses).toMatchObject(dropped);
  });
});

test('the usage of two model calls is added up, also when a server reports it in pieces', async () => {
  const pieces = (input: number, output: number): ModelEvent[] => [
    counted({ inputTokens: input, outputTokens: 1 }),
    counted({ outputTokens: output }),
  ];
  const engine = newEngine(
    new ScriptedBackend(
      { batches: [[text('No.'), ...pieces(10, 4), stop]] },
      { batches: [[...call('c', 'look'), ...pieces(12, 5), stop]] },
    ),
  );
  const { response, events } = await runOnce(engine, { tools, tool_choice: 'required' });
  expect(response.usage).toMatchObject({ input_tokens: 22, output_tokens: 9, total_tokens: 31 });
  const stored = await engine.store.loadResponse(response.id, 'local');
  if (stored === undefined) throw new Error('not stored');
  expect(JSON.stringify(replayResponse(stored, null))).toBe(JSON.stringify(events));
});

test('a server that gives every call the same id: what was suppressed does not swallow the call after it', async () => {
  const backend = new ScriptedBackend({ batches: [[...call('call_0', 'search'), ...call('call_0', 'look'), stop]] });
  const { response } = await runOnce(newEngine(backend), { tools, tool_choice: { type: 'function', name: 'look' } });
  expect(response).toMatchObject({ status: 'completed', output: [{ name: 'look', arguments: '{"a":1}' }] });
});

test('a search by the server itself is a call too', async () => {
  const search: ModelEvent = { type: 'web-search', queries: ['weather'], sources: [] };
  const backend = new ScriptedBackend({ batches: [[search, text('Sunny.'), stop]] });
  const { response } = await runOnce(newEngine(backend), {
    tool_choice: 'required',
    tools: [{ type: 'other', toolType: 'web_search', raw: { type: 'web_search' } }],
  });
  expect(response.status).toBe('completed');
  expect(backend.requests).toHaveLength(1);
});

test('nothing is stored for a client that left after the model had finished', async () => {
  const gone = new AbortController();
  const engine = newEngine(new ScriptedBackend({ batches: [[text('All of it'), stop]] }));
  const saved: string[] = [];
  const store = Object.create(engine.store) as typeof engine.store;
  store.saveResponse = async ({ id }) => void saved.push(id);
  // It leaves while the tokens are counted that the server did not report.
  const countTextTokens = async (): Promise<number> => {
    gone.abort();
    return 1;
  };
  await expect(runOnce({ ...engine, store, countTextTokens }, {}, { signals: { gone: gone.signal } })).rejects.toThrow();
  expect(saved).toEqual([]);
});
