import { afterEach, describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { errorOfTurn, openCascadeBench, playTurn, turnOf, userItem } from '../../../test/doubles/cascade-turns.ts';
import { ManualClock } from '../../../test/doubles/manual-clock.ts';
import { answerStep, faultOf, growingStep, ScriptedAgentServer, userStep } from '../../../test/doubles/scripted-agent-server.ts';
import { ScriptedTap } from '../../../test/doubles/scripted-tap.ts';
import type { UserMessage } from './agent-server.ts';

/** Takes every message, and says so only when the test does. */
class BlockingServer extends ScriptedAgentServer {
  readonly unanswered: { readonly resolve: () => void; readonly reject: (error: Error) => void; readonly signal: AbortSignal }[] =
    [];

  override async sendMessage(message: UserMessage, signal: AbortSignal): Promise<void> {
    await super.sendMessage(message, signal);
    await new Promise<void>((resolve, reject) => {
      this.unanswered.push({ resolve, reject, signal });
      signal.addEventListener('abort', () => {
        reject(new Error('aborted'));
      });
    });
  }
}

function openBlockingBench(tap: ScriptedTap | null = null) {
  const clock = new ManualClock();
  const server = new BlockingServer(clock);
  return { ...openCascadeBench({ server, tap, now: clock.now, wait: clock.wait }), clock, server };
}

const request = plainRequest('one', 'Hi');
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const beats: NodeJS.Timeout[] = [];
afterEach(() => {
  for (const beat of beats.splice(0)) clearInterval(beat);
});

/** Time passes as long as the test runs. */
function keepTime(clock: ManualClock): void {
  beats.push(setInterval(() => clock.advance(100), 1));
}

describe('a server that answers a message only when the turn is over', () => {
  test('has accepted it when the words stand in the cascade', async () => {
    const { backend, server, clock } = openBlockingBench();
    server.answer = (_message, cascade) => {
      // Steps are there as soon as somebody has looked.
      setImmediate(() => cascade.look());
      return [
        { status: 'RUNNING', steps: [userStep, growingStep('Hi ')] },
        { status: 'IDLE', steps: [userStep, answerStep('Hi there')] },
      ];
    };
    keepTime(clock);
    const turn = await playTurn(backend, request);
    expect([turn.thrown, turn.texts]).toEqual([null, ['Hi there']]);
    expect(server.unanswered.map(({ signal }) => signal.aborted)).toEqual([true]);
  });

  test('has accepted it when the tap sees the model call, whose events are not kept back', async () => {
    const tap = new ScriptedTap();
    const { backend, server } = openBlockingBench(tap);
    server.answer = (_message, cascade) => {
      setImmediate(() => {
        tap.turns[0]?.see([{ type: 'text-delta', delta: 'Hi ' }], { mainCalls: 1, running: 1, hasOutput: true });
      });
      cascade.begin();
      return [{ status: 'RUNNING', steps: [userStep] }];
    };
    const turn = await playTurn(backend, request, {
      onBatch: (batch) => {
        if (!batch.some((event) => event.type === 'text-delta' && event.delta === 'Hi ')) return;
        tap.turns[0]?.see([{ type: 'text-delta', delta: 'there' }], { running: 0, finish: 'stop' });
        server.cascades.get('cascade_1')?.show({ status: 'IDLE', steps: [userStep, answerStep('Hi there')] });
      },
    });
    expect([turn.thrown, turn.texts]).toEqual([null, ['Hi there']]);
  });

  test('has not accepted what stands nowhere, and its refusal is thrown', async () => {
    const { backend, server, clock } = openBlockingBench();
    server.answer = () => {
      setTimeout(() => server.unanswered[0]?.reject(faultOf('quota', 'no more')), 20);
      return [{ status: 'RUNNING', steps: [growingStep('of the turn before')] }];
    };
    keepTime(clock);
    const turn = await playTurn(backend, request);
    expect(turn.batches).toEqual([]);
    expect(errorOfTurn(turn).message).toContain('no more');
  });

  test('whoever leaves before the answer has the run cancelled at once, and again when the message may have arrived', async () => {
    const { backend, server, clock } = openBlockingBench();
    server.answer = () => [{ status: 'RUNNING' }];
    const gone = new AbortController();
    const played = playTurn(backend, request, { signal: gone.signal });
    while (server.unanswered.length === 0) await tick();
    gone.abort(new Error('gone'));
    expect(server.callsIn('cascade_1').filter((method) => method === 'cancelRun')).toHaveLength(1);
    expect(errorOfTurn(await played)).toMatchObject({ message: 'gone' });
    await tick();
    clock.advance(500);
    await tick();
    expect(server.callsIn('cascade_1').filter((method) => method === 'cancelRun')).toHaveLength(2);
  });
});

test('the end of the model call does not wait for the next look at the agent', async () => {
  const tap = new ScriptedTap();
  const { backend, server } = openCascadeBench({ tap });
  server.answer = (_message, cascade) => {
    tap.turns[0]?.see([], { mainCalls: 1, running: 1 });
    setImmediate(() => {
      // The reader now pauses, in a time that does not pass.
      cascade.show({ status: 'RUNNING', steps: [userStep, growingStep('x')] });
      setImmediate(() => {
        tap.turns[0]?.see([{ type: 'text-delta', delta: 'Hi' }], { running: 0, hasOutput: true, finish: 'stop' });
        cascade.show({ status: 'IDLE', steps: [userStep, answerStep('Hi')] });
      });
    });
    return [{ status: 'RUNNING', steps: [userStep] }];
  };
  const turn = await playTurn(backend, turnOf('r1', null, { own: [userItem('Hi')] }));
  expect([turn.thrown, turn.texts]).toEqual([null, ['Hi']]);
});
