import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import { errorOfTurn, openCascadeBench, playTurn, turnOf, userItem } from '../../../test/doubles/cascade-turns.ts';
import { answerStep, faultOf, growingStep, stepOf, userStep, type Frame } from '../../../test/doubles/scripted-agent-server.ts';
import type { GatewayError } from '../../model/errors.ts';

const request = plainRequest('one', 'Hi');
const failing = (): GatewayError => faultOf('failed', 'HTTP 500');

/** A turn over an agent server that shows these frames. */
async function play(frames: readonly Frame[], change = request) {
  const bench = openCascadeBench();
  bench.server.answer = () => frames;
  return { ...bench, turn: await playTurn(bench.backend, change) };
}

describe('a call that fails for ever (U42)', () => {
  test('before the message was accepted is thrown first, so that it becomes a status', async () => {
    for (const method of ['listModels', 'startCascade', 'sendMessage', 'readTrajectory', 'watchCascade']) {
      const { backend, server } = openCascadeBench();
      server.faults.set(method, [failing(), failing()]);
      const turn = await playTurn(backend, request);
      expect(turn.batches, method).toEqual([]);
      expect(errorOfTurn(turn).status, method).toBe(502);
    }
  });

  test('while steps are read ends the turn after some seconds', async () => {
    const looks = Array.from({ length: 8 }, () => ({ passes: 1_000, fails: failing() }));
    const { turn, server } = await play([
      { status: 'RUNNING', steps: [growingStep('Hi ')] },
      { steps: [growingStep('Hi there ')] },
      ...looks,
    ]);
    expect(turn.texts).toEqual(['Hi ']);
    expect(errorOfTurn(turn).code).toBe('upstream_error');
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
  });

  test('a few times only is nothing', async () => {
    const done: Frame = { status: 'IDLE', steps: [answerStep('Hi')] };
    const { turn } = await play([
      { status: 'RUNNING' },
      { fails: failing() },
      { fails: failing() },
      { passes: 4_000, fails: failing() },
      done,
    ]);
    expect(turn.thrown).toBeNull();
    expect(turn.texts).toEqual(['Hi']);
  });

  test('is nothing when a new cascade is not there yet, for three seconds', async () => {
    const missing = (passes: number): Frame => ({ passes, fails: faultOf('gone', 'trajectory not found') });
    const made = await play([missing(0), missing(1_000), missing(1_900), { status: 'IDLE', steps: [answerStep('Hi')] }]);
    expect([made.turn.thrown, made.turn.texts]).toEqual([null, ['Hi']]);
    const never = await play([missing(0), missing(3_000), { status: 'IDLE', steps: [answerStep('Hi')] }]);
    expect(errorOfTurn(never.turn).status).toBe(502);
  });

  test('because the credentials are not good any more ends it at once', async () => {
    const { turn } = await play([{ status: 'RUNNING' }, { fails: faultOf('token', 'no') }]);
    expect(errorOfTurn(turn).code).toBe('upstream_auth_failed');
  });

  test('because the server was restarted in mid-turn: failed, and never asked again in secret', async () => {
    const { turn, server } = await play([
      { status: 'RUNNING', steps: [growingStep('One two ')] },
      { steps: [growingStep('One two ')] },
      { fails: faultOf('gone', 'trajectory not found') },
    ]);
    expect(turn.texts).toEqual(['One two ']);
    expect(errorOfTurn(turn).status).toBeGreaterThanOrEqual(500);
    expect(server.messages).toHaveLength(1);
  });
});

describe('whoever leaves', () => {
  test('cancels the run at once, also while nobody reads', async () => {
    const { backend, server, clock } = openCascadeBench();
    server.answer = () => [{ status: 'RUNNING', steps: [growingStep('x')] }];
    const gone = new AbortController();
    const batches = (await backend.prepareTurn(request)).stream(gone.signal)[Symbol.asyncIterator]();
    await batches.next();
    gone.abort(new Error('gone'));
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
    await expect(batches.next()).rejects.toThrow('gone');
    // The server had accepted the message: no run can begin after the first cancel.
    clock.advance(10_000);
    await backend.close();
    expect(server.callsIn('cascade_1').filter((method) => method === 'cancelRun')).toHaveLength(1);
  });

  test('at the deadline gets what there is, streamed or not', async () => {
    for (const stream of [true, false]) {
      const { backend, server } = openCascadeBench();
      const deadline = new AbortController();
      server.answer = (_message, cascade) => {
        setImmediate(() => {
          cascade.show({ steps: [growingStep('One two thr')] });
          setImmediate(() => deadline.abort(new Error('deadline')));
        });
        return [{ status: 'RUNNING', steps: [growingStep('One two ')] }];
      };
      const turn = await playTurn(backend, { ...request, stream }, { signal: deadline.signal });
      expect(turn.texts).toEqual(['One two thr']);
      expect(turn.thrown).toEqual(new Error('deadline'));
    }
  });

  test('before the message was sent leaves nothing behind', async () => {
    const { backend, server } = openCascadeBench();
    const gone = new AbortController();
    const startCascade = server.startCascade.bind(server);
    server.startCascade = async (...given) => {
      const cascadeId = await startCascade(...given);
      gone.abort(new Error('gone'));
      return cascadeId;
    };
    expect((await playTurn(backend, request, { signal: gone.signal })).thrown).toEqual(new Error('gone'));
    expect(server.messages).toEqual([]);
  });

  test('by stopping the generator cancels too; a turn that ended is not cancelled', async () => {
    const { backend, server } = openCascadeBench();
    server.answer = () => [{ status: 'RUNNING', steps: [growingStep('x')] }];
    for await (const batch of (await backend.prepareTurn(request)).stream(new AbortController().signal)) {
      expect(batch).toEqual([]);
      break;
    }
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
    server.answer = () => [{ status: 'IDLE', steps: [answerStep('Hi')] }];
    await playTurn(backend, request);
    expect(server.callsIn('cascade_2')).not.toContain('cancelRun');
  });
});

