import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectedPair, type ConnectedPair } from '../../../test/doubles/agent-server-client.ts';
import type { ConnectCall } from '../../../test/doubles/connect-server.ts';
import { isCascadeGone } from '../../translate/cascade/map-cascade-error.ts';
import type { UserMessage } from './agent-server.ts';
import type { AgentServerOptions } from './open-agent-server.ts';

const open = closedAfterEach();
const never = (): AbortSignal => new AbortController().signal;

async function connect(options: Partial<AgentServerOptions> = {}): Promise<ConnectedPair> {
  const pair = await openConnectedPair(options);
  open.push(pair);
  for (const method of ['UpdateConversationAnnotations', 'SendUserCascadeMessage']) pair.server.on(method, ok);
  return pair;
}

const ok = (call: ConnectCall): void => {
  call.answer({});
};

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const message: UserMessage = {
  cascadeId: 'c1',
  text: 'Hello',
  media: [],
  model: 'MODEL_X',
  planner: {},
  agentSpec: null,
};

test('a message is sent once, also where a kept connection breaks under it', async () => {
  const { server, agent } = await connect();
  server.on('SendUserCascadeMessage', (call) => {
    call.destroy();
  });
  server.on('StartCascade', (call) => {
    call.answer({ cascadeId: 'c1' });
  });
  for (const sent of [1, 2]) {
    // Leaves connections behind that could be used again.
    await agent.startCascade({ model: 'M', agentSpec: null }, never());
    expect(await errorOf(agent.sendMessage(message, never()))).toMatchObject({ code: 'upstream_unreachable' });
    expect(server.callsOf('SendUserCascadeMessage')).toHaveLength(sent);
  }
});

describe('startCascade', () => {
  test('starts, then looks at it once, then gives its id', async () => {
    const { server, agent } = await connect({ workspaceUris: ['file:///work'] });
    server.on('StartCascade', (call) => {
      call.answer({ cascadeId: 'c1' });
    });
    expect(await agent.startCascade({ model: 'MODEL_X', agentSpec: { customAgent: {} } }, never())).toBe('c1');
    expect(server.calls.map(({ method }) => method)).toEqual(['StartCascade', 'UpdateConversationAnnotations']);
    expect(server.calls[0]?.message).toEqual({
      source: 'CORTEX_TRAJECTORY_SOURCE_SDK',
      trajectoryType: 'CORTEX_TRAJECTORY_TYPE_CASCADE',
      requestedModel: 'MODEL_X',
      workspaceUris: ['file:///work'],
      customAgentSpec: { customAgent: {} },
      tags: ['antiphon'],
    });
    expect(server.calls[1]?.message).toEqual({
      cascadeIds: ['c1'],
      annotations: { lastUserViewTime: '2026-01-01T00:00:00.000Z' },
      mergeAnnotations: true,
    });
  });

  test('a failing annotation is no failure, nor is one that is never answered', async () => {
    const { server, agent, clock } = await connect();
    server.on('StartCascade', (call) => {
      call.answer({ cascadeId: 'c1' });
    });
    server.on('UpdateConversationAnnotations', (call) => {
      call.fail(500, 'unknown', 'no');
    });
    expect(await agent.startCascade({ model: 'M', agentSpec: null }, never())).toBe('c1');
    server.on('UpdateConversationAnnotations', () => undefined);
    const started = agent.startCascade({ model: 'M', agentSpec: null }, never());
    await server.arrived('UpdateConversationAnnotations', 2);
    await clock.elapse(1000);
    expect(await started).toBe('c1');
  });

  test('without an id it is an error', async () => {
    const { server, agent } = await connect();
    server.on('StartCascade', ok);
    expect(await errorOf(agent.startCascade({ model: 'M', agentSpec: null }, never()))).toMatchObject({
      code: 'upstream_invalid_response',
    });
  });

  test('the signal breaks it off', async () => {
    const { server, agent } = await connect();
    server.on('StartCascade', () => undefined);
    const gone = new AbortController();
    const error = errorOf(agent.startCascade({ model: 'M', agentSpec: null }, gone.signal));
    const call = await server.arrived('StartCascade');
    gone.abort(new Error('gone'));
    expect(await error).toMatchObject({ message: 'gone' });
    await call.closed;
  });
});

