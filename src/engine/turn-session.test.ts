import { describe, expect, test } from 'vitest';
import { newEngine, runOnce } from '../../test/doubles/engine-deps.ts';
import { ScriptedBackend, type Script } from '../../test/doubles/scripted-backend.ts';
import type { ModelEvent } from '../model/model-event.ts';
import type { InputFunctionCallOutput, InputItemParam, InputMessage } from '../protocol/responses/items.ts';

const stop: ModelEvent[] = [
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];
const text = (delta: string): ModelEvent => ({ type: 'text-delta', delta });
const signature = (data: string): ModelEvent => ({ type: 'reasoning-state', state: { format: 'scripted', model: 'one', data } });
const call = (callId: string): ModelEvent[] => [
  { type: 'call-start', callId, name: 'look' },
  { type: 'call-delta', callId, delta: '{}' },
  { type: 'call-end', callId },
];
const plays = (...events: ModelEvent[]): Script => ({ batches: [[...events, ...stop]] });
const user = (text: string): InputMessage => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const output = (call_id: string): InputFunctionCallOutput => ({ type: 'function_call_output', call_id, output: 'seen' });

/** The kinds of items that a call brought: inherited ones, then the request's own. */
function split(backend: ScriptedBackend, at: number): [string[], string[]] {
  const request = backend.requests[at];
  const kinds = (request?.input ?? []).map(({ type }) => type);
  const count = request?.session?.inheritedItems ?? -1;
  return [kinds.slice(0, count), kinds.slice(count)];
}

describe('where a turn stands', () => {
  test('is told to the backend: the owner, its own response, the one before, the conversation', async () => {
    const backend = new ScriptedBackend(plays(text('Hi')));
    const engine = newEngine(backend);
    const first = await runOnce(engine, { conversation: 'c' });
    const second = await runOnce(engine, { conversation: 'c' });
    const branch = await runOnce(engine, { previous_response_id: first.response.id });
    const alone = await runOnce(engine, { store: false });
    const facts = { owner: 'local', inheritedItems: 2 };
    const ids = [first, second, branch, alone].map(({ response }) => response.id);
    expect(backend.requests.map(({ session }) => session)).toEqual([
      { ...facts, responseId: ids[0], previousResponseId: null, conversation: 'c', inheritedItems: 0 },
      { ...facts, responseId: ids[1], previousResponseId: ids[0], conversation: 'c' },
      { ...facts, responseId: ids[2], previousResponseId: ids[0], conversation: null },
      { ...facts, responseId: ids[3], previousResponseId: null, conversation: null, inheritedItems: 0 },
    ]);
  });

  test('counts what the chain brings after translation: several states of one thinking, nothing for what says nothing', async () => {
    const backend = new ScriptedBackend(
      plays(signature('a'), signature('b'), ...call('call_1'), ...call('call_2')),
      plays(text('')),
      plays(text('Done')),
    );
    const engine = newEngine(backend);
    const first = await runOnce(engine, { input: [user('Look'), { type: 'message', role: 'user', content: [] }] });
    const given = [output('call_2'), output('call_1')];
    const second = await runOnce(engine, { previous_response_id: first.response.id, input: given });
    expect(split(backend, 1)).toEqual([
      ['message', 'reasoning', 'reasoning', 'call', 'call'],
      ['call-output', 'call-output'],
    ]);
    await runOnce(engine, { previous_response_id: second.response.id, input: [user('And?')] });
    expect(split(backend, 2)).toEqual([
      ['message', 'reasoning', 'reasoning', 'call', 'call', 'call-output', 'call-output'],
      ['message'],
    ]);
  });

  test('counts nothing twice when the client sends the history once more', async () => {
    const backend = new ScriptedBackend(plays(...call('call_1')), plays(text('Done')));
    const engine = newEngine(backend);
    const { response } = await runOnce(engine, { input: [user('Look')] });
    const again = response.output.map((item) => item as InputItemParam);
    await runOnce(engine, { previous_response_id: response.id, input: [...again, output('call_1')] });
    expect(split(backend, 1)).toEqual([['message', 'call'], ['call-output']]);
  });

  test('is the same when the model is asked once more', async () => {
    const backend = new ScriptedBackend(plays(text('No call')), plays(...call('call_1')));
    const engine = newEngine(backend);
    const look = { type: 'function' as const, name: 'look', description: null, parameters: null, strict: false };
    const { response } = await runOnce(engine, { conversation: 'c', tools: [look], tool_choice: 'required' });
    expect(response.status).toBe('completed');
    expect(backend.requests).toHaveLength(2);
    expect(backend.requests[1]?.session).toEqual(backend.requests[0]?.session);
  });
});

test('a backend may take its time to prepare a turn', async () => {
  const backend = new ScriptedBackend(plays(text('Hi')));
  const engine = newEngine({
    name: 'slow',
    close: () => backend.close(),
    listModels: () => backend.listModels(),
    countInputTokens: () => backend.countInputTokens(),
    prepareTurn: async (request) => {
      await new Promise((resolve) => setImmediate(resolve));
      return backend.prepareTurn(request);
    },
  });
  const { response } = await runOnce(engine);
  expect(response.status).toBe('completed');
});
