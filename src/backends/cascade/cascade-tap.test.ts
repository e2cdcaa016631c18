import { describe, expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { plainRequest } from '../../../test/backend-suite.ts';
import { assistantItem, errorOfTurn, openCascadeBench, playTurn, turnOf, userItem } from '../../../test/doubles/cascade-turns.ts';
import { answerStep, growingStep, stepOf, userStep, type Frame } from '../../../test/doubles/scripted-agent-server.ts';
import { ScriptedTap, type ScriptedTapTurn } from '../../../test/doubles/scripted-tap.ts';
import { GatewayError } from '../../model/errors.ts';
import type { InputItem, ModelRequest } from '../../model/model-request.ts';

const tool = { name: 'get_weather', description: 'x', parameters: null, strict: false, path: 'tools[0]' };
const callEvents = [
  { type: 'call-start', callId: 'c1', name: 'get_weather' },
  { type: 'call-delta', callId: 'c1', delta: '{}' },
  { type: 'call-end', callId: 'c1' },
] as const;
const said = (delta: string) => ({ type: 'text-delta', delta }) as const;
const usage = { type: 'usage', usage: { inputTokens: 9, outputTokens: 4 } } as const;

/** A turn in which the tap sees what `see` says before the agent shows its frames. */
async function play(frames: readonly Frame[], see: (turn: ScriptedTapTurn) => void, change: Partial<ModelRequest> = {}) {
  const tap = new ScriptedTap();
  const bench = openCascadeBench({ tap });
  bench.server.answer = () => {
    const turn = tap.turns.at(-1);
    if (turn !== undefined) see(turn);
    return frames;
  };
  return { ...bench, tap, turn: await playTurn(bench.backend, plainRequest('one', 'Hi', change)) };
}

const idle: Frame = { status: 'IDLE', steps: [userStep, answerStep('placeholder')] };

describe('with a tap', () => {
  test("events, usage and the end are the model's own; the agent's text is never shown", async () => {
    const { turn, server, tap } = await play([idle], (seen) => {
      seen.see([said('It is sunny.'), usage], { mainCalls: 1, hasOutput: true, finish: 'length' });
    });
    expect(turn.events).toEqual([said('It is sunny.'), usage, { type: 'finish', reason: 'length' }]);
    expect(server.messages[0]?.text).toBe('MARK\nHi');
    expect(tap.turns[0]?.settings).toMatchObject({ replayedItems: 0, ownTools: 'keep' });
    expect(tap.turns[0]?.isClosed).toBe(true);
  });

  test('what the user is notified of is shown beside it', async () => {
    const notice = stepOf('NOTIFY_USER', 'DONE', { notifyUser: { notificationContent: 'Attention' } });
    const { turn } = await play([{ status: 'IDLE', steps: [answerStep('Known'), notice] }], (seen) => {
      seen.see([said('Known')], { mainCalls: 1, hasOutput: true, finish: 'stop' });
    });
    expect(turn.texts.join('|')).toContain('Attention');
    expect(turn.texts.join('|').match(/Known/g)).toHaveLength(1);
  });

  test('a turn that is only a call ends when the agent is at rest, streamed or not (deviation 7)', async () => {
    for (const stream of [true, false]) {
      const see = (seen: ScriptedTapTurn): void =>
        seen.see(callEvents, { mainCalls: 1, hasOutput: true, hasClientCalls: true, finish: 'stop' });
      const { turn, server } = await play([{ status: 'RUNNING', steps: [growingStep('p')] }, idle], see, {
        stream,
        tools: [tool],
      });
      expect(turn.events).toEqual([...callEvents, { type: 'finish', reason: 'stop' }]);
      expect(checkModelEvents(turn.events)).toEqual([]);
      expect(server.callsIn('cascade_1')).not.toContain('cancelRun');
    }
  });

  test('an agent that does not stop after a call is cancelled, and its cascade not gone on with', async () => {
    const tap = new ScriptedTap();
    const { backend, server, sessions } = openCascadeBench({ tap });
    server.answer = () => {
      tap.turns[0]?.see(callEvents, { mainCalls: 1, hasOutput: true, hasClientCalls: true, finish: 'stop' });
      return [{ status: 'RUNNING', steps: [growingStep('p')] }, ...Array.from({ length: 11 }, () => ({ passes: 1_000 }))];
    };
    const turn = await playTurn(backend, turnOf('r1', null, { own: [userItem('Hi')], tools: [tool] }));
    expect(turn.events.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
    expect(await sessions.listSessions('alice')).toEqual([]);
  });

  test('history is told once in the block; the tap learns how much of it', async () => {
    const tap = new ScriptedTap();
    const { backend, server } = openCascadeBench({ tap });
    server.answer = () => {
      tap.turns.at(-1)?.see([said('Yes')], { mainCalls: 1, hasOutput: true, finish: 'stop' });
      return [idle];
    };
    await playTurn(backend, turnOf('r1', null, { own: [userItem('Hi'), assistantItem('Hello'), userItem('Bye')] }));
    expect(tap.turns[0]?.settings.replayedItems).toBe(2);
    expect(tap.turns[0]?.parts).toMatchObject({ text: 'Bye', block: expect.stringContaining('[assistant]\nHello') as unknown });
    const output: InputItem = { type: 'call-output', callId: 'c1', name: 'get_weather', content: [], path: 'input[0]' };
    const history: readonly InputItem[] = [
      userItem('Hi'),
      { type: 'call', callId: 'c1', name: 'get_weather', arguments: '{}', path: 'x' },
    ];
    await playTurn(backend, turnOf('r2', 'r1', { history, own: [output] }));
    expect(tap.turns[1]?.settings.replayedItems).toBe(0);
    expect(tap.turns[1]?.parts).toMatchObject({
      text: '',
      block: expect.stringContaining('[result of get_weather]') as unknown,
    });
  });

  test('late thinking comes after the text; it is waited for while a call that may bring it runs', async () => {
    const tap = new ScriptedTap();
    const { backend, server, clock } = openCascadeBench({ tap });
    server.answer = () => {
      tap.turns[0]?.see([said('Yes')], {
        mainCalls: 1,
        hasOutput: true,
        finish: 'stop',
        thinkingTokens: 7,
        runningSubRequests: 1,
      });
      return [idle];
    };
    const turn = await playTurn(backend, plainRequest('one', 'Hi'), {
      onBatch: (batch) => {
        if (batch.length === 0) return;
        setImmediate(() => {
          clock.advance(700);
          setImmediate(() =>
            tap.turns[0]?.see([{ type: 'reasoning-delta', delta: 'Hm' }], { hasThinking: true, runningSubRequests: 0 }),
          );
        });
      },
    });
    expect(turn.events.map(({ type }) => type)).toEqual(['text-delta', 'reasoning-delta', 'finish']);
  });

  test('late thinking that never comes ends the wait', async () => {
    const tap = new ScriptedTap();
    const { backend, server, clock } = openCascadeBench({ tap });
    server.answer = () => {
      tap.turns[0]?.see([said('Yes')], { mainCalls: 1, hasOutput: true, finish: 'stop', thinkingTokens: 7 });
      return [idle];
    };
    const onBatch = (): void => {
      setImmediate(() => setImmediate(() => clock.advance(600)));
    };
    expect((await playTurn(backend, plainRequest('one', 'Hi'), { onBatch })).events.at(-1)).toEqual({
      type: 'finish',
      reason: 'stop',
    });
  });

  test('a model call that was cut fails the turn with its own error, and what was said stays said', async () => {
    const failure = new GatewayError('upstream_truncated', 'cut');
    const { turn, server } = await play([idle, { passes: 1_000 }], (seen) => {
      seen.see([said('Half')], { mainCalls: 1, hasOutput: true, failure });
    });
    expect(turn.texts).toEqual(['Half']);
    expect(turn.thrown).toBe(failure);
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
  });

  test('whoever leaves ends the model calls at once, and keeps what was seen', async () => {
    const tap = new ScriptedTap();
    const { backend, server } = openCascadeBench({ tap });
    server.answer = () => [{ status: 'RUNNING', steps: [] }];
    const gone = new AbortController();
    const batches = (await backend.prepareTurn(plainRequest('one', 'Hi'))).stream(gone.signal)[Symbol.asyncIterator]();
    await batches.next();
    tap.turns[0]?.see([said('Half')], { mainCalls: 1, running: 1, hasOutput: true });
    gone.abort(new Error('deadline'));
    expect(tap.turns[0]?.isClosed).toBe(true);
    expect(await batches.next()).toEqual({ done: false, value: [said('Half')] });
    await expect(batches.next()).rejects.toThrow('deadline');
  });
});

describe('a tap that saw nothing', () => {
  test('fails a turn that has tools, and says what to check', async () => {
    const { turn } = await play([idle], () => undefined, { tools: [tool] });
    expect(turn.events).toEqual([]);
    const error = errorOfTurn(turn);
    expect(error.message).toContain('do not go through the tap tap, or its build spoils the mark');
    expect(error).toMatchObject({ status: 502, isRetryable: false });
  });

  test('fails a turn whose history has outputs of tools', async () => {
    const input: readonly InputItem[] = [
      userItem('Hi'),
      { type: 'call', callId: 'c1', name: 'get_weather', arguments: '{}', path: 'input[1]' },
      { type: 'call-output', callId: 'c1', name: 'get_weather', content: [], path: 'input[2]' },
    ];
    expect(errorOfTurn((await play([idle], () => undefined, { input })).turn).message).toContain('tap');
  });

  test("reads a plain answer from the agent's steps, and reports what did not reach the model", async () => {
    const { turn } = await play([idle], () => undefined, { temperature: 1 });
    expect(turn.texts).toEqual(['placeholder']);
    expect(turn.events.flatMap((event) => (event.type === 'loss' ? [`${event.loss.path} ${event.loss.action}`] : []))).toEqual([
      'model emulated',
      'temperature dropped',
    ]);
    expect(turn.events).toContainEqual({ type: 'usage', usage: expect.objectContaining({ inputTokens: 20 }) as unknown });
  });
});