describe('sendMessage', () => {
  test('sends it, and looks at the cascade afterwards without waiting for that', async () => {
    const { server, agent } = await connect();
    server.on('UpdateConversationAnnotations', () => undefined);
    await agent.sendMessage(message, never());
    expect(server.callsOf('SendUserCascadeMessage')[0]?.message).toEqual({
      cascadeId: 'c1',
      items: [{ text: 'Hello' }],
      cascadeConfig: {
        plannerConfig: {
          conversational: {},
          planModel: 'MODEL_X',
          requestedModel: { model: 'MODEL_X' },
          toolConfig: { runCommand: { autoCommandConfig: { autoExecutionPolicy: 'CASCADE_COMMANDS_AUTO_EXECUTION_OFF' } } },
        },
      },
      messageOrigin: 'AGENT_MESSAGE_ORIGIN_SDK_EXECUTABLE',
    });
    const look = await server.arrived('UpdateConversationAnnotations');
    expect(look.message).toMatchObject({ cascadeIds: ['c1'] });
    look.answer({});
  });

  test.each(['the executor is busy', 'cascade c1 has not processed the previous input', 'already canceling'])(
    'asks again while "%s"',
    async (text) => {
      const { server, agent, clock } = await connect();
      server.on('SendUserCascadeMessage', (call) => {
        if (server.callsOf('SendUserCascadeMessage').length < 3) call.fail(500, 'unknown', text);
        else call.answer({});
      });
      const sent = agent.sendMessage(message, never());
      await clock.elapse(500);
      await clock.elapse(1000);
      await sent;
      expect(server.callsOf('SendUserCascadeMessage')).toHaveLength(3);
    },
  );

  test('busy for ever: eight tries with growing pauses, then overloaded with retry-after', async () => {
    const { server, agent, clock } = await connect();
    server.on('SendUserCascadeMessage', (call) => {
      call.fail(500, 'unknown', 'executor is busy');
    });
    const error = errorOf(agent.sendMessage(message, never()));
    for (const pause of [500, 1000, 1500, 2000, 2500, 3000, 3500]) await clock.elapse(pause);
    expect(await error).toMatchObject({ code: 'upstream_overloaded', status: 503, retryAfter: 5 });
    expect(server.callsOf('SendUserCascadeMessage')).toHaveLength(8);
    expect(server.callsOf('UpdateConversationAnnotations')).toEqual([]);
  });

  test('a pause ends with the signal', async () => {
    const { server, agent } = await connect();
    server.on('SendUserCascadeMessage', (call) => {
      call.fail(500, 'unknown', 'executor is busy');
    });
    const gone = new AbortController();
    const error = errorOf(agent.sendMessage(message, gone.signal));
    await server.arrived('SendUserCascadeMessage');
    gone.abort(new Error('gone'));
    expect(await error).toMatchObject({ message: 'gone' });
  });

  test('other errors are not repeated: the message may have arrived', async () => {
    const { server, agent } = await connect();
    server.on('SendUserCascadeMessage', (call) => {
      call.fail(500, 'unknown', 'trajectory not found: c1');
    });
    expect(isCascadeGone(await errorOf(agent.sendMessage(message, never())))).toBe(true);
    server.on('SendUserCascadeMessage', (call) => {
      call.fail(500, 'internal', 'boom');
    });
    expect(await errorOf(agent.sendMessage(message, never()))).toMatchObject({ code: 'upstream_error' });
    expect(server.callsOf('SendUserCascadeMessage')).toHaveLength(2);
  });

  test('waits until the subscription to its cascade is accepted', async () => {
    const { server, agent } = await connect();
    server.on('StreamAgentStateUpdates', () => undefined);
    const updates = agent.watchCascade('c1', 0);
    agent.watchCascade('other', 0);
    const sent = agent.sendMessage(message, never());
    const stream = await server.arrived('StreamAgentStateUpdates');
    expect(server.callsOf('SendUserCascadeMessage')).toEqual([]);
    stream.frame({ update: {} });
    await sent;
    updates.close();
  });

  test('but no longer than a quarter of a second, as some servers accept silently', async () => {
    const { server, agent, clock } = await connect();
    server.on('StreamAgentStateUpdates', () => undefined);
    agent.watchCascade('c1', 0);
    const sent = agent.sendMessage(message, never());
    await clock.elapse(250);
    await sent;
    // It is known now.
    const next = agent.sendMessage(message, never());
    await clock.elapse(50);
    await next;
  });
});

