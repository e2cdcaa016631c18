import { describe, expect, test } from 'vitest';
import { local, newEngine, runOnce, type Ran } from '../../test/doubles/engine-deps.ts';
import { newTestRequest } from '../../test/doubles/new-test-response.ts';
import { ScriptedBackend, type Script } from '../../test/doubles/scripted-backend.ts';
import { GatewayError } from '../model/errors.ts';
import type { ModelEvent } from '../model/model-event.ts';
import type { InputMessage } from '../protocol/responses/items.ts';
import type { CreateResponseRequest } from '../protocol/responses/request.ts';
import type { EngineDeps } from './deps.ts';
import { countInputTokens, prepareResponse } from './prepare-response.ts';
import { ResponseRun } from './run-response.ts';

const stop: ModelEvent[] = [
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 1 } },
  { type: 'finish', reason: 'stop' },
];
const says = (text: string): Script => ({ batches: [[{ type: 'text-delta', delta: text }, ...stop]] });
const user = (text: string): InputMessage => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const head = async (engine: EngineDeps, owner = 'local'): Promise<string | undefined> =>
  (await engine.store.loadConversation('c', owner))?.headResponseId;

/** One turn of the conversation `c`. */
function turn(engine: EngineDeps, text: string, changes: Partial<CreateResponseRequest> = {}): Promise<Ran> {
  return runOnce(engine, { conversation: 'c', input: [user(text)], ...changes });
}

/** The texts that the backend was given in a call. */
function textsOf(backend: ScriptedBackend, call: number): string[] {
  return (backend.requests.at(call)?.input ?? []).flatMap((item) =>
    item.type === 'message' ? item.content.map((part) => (part.type === 'text' ? part.text : part.type)) : [item.type],
  );
}

describe('a conversation', () => {
  test('begins when it is named first, and goes on from turn to turn', async () => {
    const backend = new ScriptedBackend(says('Hi'), says('Fine'), says('Bye'));
    const engine = newEngine(backend);
    const first = await turn(engine, 'Hello');
    expect(first.response).toMatchObject({ status: 'completed', conversation: { id: 'c' }, previous_response_id: null });
    expect(first.events[0]).toMatchObject({ response: { conversation: { id: 'c' } } });
    const second = await turn(engine, 'How are you?');
    const third = await turn(engine, 'See you');
    expect(textsOf(backend, 2)).toEqual(['Hello', 'Hi', 'How are you?', 'Fine', 'See you']);
    expect(backend.requests[2]?.input[0]?.path).toBe('conversation');
    expect(third.response).toMatchObject({ conversation: { id: 'c' }, previous_response_id: null });
    expect(await head(engine)).toBe(third.response.id);
    expect(await engine.store.loadResponse(third.response.id, 'local')).toMatchObject({
      conversation: 'c',
      previousResponseId: second.response.id,
    });
    const plain = await runOnce(engine);
    expect(plain.response).not.toHaveProperty('conversation');
  });

  test('is left alone by a branch out of it, and a branch does not see what came later', async () => {
    const backend = new ScriptedBackend(says('Hi'), says('Fine'), says('Other'), says('Bye'));
    const engine = newEngine(backend);
    const first = await turn(engine, 'Hello');
    const second = await turn(engine, 'How are you?');
    const branch = await runOnce(engine, { previous_response_id: first.response.id, input: [user('Instead')] });
    expect(textsOf(backend, 2)).toEqual(['Hello', 'Hi', 'Instead']);
    expect(branch.response).not.toHaveProperty('conversation');
    expect(await head(engine)).toBe(second.response.id);
    await turn(engine, 'See you');
    expect(textsOf(backend, 3)).toEqual(['Hello', 'Hi', 'How are you?', 'Fine', 'See you']);
  });

  test('of one name is another one for each owner', async () => {
    const backend = new ScriptedBackend(says('Hi'));
    const engine = newEngine(backend);
    await turn(engine, 'Mine');
    const theirs = { owner: 'stranger', strict: false };
    await runOnce(engine, { conversation: 'c', input: [user('Theirs')] }, { context: theirs });
    expect(textsOf(backend, 1)).toEqual(['Theirs']);
    expect(await head(engine)).not.toBe(await head(engine, 'stranger'));
  });

  test('does not move when a turn fails, and moves when one is cut', async () => {
    const cut: Script = {
      batches: [
        [
          { type: 'text-delta', delta: 'Half' },
          { type: 'finish', reason: 'length' },
        ],
      ],
    };
    const backend = new ScriptedBackend(says('Hi'), { batches: [[]], breaks: new GatewayError('upstream_error', 'no') }, cut);
    const engine = newEngine(backend);
    const first = await turn(engine, 'Hello');
    const failed = await turn(engine, 'And?');
    expect(failed.response.status).toBe('failed');
    expect(await head(engine)).toBe(first.response.id);
    const half = await turn(engine, 'And now?');
    expect(half.response.status).toBe('incomplete');
    expect(await head(engine)).toBe(half.response.id);
    expect(textsOf(backend, 2)).toEqual(['Hello', 'Hi', 'And now?']);
  });

  test('whose chain has a gap says so instead of forgetting its beginning', async () => {
    const engine = newEngine(new ScriptedBackend(says('Hi')));
    const first = await turn(engine, 'Hello');
    await turn(engine, 'Again');
    await engine.store.removeResponse(first.response.id, 'local');
    await expect(turn(engine, 'And?')).rejects.toMatchObject({ code: 'previous_response_not_found', param: 'conversation' });
    await engine.store.removeConversation('c', 'local');
    expect((await turn(engine, 'Anew')).response.status).toBe('completed');
  });

  test('that is empty needs input; one that is not can be answered without', async () => {
    const backend = new ScriptedBackend(says('Hi'));
    const engine = newEngine(backend);
    const refusal = { code: 'missing_required_parameter', param: 'input' };
    await expect(turn(engine, '', { input: [] })).rejects.toMatchObject(refusal);
    await turn(engine, 'Hello');
    expect((await turn(engine, '', { input: [] })).response.status).toBe('completed');
  });

  test('stores its responses, also those that were not meant to be; strict clients are refused', async () => {
    const engine = newEngine(new ScriptedBackend(says('Hi')));
    const { response, run } = await turn(engine, 'Hello', { store: false });
    expect(response.store).toBe(true);
    expect(run.failure).toBeNull();
    const stored = await engine.store.loadResponse(response.id, 'local');
    expect(stored?.losses).toMatchObject([{ path: 'store', action: 'approximated' }]);
    const strict = { context: { owner: 'local', strict: true } };
    await expect(runOnce(engine, { conversation: 'c', store: false }, strict)).rejects.toMatchObject({ param: 'store' });
    expect((await turn(engine, 'And?')).response.status).toBe('completed');
  });

  test('counts tokens with its history, without waiting for its turn', async () => {
    const engine = newEngine(new ScriptedBackend(says('Hi there')));
    await turn(engine, 'Hello');
    await engine.conversationLock.enter({ owner: 'local', conversation: 'c' }, new AbortController().signal);
    const found = { context: local, signal: new AbortController().signal };
    const count = (conversation: string | null): Promise<{ inputTokens: number }> =>
      countInputTokens(newTestRequest({ conversation, input: [user('And?')] }), found, engine);
    const [withHistory, alone] = await Promise.all([count('c'), count(null)]);
    expect(withHistory.inputTokens).toBeGreaterThan(alone.inputTokens);
  });
});

