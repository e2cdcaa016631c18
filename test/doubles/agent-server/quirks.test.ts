import { afterEach, describe, expect, test } from 'vitest';
import { objectsOf, textOf } from '../gemini-model/gemini-words.ts';
import { createAgentBench } from './agent-bench.ts';
import { at } from './ask-agent.ts';
import { describeQuirks, parseQuirks } from './quirks.ts';

const bench = createAgentBench();
afterEach(() => bench.close());

const bare = { titleCall: false, checkpoint: false };

describe('the wire', () => {
  test('pages of one step, and null entries that keep their place', async () => {
    const { client, turn } = await bench.open({ quirks: { ...bare, pageSize: 1, nullSteps: true } });
    const cascadeId = await client.start();
    await turn(cascadeId, '[[say Hi.]]');
    const first = await client.call('GetCascadeTrajectorySteps', { cascadeId });
    expect(objectsOf(first.body['steps'])).toHaveLength(1);
    expect((await client.call('GetCascadeTrajectorySteps', { cascadeId, stepOffset: 2 })).body).toEqual({ steps: [null] });
    expect((await client.call('GetCascadeTrajectorySteps', { cascadeId, stepOffset: 4 })).body).toEqual({});
    expect((await client.steps(cascadeId)).map((step) => step['type'] !== undefined)).toEqual([true, true, false, true]);
  });

  test('zero values written out, enums as numbers, and bare', async () => {
    const { agent, client, turn } = await bench.open({ quirks: { ...bare, omitZeros: false, enums: 'numbers' } });
    const cascadeId = await client.start();
    await turn(cascadeId, '[[say Hi.]]');
    const [step, , answer] = await client.steps(cascadeId);
    expect(step).toMatchObject({ type: 14, status: 3, metadata: { sourceTrajectoryStepInfo: { stepIndex: 0 } } });
    expect(at(answer, 'metadata.modelUsage.cacheReadTokens')).toBe('0');
    expect((await client.call('GetCascadeTrajectory', { cascadeId })).body['status']).toBe(1);
    agent.setQuirks({ enums: 'bare' });
    expect((await client.steps(cascadeId))[0]).toMatchObject({ type: 'USER_INPUT', status: 'DONE' });
  });
});

describe('calls', () => {
  test('busy twice, then the message is taken', async () => {
    const { client, turn } = await bench.open({ quirks: { ...bare, busyTimes: 2 } });
    const cascadeId = await client.start();
    const refused = { code: 'unknown', message: 'executor is busy' };
    expect((await client.send(cascadeId, 'Hi')).body).toMatchObject(refused);
    expect((await client.send(cascadeId, 'Hi')).body).toMatchObject(refused);
    await turn(cascadeId, '[[say Hi.]]');
  });

  test('two reads of steps fail in a row once the model speaks', async () => {
    const { client, turn } = await bench.open({ quirks: { ...bare, failedReads: 2 } });
    const cascadeId = await client.start();
    await turn(cascadeId, '[[say Hi.]]');
    const read = async (): Promise<number> => (await client.call('GetCascadeTrajectorySteps', { cascadeId })).status;
    expect([await read(), await read(), await read()]).toEqual([500, 500, 200]);
  });

  test('a fault decided by the test', async () => {
    const { client } = await bench.open({
      onRpc: ({ method, count }) =>
        method === 'Heartbeat' && count < 3 ? (count === 1 ? 'close' : { code: 'unavailable', message: 'no' }) : undefined,
    });
    await expect(client.call('Heartbeat')).rejects.toThrow();
    expect((await client.call('Heartbeat')).status).toBe(503);
    expect((await client.call('Heartbeat')).status).toBe(200);
  });

  test('after a restart the cascade is not found, unless it can be loaded again', async () => {
    const { agent, client } = await bench.open();
    const cascadeId = await client.start();
    agent.restart({ forgets: false, dropsConnections: false });
    expect((await client.send(cascadeId, 'Hi')).body['message']).toBe(`trajectory not found: ${cascadeId}`);
    expect((await client.call('LoadTrajectory', { cascadeId })).status).toBe(200);
    agent.restart({ dropsConnections: false });
    expect((await client.call('LoadTrajectory', { cascadeId })).status).toBe(500);
  });
});