describe('cancelRun', () => {
  test('says so at once', async () => {
    const { server, agent } = await connect();
    server.on('CancelCascadeInvocation', ok);
    await agent.cancelRun('c1');
    expect(server.calls.map((call) => [call.method, call.message])).toEqual([['CancelCascadeInvocation', { cascadeId: 'c1' }]]);
  });

  test('is said again when it fails', async () => {
    const { server, agent, clock } = await connect();
    server.on('CancelCascadeInvocation', (call) => {
      if (server.calls.length > 1) call.answer({});
      else call.fail(500, 'unknown', 'boom');
    });
    const cancelled = agent.cancelRun('c1');
    await clock.elapse(200);
    await cancelled;
    expect(server.calls).toHaveLength(2);
  });

  test('never throws: refused, never answered, nobody there', async () => {
    const { server, agent, clock } = await connect();
    server.on('CancelCascadeInvocation', (call) => {
      call.fail(500, 'unknown', 'already canceling');
    });
    await agent.cancelRun('c1');
    server.on('CancelCascadeInvocation', () => undefined);
    const cancelled = agent.cancelRun('c1');
    const call = await server.arrived('CancelCascadeInvocation', 2);
    await clock.elapse(5000);
    await cancelled;
    await call.closed;
    await server.close();
    await agent.cancelRun('c1');
  });
});

describe('the small calls', () => {
  test('declining, removing, hiding', async () => {
    const { server, agent } = await connect();
    for (const method of ['HandleCascadeUserInteraction', 'DeleteCascadeTrajectory']) server.on(method, ok);
    await agent.declineInteraction({ cascadeId: 'c1', trajectoryId: 't1', stepIndex: 3 }, never());
    await agent.removeCascade('c1', never());
    await agent.archiveCascade('c1');
    expect(server.calls.map(({ message }) => message)).toEqual([
      { cascadeId: 'c1', interaction: { trajectoryId: 't1', stepIndex: 3, permission: { allow: false } } },
      { cascadeId: 'c1' },
      { cascadeIds: ['c1'], annotations: { archived: true }, mergeAnnotations: true },
    ]);
  });

  test('a cascade that is gone is removed; another failure is one', async () => {
    const { server, agent } = await connect();
    server.on('DeleteCascadeTrajectory', (call) => {
      call.fail(500, 'unknown', 'trajectory not found: c1');
    });
    await agent.removeCascade('c1', never());
    server.on('DeleteCascadeTrajectory', (call) => {
      call.fail(500, 'unknown', 'boom');
    });
    expect(await errorOf(agent.removeCascade('c1', never()))).toMatchObject({ code: 'upstream_error' });
  });

  test('the heartbeat', async () => {
    const { server, agent, clock } = await connect();
    server.on('Heartbeat', ok);
    expect(await agent.heartbeat(never())).toBe(true);
    server.on('Heartbeat', (call) => {
      call.fail(401, 'unauthenticated', 'no');
    });
    expect(await agent.heartbeat(never())).toBe(false);
    server.on('Heartbeat', () => undefined);
    const late = agent.heartbeat(never());
    await server.arrived('Heartbeat', 3);
    await clock.elapse(5000);
    expect(await late).toBe(false);
    expect(await errorOf(agent.heartbeat(AbortSignal.abort(new Error('gone'))))).toMatchObject({ message: 'gone' });
  });
});
