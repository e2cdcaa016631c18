import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectedPair, type ConnectedPair } from '../../../test/doubles/agent-server-client.ts';
import { openConnectServer } from '../../../test/doubles/connect-server.ts';
import { isCascadeGone } from '../../translate/cascade/map-cascade-error.ts';

const open = closedAfterEach();
const never = (): AbortSignal => new AbortController().signal;

async function connect(): Promise<ConnectedPair> {
  const pair = await openConnectedPair();
  open.push(pair);
  return pair;
}

/** Serves these steps in pages of that size. */
function serveSteps({ server }: ConnectedPair, steps: readonly unknown[], pageSize: number): void {
  server.on('GetCascadeTrajectorySteps', (call) => {
    const offset = Number(call.message['stepOffset'] ?? 0);
    const page = steps.slice(offset, offset + pageSize);
    call.answer(page.length === 0 ? {} : { steps: page });
  });
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('readSteps', () => {
  const steps = [{ n: 0 }, null, { n: 2 }, {}, null];

  test.each([1, 2, 3, 100])('pages of %d', async (pageSize) => {
    const pair = await connect();
    serveSteps(pair, steps, pageSize);
    expect(await pair.agent.readSteps('c1', 0, never())).toEqual(steps);
    expect(await pair.agent.readSteps('c1', 2, never())).toEqual(steps.slice(2));
    expect(await pair.agent.readSteps('c1', 5, never())).toEqual([]);
  });

  test('the request of a page', async () => {
    const pair = await connect();
    serveSteps(pair, steps, 100);
    await pair.agent.readSteps('c1', 4, never());
    expect(pair.server.calls.map(({ message }) => message)).toEqual([
      { cascadeId: 'c1', stepOffset: 4, trajectoryVerbosity: 'CLIENT_TRAJECTORY_VERBOSITY_FULL' },
      { cascadeId: 'c1', stepOffset: 5, trajectoryVerbosity: 'CLIENT_TRAJECTORY_VERBOSITY_FULL' },
    ]);
  });

  test('a known total spares the empty page; a smaller or unknown one changes nothing', async () => {
    const pair = await connect();
    serveSteps(pair, steps, 2);
    expect(await pair.agent.readSteps('c1', 1, never(), 5)).toEqual(steps.slice(1));
    expect(pair.server.calls).toHaveLength(2);
    expect(await pair.agent.readSteps('c1', 1, never(), 0)).toEqual(steps.slice(1));
    expect(pair.server.calls).toHaveLength(5);
    expect(await pair.agent.readSteps('c1', 5, never(), 5)).toEqual([]);
    expect(pair.server.calls).toHaveLength(5);
  });
});

describe('readTrajectory', () => {
  test('reads what is there', async () => {
    const { server, agent } = await connect();
    server.on('GetCascadeTrajectory', (call) => {
      call.answer({
        status: 'CASCADE_RUN_STATUS_RUNNING',
        numTotalSteps: 7,
        trajectory: { trajectoryId: 't1', generatorMetadata: [{ chatModel: {} }] },
      });
    });
    expect(await agent.readTrajectory('c1', never())).toEqual({
      status: 'RUNNING',
      totalSteps: 7,
      listedSteps: 0,
      trajectoryId: 't1',
      generatorMetadata: [{ chatModel: {} }],
    });
    expect(server.calls[0]?.message).toEqual({ cascadeId: 'c1' });
  });
});

describe('trouble while reading', () => {
  /** The answers one after the other, the last one again and again; `null` breaks the connection. */
  function answerInTurn(
    { server }: ConnectedPair,
    answers: readonly ([status: number, code: string, text: string] | null | 'ok')[],
  ): void {
    server.on('GetCascadeTrajectory', (call) => {
      const answer = answers[Math.min(server.calls.length, answers.length) - 1];
      if (answer === null || answer === undefined) call.destroy();
      else if (answer === 'ok') call.answer({ status: 1 });
      else call.fail(...answer);
    });
  }
  const broken = [500, 'unknown', 'boom'] as const;

  test('two 500s in a row pass', async () => {
    const pair = await connect();
    answerInTurn(pair, [[...broken], [...broken], 'ok']);
    const read = pair.agent.readTrajectory('c1', never());
    await pair.clock.elapse(100);
    await pair.clock.elapse(200);
    expect(await read).toMatchObject({ status: 'IDLE' });
  });

  test('so do a 503 and a broken connection', async () => {
    const pair = await connect();
    answerInTurn(pair, [[503, 'unavailable', 'restarting'], null, 'ok']);
    const read = pair.agent.readTrajectory('c1', never());
    await pair.clock.elapse(100);
    await pair.clock.elapse(200);
    expect(await read).toMatchObject({ status: 'IDLE' });
  });

  test('500 for ever is an error after five tries', async () => {
    const pair = await connect();
    answerInTurn(pair, [[...broken]]);
    const error = errorOf(pair.agent.readTrajectory('c1', never()));
    for (const pause of [100, 200, 400, 800]) await pair.clock.elapse(pause);
    expect(await error).toMatchObject({ code: 'upstream_error', message: expect.stringMatching(/boom/) as string });
    expect(pair.server.calls).toHaveLength(5);
  });

  test.each([
    ['gone', [500, 'unknown', 'trajectory not found: c1']],
    ['quota', [429, 'resource_exhausted', 'quota exceeded']],
    ['credentials', [401, 'unauthenticated', 'no']],
  ] as const)('%s is told at once', async (name, answer) => {
    const pair = await connect();
    answerInTurn(pair, [[...answer]]);
    const error = await errorOf(pair.agent.readTrajectory('c1', never()));
    expect(isCascadeGone(error)).toBe(name === 'gone');
    expect(pair.server.calls).toHaveLength(1);
  });

  test('a port that refuses is asked three times', async () => {
    const pair = await connect();
    await pair.server.close();
    const error = errorOf(pair.agent.readTrajectory('c1', never()));
    await pair.clock.elapse(100);
    await pair.clock.elapse(200);
    expect(await error).toMatchObject({ code: 'upstream_unreachable' });
    expect(pair.clock.waits).toEqual([100, 200]);
  });

  test('a server that is back after a refusal is read', async () => {
    const pair = await connect();
    await pair.server.close();
    const read = pair.agent.readTrajectory('c1', never());
    // Nobody reads before this time has passed.
    while (pair.clock.waits.length === 0) await new Promise(setImmediate);
    const again = await openConnectServer({ port: pair.server.port });
    open.push(again);
    again.on('GetCascadeTrajectory', (call) => {
      call.answer({ status: 2 });
    });
    await pair.clock.elapse(100);
    expect(await read).toMatchObject({ status: 'RUNNING' });
  });

  test('the signal ends the pauses', async () => {
    const pair = await connect();
    answerInTurn(pair, [[...broken]]);
    const gone = new AbortController();
    const error = errorOf(pair.agent.readTrajectory('c1', gone.signal));
    await pair.server.arrived('GetCascadeTrajectory');
    gone.abort(new Error('gone'));
    expect(await error).toMatchObject({ message: 'gone' });
  });
});
