import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectedPair, type ConnectedPair } from '../../../test/doubles/agent-server-client.ts';
import { openConnectServer } from '../../../test/doubles/connect-server.ts';
import { Secret } from '../../model/secret.ts';
import type { AgentServerOptions } from './open-agent-server.ts';
import { createTokenSource } from './token-source.ts';

const open = closedAfterEach();

const first = 'StreamAgentStateUpdates';
const second = 'StreamCascadeReactiveUpdates';

async function connect(options: Partial<AgentServerOptions> = {}): Promise<ConnectedPair> {
  const pair = await openConnectedPair(options);
  open.push(pair);
  return pair;
}

/** Resolves when it is clear that no stream will be open: that is what a message waits for. */
async function untilGivenUp({ server, agent }: ConnectedPair): Promise<void> {
  server.on('SendUserCascadeMessage', (call) => {
    call.answer({});
  });
  const message = { cascadeId: 'c1', text: '', media: [], model: 'M', planner: {}, agentSpec: null };
  await agent.sendMessage(message, new AbortController().signal);
}

describe('polling', () => {
  test('without any stream: between 150 and 250 ms, after half a minute a second', async () => {
    const pair = await connect();
    const { agent, clock } = pair;
    const updates = agent.watchCascade('c1', 0);
    await untilGivenUp(pair);
    await updates.next();
    const early = updates.next();
    await clock.elapse(200);
    await early;
    clock.advance(30_000);
    const late = updates.next();
    await clock.elapse(1000);
    await late;
  });

  test.each([
    [0, 150],
    [0.9, 240],
  ])('the jitter: %d', async (random, expected) => {
    const pair = await connect({ random: () => random });
    const updates = pair.agent.watchCascade('c1', 0);
    await untilGivenUp(pair);
    await updates.next();
    void updates.next();
    expect(pair.clock.waits.map(Math.round).filter((wait) => wait < 500)).toContain(expected);
  });
});

describe('trouble that is not the stream’s', () => {
  test('a cascade that is gone ends the subscription, and gives nothing up', async () => {
    const pair = await connect();
    const { server, agent } = pair;
    server.on(first, (call) => {
      call.end({ code: 'unknown', message: 'trajectory not found: c1' });
    });
    const updates = agent.watchCascade('c1', 0);
    await untilGivenUp(pair);
    await updates.next();
    updates.close();
    expect(server.callsOf(second)).toEqual([]);
    agent.watchCascade('c2', 0);
    await server.arrived(first, 2);
  });

  test('a server that is away is asked again every second', async () => {
    const { server, agent, clock } = await connect();
    await server.close();
    agent.watchCascade('c1', 0);
    await clock.elapse(1000);
    await clock.elapse(1000);
    while (clock.waits.filter((wait) => wait === 1000).length < 3) await new Promise(setImmediate);
    const again = await openConnectServer({ port: server.port });
    open.push(again);
    await clock.elapse(1000);
    await again.arrived(first);
  });

  test('a refused token is refreshed', async () => {
    const token = createTokenSource({
      ...{ backendName: 'agent', value: new Secret('stale'), file: null, command: ['issue'] },
      runCommand: () => Promise.resolve('fresh'),
      readFile: () => Promise.resolve(null),
    });
    const { server, agent } = await connect({ token });
    server.on(first, (call) => {
      if (call.headers['authorization'] === 'Bearer fresh') call.frame({});
      else call.end({ code: 'unauthenticated', message: 'expired' });
    });
    const updates = agent.watchCascade('c1', 0);
    await updates.next();
    expect(server.callsOf(first)).toHaveLength(2);
    expect(server.callsOf(second)).toEqual([]);
  });

  test('a silent stream is kept while the server is alive, and opened again when it is not', async () => {
    const { server, agent, clock } = await connect();
    server.on(first, (call) => {
      call.frame({});
    });
    server.on('Heartbeat', (call) => {
      call.answer({});
    });
    const updates = agent.watchCascade('c1', 0);
    await updates.next();
    await clock.elapse(15_000);
    await clock.elapse(15_000);
    await server.arrived('Heartbeat');
    server.on('Heartbeat', (call) => {
      call.fail(500, 'unknown', 'stuck');
    });
    await clock.elapse(15_000);
    await (
      await server.arrived(first)
    ).closed;
    await clock.elapse(1000);
    await server.arrived(first, 2);
  });
});
