import { afterEach, describe, expect, test } from 'vitest';
import { objectsOf } from '../gemini-model/gemini-words.ts';
import { createAgentBench, type OpenAgent } from './agent-bench.ts';
import { at, type StreamFrame } from './ask-agent.ts';
import type { AgentQuirks } from './quirks.ts';

const bench = createAgentBench();
afterEach(() => bench.close());

const states = 'StreamAgentStateUpdates';
const bare = { titleCall: false, checkpoint: false };

/** Frames of one turn, watched from before it. */
async function watch(
  quirks: Partial<AgentQuirks>,
  text = '[[say Hello, dear reader of frames.]]',
): Promise<readonly StreamFrame[]> {
  const open = await bench.open({ quirks: { ...bare, ...quirks } });
  const cascadeId = await open.client.start();
  const frames = open.client.stream(states, { conversationId: cascadeId, subscriberId: 'one' }, isIdleAgain);
  await subscribed(open);
  await open.turn(cascadeId, text);
  return frames;
}

function subscribed({ agent }: OpenAgent): Promise<void> {
  return agent.until(() =>
    agent.requests.some((entry) => entry.type === 'rpc' && entry.method.startsWith('Stream') && entry.status === 200),
  );
}

function statusOf(frame: StreamFrame | undefined): unknown {
  return at(frame?.message, 'update.status');
}

function isIdleAgain(frames: readonly StreamFrame[]): boolean {
  const last = statusOf(frames.at(-1));
  return last === 'CASCADE_RUN_STATUS_IDLE' && frames.some((frame) => statusOf(frame) === 'CASCADE_RUN_STATUS_RUNNING');
}

/** The steps as a client would put them together. */
function assemble(frames: readonly StreamFrame[]): unknown[] {
  const slots: unknown[] = [];
  for (const { message } of frames) {
    const update = at(message, 'update.mainTrajectoryUpdate.stepsUpdate');
    const indices = (at(update, 'indices') ?? objectsOf(at(update, 'steps')).map((_, index) => index)) as number[];
    indices.forEach((index, place) => (slots[index] = objectsOf(at(update, 'steps'))[place]));
  }
  return slots;
}

describe('StreamAgentStateUpdates', () => {
  test('a snapshot with IDLE first, then sparse updates; the same slot is sent again as it grows', async () => {
    const frames = await watch({});
    expect(statusOf(frames[0])).toBe('CASCADE_RUN_STATUS_IDLE');
    const sizes = frames.map(({ message }) => objectsOf(at(message, 'update.mainTrajectoryUpdate.stepsUpdate.steps')).length);
    expect(Math.max(...sizes.slice(2))).toBe(1);
    expect(at(assemble(frames)[2], 'plannerResponse.response')).toBe('Hello, dear reader of frames.');
    expect(at(frames.at(-1)?.message, 'update.executableStatus')).toBe('CASCADE_RUN_STATUS_IDLE');
    expect(frames.some((frame) => statusOf(frame) === undefined)).toBe(true);
  });

  test('whole lists instead of indices, and frames cut anywhere', async () => {
    const frames = await watch({ sparseUpdates: false, splitFrames: true, firstFrame: false });
    expect(frames.every(({ message }) => at(message, 'update.mainTrajectoryUpdate.stepsUpdate.indices') === undefined)).toBe(
      true,
    );
    expect(at(assemble(frames)[2], 'plannerResponse.response')).toBe('Hello, dear reader of frames.');
  });

  test('the body ends without an end frame, or with an error in it', async () => {
    const eof = await watch({ stateStream: 'eof' });
    expect(eof.some(({ isEnd }) => isEnd)).toBe(false);
    const failed = await watch({ stateStream: 'fails' });
    expect(failed.at(-1)).toEqual({
      isEnd: true,
      message: { error: { code: 'internal', message: 'the stream was interrupted' } },
    });
  });

  test('not implemented: an end frame with status 200, or 404', async () => {
    const { agent, client } = await bench.open({ quirks: { stateStream: 'unimplemented' } });
    const frames = await client.stream(states, { conversationId: 'x', subscriberId: 's' });
    expect(frames).toMatchObject([{ isEnd: true, message: { error: { code: 'unimplemented' } } }]);
    agent.setQuirks({ stateStream: 'missing' });
    const answer = await client.call(states, {}, { 'content-type': 'application/connect+json' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'unimplemented' } });
  });

  test('a bare JSON request is read as an envelope and refused', async () => {
    const { client } = await bench.open();
    const answer = await client.call(states, { conversationId: 'x' }, { 'content-type': 'application/connect+json' });
    expect(answer.status).toBe(400);
    expect(answer.body['message']).toMatch(/promised \d+ bytes in enveloped message/);
  });

  test('a subscriber id that is used again ends the stream before', async () => {
    const { agent, client } = await bench.open();
    const cascadeId = await client.start();
    const body = { conversationId: cascadeId, subscriberId: 'same' };
    const first = client.stream(states, body);
    await agent.until(() => agent.bodiesOf(states).length === 1);
    const second = client.stream(states, body, (frames) => frames.length === 1);
    expect((await first).at(-1)).toMatchObject({
      isEnd: true,
      message: { error: { message: 'subscription closed by repeat id' } },
    });
    expect(await second).toHaveLength(1);
  });

  test('pages begin at the index that was asked for', async () => {
    const { client, turn } = await bench.open({ quirks: bare });
    const cascadeId = await client.start();
    await turn(cascadeId, '[[say Hi.]]');
    const body = { conversationId: cascadeId, subscriberId: 's', initialStepsPageBounds: { startIndex: 2 } };
    const [frame] = await client.stream(states, body, (frames) => frames.length === 1);
    expect(at(frame?.message, 'update.mainTrajectoryUpdate.stepsUpdate')).toMatchObject({ indices: [2], totalLength: 3 });
  });
});

describe('StreamCascadeReactiveUpdates', () => {
  test('is usually disabled: status 200, and an end frame that says so', async () => {
    const { client } = await bench.open();
    const frames = await client.stream('StreamCascadeReactiveUpdates', { protocolVersion: 1, id: 'x', subscriberId: 's' });
    expect(frames).toEqual([{ isEnd: true, message: { error: { code: 'unknown', message: 'reactive state is disabled' } } }]);
  });

  test('or tells that something changed', async () => {
    const open = await bench.open({ quirks: { ...bare, reactiveStream: 'works' } });
    const cascadeId = await open.client.start();
    const request = { protocolVersion: 1, id: cascadeId, subscriberId: 's' };
    const frames = open.client.stream('StreamCascadeReactiveUpdates', request, (all) => all.length === 3);
    await subscribed(open);
    await open.turn(cascadeId, '[[say Hi.]]');
    expect((await frames).map(({ message }) => message['version'])).toEqual(['1', '2', '3']);
  });
});
