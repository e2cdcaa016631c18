import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectedPair, type ConnectedPair } from '../../../test/doubles/agent-server-client.ts';
import type { ConnectCall } from '../../../test/doubles/connect-server.ts';
import type { CascadeUpdates } from './agent-server.ts';

const open = closedAfterEach();

const first = 'StreamAgentStateUpdates';
const second = 'StreamCascadeReactiveUpdates';

async function connect(): Promise<ConnectedPair> {
  const pair = await openConnectedPair();
  open.push(pair);
  return pair;
}

/** Takes the changes that are there already. */
async function takeChanges(updates: CascadeUpdates): Promise<void> {
  updates.wake();
  await updates.next();
}

describe('the first kind of stream', () => {
  test('subscribes with an id of its own, from the given step on', async () => {
    const { server, agent } = await connect();
    for (const [cascadeId, step] of [
      ['c1', 4],
      ['c1', 0],
    ] as const)
      agent.watchCascade(cascadeId, step);
    const calls = [await server.arrived(first, 1), await server.arrived(first, 2)];
    const ids = calls.map(({ message }) => message['subscriberId']);
    expect(new Set(ids).size).toBe(2);
    expect(calls.map(({ message }) => ({ ...message, subscriberId: '' }))).toEqual(
      expect.arrayContaining([
        {
          conversationId: 'c1',
          subscriberId: '',
          trajectoryVerbosity: 'CLIENT_TRAJECTORY_VERBOSITY_FULL',
          initialStepsPageBounds: { startIndex: 4 },
        },
      ]),
    );
  });

  test('each frame is a change; without one there is a change after 500 ms', async () => {
    const { server, agent, clock } = await connect();
    server.on(first, (call) => {
      call.frame({ update: {} });
    });
    const updates = agent.watchCascade('c1', 0);
    await updates.next();
    const stream = await server.arrived(first);
    const changed = updates.next();
    stream.frame({ update: { status: 'RUNNING' } });
    await changed;
    const later = updates.next();
    await clock.elapse(500);
    await later;
  });

  test('changes that came while nobody waited resolve at once, all together', async () => {
    const { agent, server, clock } = await connect();
    server.on(first, () => undefined);
    const updates = agent.watchCascade('c1', 0);
    updates.wake();
    updates.wake();
    await updates.next();
    const waited = updates.next();
    await clock.elapse(200);
    await waited;
  });

  test('it is drained although nobody asks for changes', async () => {
    const { server, agent } = await connect();
    server.on(first, (call) => {
      void (async () => {
        const big = { text: 'x'.repeat(1024 * 1024) };
        for (let frame = 0; frame < 24; frame++) {
          call.frame(big);
          await new Promise(setImmediate);
        }
        call.end();
      })();
    });
    agent.watchCascade('c1', 0);
    await (
      await server.arrived(first)
    ).closed;
  });

  test('a stream that is open but has brought nothing yet is no reason to poll less', async () => {
    const { server, agent, clock } = await connect();
    server.on(first, (call) => {
      call.accept();
    });
    const updates = agent.watchCascade('c1', 0);
    await server.arrived(first);
    const changed = updates.next();
    await clock.elapse(200);
    await changed;
  });

  test('close ends the stream, and next resolves from then on', async () => {
    const { server, agent } = await connect();
    server.on(first, (call) => {
      call.accept();
    });
    const updates = agent.watchCascade('c1', 0);
    const call = await server.arrived(first);
    await takeChanges(updates);
    const waiting = updates.next();
    updates.close();
    await waiting;
    await updates.next();
    await call.closed;
  });

  test('closing the agent server closes what is watched', async () => {
    const { server, agent } = await connect();
    server.on(first, (call) => {
      call.accept();
    });
    const updates = agent.watchCascade('c1', 0);
    const call = await server.arrived(first);
    await agent.close();
    await call.closed;
    await updates.next();
  });
});

describe('a kind of stream that the server does not serve', () => {
  const refusals: readonly [name: string, answer: (call: ConnectCall) => void][] = [
    ['404', () => undefined],
    [
      'unimplemented',
      (call) => {
        call.fail(501, 'unimplemented', 'no such method');
      },
    ],
    [
      'unimplemented in the end frame',
      (call) => {
        call.end({ code: 'unimplemented', message: '' });
      },
    ],
    [
      'disabled',
      (call) => {
        call.end({ code: 'unknown', message: 'reactive state is disabled' });
      },
    ],
    [
      'deprecated',
      (call) => {
        call.end({ code: 'unknown', message: 'reactive state is deprecated' });
      },
    ],
    [
      'another error in the end frame',
      (call) => {
        call.frame({});
        call.end({ code: 'internal', message: 'boom' });
      },
    ],
    [
      'no stream at all',
      (call) => {
        call.answer({});
      },
    ],
  ];

  test.each(refusals)('%s: the next kind is tried, and the first never again', async (name, refuse) => {
    const { server, agent } = await connect();
    if (name !== '404') server.on(first, refuse);
    server.on(second, (call) => {
      call.frame({ version: '1' });
    });
    const updates = agent.watchCascade('c1', 3);
    const stream = await server.arrived(second);
    expect(stream.message).toMatchObject({ protocolVersion: 1, id: 'c1' });
    expect(typeof stream.message['subscriberId']).toBe('string');
    updates.close();
    agent.watchCascade('c2', 0);
    expect((await server.arrived(second, 2)).message).toMatchObject({ id: 'c2' });
    expect(server.callsOf(first)).toHaveLength(1);
  });

  test('it is remembered by one agent server, not by all', async () => {
    for (const pair of [await connect(), await connect()]) {
      pair.agent.watchCascade('c1', 0);
      await pair.server.arrived(first);
    }
  });

  test('two closes within 3 s', async () => {
    const { server, agent, clock } = await connect();
    server.on(first, (call) => {
      call.frame({});
      if (server.callsOf(first).length === 1) call.end();
      else call.stop();
    });
    agent.watchCascade('c1', 0);
    await clock.elapse(100);
    await server.arrived(second);
    expect(server.callsOf(first)).toHaveLength(2);
  });

  test('two closes with more time between them are none of its faults', async () => {
    const { server, agent, clock } = await connect();
    server.on(first, (call) => {
      call.frame({});
    });
    const updates = agent.watchCascade('c1', 0);
    for (const count of [1, 2, 3]) {
      const stream = await server.arrived(first, count);
      await updates.next();
      clock.advance(3000);
      stream.end();
      await clock.elapse(100);
    }
    await server.arrived(first, 4);
    expect(server.callsOf(second)).toEqual([]);
  });
});