describe('the run', () => {
  test('IDLE before the run begins, with the user step there already', async () => {
    const { agent, client, model, statusOf } = await bench.open({ quirks: { ...bare, idleBeforeRunMs: 50 } });
    const cascadeId = await client.start();
    const whenTaken = agent.until(() => agent.cascades()[0]?.stepCount === 2).then(() => statusOf(cascadeId));
    await client.send(cascadeId, '[[hold]]');
    expect(await whenTaken).toBe('IDLE');
    await model.until(() => model.held === 1);
    expect(statusOf(cascadeId)).toBe('RUNNING');
  });

  test('only modifiedResponse grows; the text is rewritten at DONE', async () => {
    const { agent, client, model, statusOf } = await bench.open({ quirks: { ...bare, rewriteAtDone: true } });
    const cascadeId = await client.start();
    await client.send(cascadeId, '[[say Begun]] [[hold]] [[say  and done.]]');
    await model.until(() => model.held === 1);
    await agent.until(() => agent.modelCalls[0]?.chunks.length === 1);
    const growing = (await client.steps(cascadeId))[2];
    expect(growing).toMatchObject({ status: 'CORTEX_STEP_STATUS_GENERATING', plannerResponse: { modifiedResponse: 'Begun' } });
    expect(growing?.['plannerResponse']).not.toHaveProperty('response');
    model.release();
    await agent.until(() => statusOf(cascadeId) === 'IDLE');
    expect(at((await client.steps(cascadeId))[2], 'plannerResponse.response')).toMatch(/^Edited: Begun/);
  });

  test('text and steps shrink for a moment', async () => {
    const { agent, client, turn } = await bench.open({ quirks: { ...bare, textShrinks: true, stepsShrink: true } });
    const cascadeId = await client.start();
    const seen: (string | undefined)[] = [];
    const over = client.stream('StreamAgentStateUpdates', { conversationId: cascadeId, subscriberId: 's' }, (frames) => {
      const update = at(frames.at(-1)?.message, 'update.mainTrajectoryUpdate.stepsUpdate');
      const count = Number(at(update, 'totalLength'));
      seen.push(
        count === 3 ? textOf(at(objectsOf(at(update, 'steps')).at(-1), 'plannerResponse.modifiedResponse')) : String(count),
      );
      return at(frames.at(-1)?.message, 'update.status') === 'CASCADE_RUN_STATUS_IDLE' && frames.length > 1;
    });
    await agent.until(() => agent.requests.length === 2);
    await turn(cascadeId, '[[say 0123456789 0123456789 0123456789 0123456789 0123456789]]');
    await over;
    expect(at((await client.steps(cascadeId))[2], 'plannerResponse.response')).toHaveLength(54);
    expect(seen).toContain('2');
  });

  test('an error step with and without recovery', async () => {
    const { agent, client, turn } = await bench.open({ quirks: { ...bare, errorStep: 'recovers' } });
    const types = async (cascadeId: string): Promise<string[]> =>
      (await client.steps(cascadeId)).slice(2).map((step) => textOf(step['type']).replace('CORTEX_STEP_TYPE_', ''));
    const first = await client.start();
    await turn(first, '[[say Hi.]]');
    expect(await types(first)).toEqual(['ERROR_MESSAGE', 'PLANNER_RESPONSE']);
    agent.setQuirks({ errorStep: 'final' });
    const second = await client.start();
    await turn(second, '[[say Hi.]]');
    expect(await types(second)).toEqual(['ERROR_MESSAGE']);
  });

  test.each(['running', 'busy', 'idle'] as const)(
    'it waits for a permission while %s, and remembers the answer',
    async (waiting) => {
      const { agent, client, statusOf } = await bench.open({ quirks: { ...bare, waiting } });
      const cascadeId = await client.start();
      await client.send(cascadeId, '[[say Hi.]]');
      const step = async (): Promise<unknown> => (await client.steps(cascadeId))[3];
      await agent.until(() => agent.cascades()[0]?.stepCount === 4);
      expect([statusOf(cascadeId), at(await step(), 'status')]).toEqual([waiting.toUpperCase(), 'CORTEX_STEP_STATUS_WAITING']);
      const trajectoryId = agent.cascades()[0]?.trajectoryId;
      const decline = (id: unknown): Promise<{ status: number }> =>
        client.call('HandleCascadeUserInteraction', {
          cascadeId,
          interaction: { trajectoryId: id, stepIndex: 3, permission: { allow: false } },
        });
      expect((await decline(cascadeId)).status).toBe(500);
      expect((await decline(trajectoryId)).status).toBe(200);
      await agent.until(() => statusOf(cascadeId) === 'IDLE');
      expect(agent.interactions).toEqual([{ cascadeId, stepIndex: 3, allow: false }]);
      expect(at(await step(), 'status')).toBe('CORTEX_STEP_STATUS_CANCELED');
    },
  );

  test('an empty answer, and a run that never ends', async () => {
    const { agent, client, turn, statusOf, model } = await bench.open({ quirks: { ...bare, emptyAnswer: 'no-step' } });
    const cascadeId = await client.start();
    await turn(cascadeId, 'Hi');
    expect([(await client.steps(cascadeId)).length, model.calls.length]).toEqual([2, 0]);
    agent.setQuirks({ emptyAnswer: 'none', neverFinishes: true });
    await client.send(cascadeId, '[[say All said.]]');
    await agent.until(() => agent.modelCalls[0]?.outcome === 'done');
    expect(statusOf(cascadeId)).toBe('RUNNING');
    await client.call('CancelCascadeInvocation', { cascadeId });
    await agent.until(() => statusOf(cascadeId) === 'IDLE');
  });
});

describe('the text', () => {
  const treated: [quirks: object, sent: string, expected: string][] = [
    [{ whitespace: 'trim' }, '  a \n', '<USER_REQUEST>\na\n</USER_REQUEST>'],
    [{ whitespace: 'lf', template: 'bare' }, 'a\r\nb', 'a\nb'],
    [{ whitespace: 'mangle', template: 'bare' }, ' a\u200b  \n b<!-- c --> /* d */ e ', 'a b e'],
    [{ template: 'markdown' }, 'a', "## The user's request\n\na\n\n---"],
  ];
  test.each(treated)('%j', async (quirks, sent, expected) => {
    const { agent, client, turn } = await bench.open({ quirks: { ...bare, ...quirks } });
    await turn(await client.start(), sent);
    const [content] = agent.cascades()[0]?.contents ?? [];
    expect(textOf(objectsOf(content?.['parts'])[0]?.['text']).startsWith(expected)).toBe(true);
  });
});

test('quirks of a command line', () => {
  expect(parseQuirks(['pageSize=1', 'nullSteps', 'omitZeros=false', 'waiting=idle'])).toEqual({
    pageSize: 1,
    nullSteps: true,
    omitZeros: false,
    waiting: 'idle',
  });
  for (const wrong of ['nope', 'pageSize', 'pageSize=x', 'waiting=maybe', 'nullSteps=1', 'constructor'])
    expect(() => parseQuirks([wrong])).toThrow(/quirk/);
  expect(describeQuirks()).toContain('whitespace=keep|trim|lf|trim-lf|mangle');
});