describe('an agent that', () => {
  test('says nothing fails within twelve seconds, with a sentence that tells', async () => {
    const { turn, clock } = await play([
      { status: 'IDLE', steps: [userStep] },
      ...Array.from({ length: 12 }, () => ({ passes: 1_000 })),
    ]);
    expect(errorOfTurn(turn).message).toBe('The agent of the backend agent ended its turn without a text or a call.');
    expect(clock.now() - 1_000_000).toBeLessThanOrEqual(12_000);
  });

  test('is idle for a second before it starts is not empty', async () => {
    const { turn } = await play([
      { status: 'IDLE', steps: [] },
      { passes: 1_000, steps: [userStep] },
      { status: 'RUNNING' },
      { status: 'IDLE', steps: [answerStep('Hi')] },
    ]);
    expect(turn.texts).toEqual(['Hi']);
  });

  test('corrects its own error answers; one that does not fails in its own words', async () => {
    const error = stepOf('ERROR_MESSAGE', 'DONE', { errorMessage: { error: { userErrorMessage: 'Invalid tool call' } } });
    const { turn } = await play([
      { status: 'RUNNING', steps: [error] },
      { status: 'IDLE', steps: [error, answerStep('Hi')] },
    ]);
    expect(turn.texts).toEqual(['Hi']);
    const other = await play([{ status: 'IDLE', steps: [error] }, { passes: 1_000 }]);
    expect(errorOfTurn(other.turn)).toMatchObject({
      code: 'upstream_error',
      message: expect.stringContaining('Invalid tool call') as unknown,
    });
    const quota = stepOf('ERROR_MESSAGE', 'DONE', {
      errorMessage: { error: { shortError: 'RESOURCE_EXHAUSTED: quota of this month is used up' } },
    });
    expect(errorOfTurn((await play([{ status: 'IDLE', steps: [quota] }, { passes: 1_000 }])).turn)).toMatchObject({
      code: 'insufficient_quota',
    });
  });

  test('loses the stream of its model is failed, never complete', async () => {
    const cut = answerStep('Half an', { planner: { stopReason: 'STOP_REASON_CLIENT_STREAM_ERROR' } });
    const { turn, server } = await play([{ status: 'IDLE', steps: [cut] }, { passes: 2_000 }]);
    expect(errorOfTurn(turn).code).toBe('upstream_truncated');
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
  });

  test('waits for permission is declined, and cancelled when it keeps waiting', async () => {
    const waiting = stepOf('RUN_COMMAND', 'WAITING', { metadata: { sourceTrajectoryStepInfo: { trajectoryId: 't9' } } });
    const { turn, server } = await play([{ status: 'IDLE', steps: [userStep, waiting] }, { passes: 1_000 }, { passes: 1_000 }]);
    expect(server.declined).toEqual([{ cascadeId: 'cascade_1', trajectoryId: 't9', stepIndex: 1 }]);
    expect(errorOfTurn(turn)).toMatchObject({ isRetryable: false, message: expect.stringContaining('permission') as unknown });
    expect(server.callsIn('cascade_1')).toContain('cancelRun');
  });

  test('takes no for an answer goes on; its steps are counted from the beginning of the cascade', async () => {
    const { backend, server } = openCascadeBench();
    await playTurn(backend, turnOf('r1', null, { own: [userItem('Hi')] }));
    const waiting = stepOf('RUN_COMMAND', 'WAITING');
    server.answer = () => [
      { status: 'RUNNING', steps: [userStep, waiting] },
      { status: 'IDLE', steps: [userStep, stepOf('RUN_COMMAND', 'CANCELED'), answerStep('Then not.')] },
    ];
    server.faults.set('declineInteraction', [failing()]);
    const turn = await playTurn(backend, turnOf('r2', 'r1', { history: [userItem('Hi')], own: [userItem('Go')] }));
    expect(turn.texts).toEqual(['Then not.']);
    expect(server.callsIn('cascade_1')).toContain('declineInteraction');
  });
});