describe('one turn at a time', () => {
  const never = new AbortController().signal;
  const found = { context: local, sessionKey: null, losses: [], gone: never };
  const request = newTestRequest({ conversation: 'c' });
  const isFree = async (engine: EngineDeps): Promise<void> => {
    (await engine.conversationLock.enter({ owner: 'local', conversation: 'c' }, never))();
  };

  test('eight clients on one conversation: all turns are in its chain, one after another', async () => {
    const backend = new ScriptedBackend(says('ok'));
    const engine = newEngine(backend);
    const rounds = Array.from({ length: 8 }, async (_, client) => {
      for (let round = 0; round < 20; round++) await turn(engine, `client ${String(client)} round ${String(round)}`);
    });
    await Promise.all(rounds);
    const chain = await engine.store.loadChain((await head(engine)) ?? '', 'local');
    expect(chain).toHaveLength(160);
    for (const [at, request] of backend.requests.entries()) expect(request.input).toHaveLength(2 * at + 1);
    const said = chain.flatMap(({ input }) => input.map((item) => JSON.stringify(item['content'])));
    expect(new Set(said).size).toBe(160);
  });

  test.each<[string, Script]>([
    ['a model server that refuses', { refuses: new GatewayError('rate_limit_exceeded', 'slow down') }],
    ['a model server that breaks', { batches: [[]], breaks: new Error('broken') }],
    ['an answer', says('Hi')],
  ])('the conversation is free after %s', async (_name, script) => {
    const engine = newEngine(new ScriptedBackend(script));
    await turn(engine, 'Hello').catch(() => undefined);
    await isFree(engine);
  });

  test('the conversation is free after a turn that could not be prepared', async () => {
    const backend = new ScriptedBackend();
    const engine = newEngine(backend);
    backend.prepareTurn = () => {
      throw new GatewayError('unsupported_value', 'no');
    };
    await expect(turn(engine, 'Hello')).rejects.toMatchObject({ code: 'unsupported_value' });
    await isFree(engine);
  });

  test('the conversation is free when the client has left, and the turn did not happen', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [[{ type: 'text-delta', delta: 'Hm' }]], stalls: true }));
    const leaving = new AbortController();
    const run = new ResponseRun(await prepareResponse(request, found, engine), { gone: leaving.signal, deadline: never }, engine);
    await run.events.next();
    await run.events.next();
    leaving.abort(new Error('left'));
    await expect(run.events.next()).rejects.toThrow('left');
    await isFree(engine);
    expect(await head(engine)).toBeUndefined();
  });

  test('the conversation is free when a delivery gives up half way', async () => {
    const engine = newEngine(new ScriptedBackend({ batches: [[]], stalls: true }));
    const run = new ResponseRun(await prepareResponse(request, found, engine), { gone: never, deadline: never }, engine);
    await run.events.next();
    await run.events.return(undefined);
    await isFree(engine);
  });

  test('a response that comes too late for a store which others use too has failed', async () => {
    const engine = newEngine(new ScriptedBackend(says('Hi')));
    // Another gateway on the same store has a lock of its own.
    const other = { ...newEngine(new ScriptedBackend(says('Hi')), engine.store) };
    const run = new ResponseRun(await prepareResponse(request, found, engine), { gone: never, deadline: never }, engine);
    const winner = await turn(other, 'Hello');
    for await (const batch of run.events) expect(batch.length).toBeGreaterThan(0);
    expect(run.response).toMatchObject({ status: 'failed', error: { code: 'conversation_locked', param: 'conversation' } });
    expect(await head(engine)).toBe(winner.response.id);
    expect(await engine.store.loadResponse(run.response.id, 'local')).toBeUndefined();
  });
});
