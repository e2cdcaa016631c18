import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { defaultQuirks } from '../../doubles/agent-server/quirks.ts';
import type { StreamAnswer } from '../../doubles/post-response.ts';
import { startAgentGateway, tapModes, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { ask, callsOf, errorCodeOf, hiddenForms, mainCallsOf, messagesOf, openAnswer, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather')];
const ways = tapModes.flatMap((mode) => [true, false].map((stream) => ({ mode, stream })));
const benches = new Map<string, AgentGateway>();

/** One gateway for each way to the model. */
function benchOf(mode: string): AgentGateway {
  const bench = benches.get(mode);
  if (bench === undefined) throw new Error(mode);
  return bench;
}

beforeAll(async () => {
  for (const mode of tapModes)
    benches.set(mode, await startAgentGateway({ mode, agent: { notes: { a: 'x' } }, model: { forbidden: hiddenForms } }));
});
afterEach(() => {
  for (const { agent, model } of benches.values()) {
    agent.setQuirks(defaultQuirks);
    expect(model.violations).toEqual([]);
  }
});
afterAll(async () => {
  for (const bench of benches.values()) await bench.close();
});

/** Resolves when a call of the model was broken off, after the first `from` ones. */
const modelBreaksOff = ({ model }: AgentGateway, from: number): Promise<void> =>
  model.until(() => mainCallsOf({ model }, from).some(({ wasAborted }) => wasAborted));

const lastRunIsCancelled = ({ agent }: AgentGateway): Promise<void> => {
  const last = agent.cascades().at(-1)?.cascadeId;
  return agent.until(() => agent.cancelled.some(({ cascadeId }) => cascadeId === last));
};

describe('the deadline', () => {
  interface LateAnswer {
    readonly answer: StreamAnswer;
    /** Calls of the model before the request. */
    readonly from: number;
  }

  /** The deadline shall come behind the text. Where it came before there was any, on a machine that is busy, the answer is a plain failure: then with twice the time. */
  async function askTillDeadline(bench: AgentGateway, request: object): Promise<LateAnswer> {
    for (let timeout = 0.25; ; timeout *= 2) {
      const from = bench.model.calls.length;
      const answer = await ask(bench, { ...request, timeout });
      const isEarly = errorCodeOf(answer) === 'upstream_timeout' && (answer.status !== 200 || answer.body.output.length === 0);
      if (!isEarly || timeout >= 16) return { answer, from };
    }
  }

  test.each(ways)('ends in response.incomplete with what there is, and cancels: %j', async ({ mode, stream }) => {
    const bench = benchOf(mode);
    const request = { input: '[[say Part one.]] [[hold]] [[say Never]]', stream };
    const { answer, from } = await askTillDeadline(bench, request);
    const { status, body, events } = answer;
    expect([status, body.status, messagesOf(body)]).toEqual([200, 'incomplete', ['Part one.']]);
    if (stream) expect(events.at(-1)?.type).toBe('response.incomplete');
    await lastRunIsCancelled(bench);
    await modelBreaksOff(bench, from);
  });

  test.each(tapModes)('a run that says all and does not end is cancelled as well: %s', async (mode) => {
    const bench = benchOf(mode);
    bench.agent.setQuirks({ neverFinishes: true });
    const { answer } = await askTillDeadline(bench, { input: '[[say All of it.]]', stream: true });
    const { body } = answer;
    expect([body.status, messagesOf(body)]).toEqual(['incomplete', ['All of it.']]);
    await lastRunIsCancelled(bench);
  });
});

describe('a client that leaves', () => {
  const waits: number[] = [];

  test.each(ways)('cancels the run and the model call: %j', async ({ mode, stream }) => {
    const bench = benchOf(mode);
    for (let round = 0; round < 8; round++) {
      const [from, cancelled] = [bench.model.calls.length, bench.agent.cancelled.length];
      const request = { input: '[[say Part one.]] [[hold]]', stream };
      const leave = stream ? await openStreamed(bench, request) : await openSynced(bench, request, from);
      const left = performance.now();
      leave();
      await bench.agent.until(() => bench.agent.cancelled.length > cancelled);
      waits.push((bench.agent.cancelled.at(-1)?.at ?? Infinity) - left);
      await modelBreaksOff(bench, from);
    }
  });

  test('and the conversation goes on without the turn that was left', async () => {
    const bench = benchOf('reverse');
    const first = await ask(bench, { input: 'FIRST [[say One.]]', conversation: 'left' });
    const open = await openAnswer(bench, { input: 'LEFT [[say Part.]] [[hold]]', conversation: 'left' });
    await open.until('Part.');
    open.leave();
    await bench.agent.until(() => bench.agent.cancelled.length > 0);
    const from = bench.model.calls.length;
    const next = await ask(bench, { input: '[[say Two.]]', previous_response_id: first.body.id });
    expect(messagesOf(next.body)).toEqual(['Two.']);
    expect(mainCallsOf(bench, from)[0]?.text).toContain('FIRST');
    expect(mainCallsOf(bench, from)[0]?.text).not.toContain('LEFT');
  });

  afterAll(() => {
    waits.sort((one, other) => one - other);
    const at = (part: number): string => (waits[Math.floor(waits.length * part)] ?? 0).toFixed(1);
    console.log(`client gone -> cancel: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${String(waits.length)}`);
  });

  async function openStreamed(bench: AgentGateway, request: object): Promise<() => void> {
    const open = await openAnswer(bench, request);
    await open.until(bench.tapUrl === '' ? 'response.in_progress' : 'Part one.');
    await bench.model.until(() => bench.model.held > 0);
    return () => {
      open.leave();
    };
  }

  async function openSynced(bench: AgentGateway, request: object, from: number): Promise<() => void> {
    const left = new AbortController();
    const answer = fetch(`${bench.url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'agent/gemini-3-pro', ...request }),
      signal: left.signal,
    }).catch(() => null);
    await bench.model.until(() => bench.model.held > 0 && mainCallsOf(bench, from).length > 0);
    return () => {
      left.abort();
      void answer;
    };
  }
});

describe('an agent server that restarts in mid-turn', () => {
  test.each(ways)('fails the turn and does not repeat it: %j', async ({ mode, stream }) => {
    const bench = benchOf(mode);
    const [from, sent] = [bench.model.calls.length, bench.agent.bodiesOf('SendUserCascadeMessage').length];
    const request = { input: '[[say Part one. And some more words.]] [[hold]]' };
    if (stream) {
      const open = await openAnswer(bench, request);
      await open.until('Part one');
      bench.agent.restart();
      const { events, faults, last } = await open.rest();
      expect([faults, last?.type]).toEqual([[], 'response.failed']);
      expect(events.some(({ type }) => type === 'response.output_text.delta')).toBe(true);
    } else {
      const answer = ask(bench, { ...request, stream });
      await bench.model.until(() => mainCallsOf(bench, from).some(({ chunks }) => chunks.length > 2));
      bench.agent.restart();
      expect((await answer).status).toBeGreaterThanOrEqual(500);
    }
    expect(mainCallsOf(bench, from)).toHaveLength(1);
    expect(bench.agent.bodiesOf('SendUserCascadeMessage')).toHaveLength(sent + 1);
    bench.model.release();
  });

  test.each(['reverse', 'forward'])('the next turn runs in a new cascade that is told the history: %s', async (mode) => {
    const bench = benchOf(mode);
    const first = await ask(bench, { input: 'FIRST [[call get_weather {"city":"Oslo"}]]', tools });
    const open = await openAnswer(bench, {
      input: [...outputsFor(first.body, 'lost'), { role: 'user', content: 'BROKEN [[say Part one.]] [[hold]]' }],
      previous_response_id: first.body.id,
      tools,
    });
    await open.until('Part one.');
    bench.agent.restart();
    expect((await open.rest()).last?.type).toBe('response.failed');
    const [from, started] = [bench.model.calls.length, bench.agent.bodiesOf('StartCascade').length];
    const after = { input: outputsFor(first.body, 'rain'), previous_response_id: first.body.id, tools, stream: true };
    const next = await ask(bench, after);
    expect(messagesOf(next.body)).toEqual(['get_weather returned {"result":"rain"}.']);
    expect(bench.agent.bodiesOf('StartCascade')).toHaveLength(started + 1);
    expect(mainCallsOf(bench, from)[0]?.text).toContain('FIRST');
    expect(mainCallsOf(bench, from)[0]?.text).not.toContain('BROKEN');
    const later = await ask(bench, { input: '[[say Later.]]', previous_response_id: next.body.id });
    expect(messagesOf(later.body)).toEqual(['Later.']);
  });
});

describe('answers that are none', () => {
  test.each(['no-step', 'blank-step'] as const)('an empty one fails, all ways: %s', async (emptyAnswer) => {
    for (const { agent } of benches.values()) agent.setQuirks({ emptyAnswer });
    const asked = ways.map(({ mode, stream }) => ask(benchOf(mode), { input: 'Say nothing', stream }));
    for (const { status, body } of await Promise.all(asked)) expect(body.status === 'failed' || status >= 500).toBe(true);
  });

  test.each(ways)('IDLE before the run begins is not empty: %j', async ({ mode, stream }) => {
    const bench = benchOf(mode);
    bench.agent.setQuirks({ idleBeforeRunMs: 1_000 });
    expect(messagesOf((await ask(bench, { input: '[[say Late.]]', stream })).body)).toEqual(['Late.']);
  });

  test.each(['reverse', 'forward'])('a call alone is an answer: %s', async (mode) => {
    const { body } = await ask(benchOf(mode), { input: '[[call get_weather {}]]', tools, stream: true });
    expect([body.status, callsOf(body)]).toEqual(['completed', ['get_weather {}']]);
  });

  test.each(tapModes)('a model that is out of quota is a 429: %s', async (mode) => {
    expect((await ask(benchOf(mode), { input: '[[status 429 9]]' })).status).toBe(429);
  });

  test.each(ways)('an error step that the model recovers from is none; a final one fails: %j', async ({ mode, stream }) => {
    const bench = benchOf(mode);
    bench.agent.setQuirks({ errorStep: 'recovers' });
    expect((await ask(bench, { input: '[[say Better.]]', stream })).body).toMatchObject({ status: 'completed' });
    bench.agent.setQuirks({ errorStep: 'final' });
    const failed = await ask(bench, { input: '[[say Never.]]', stream });
    expect(failed.body.status === 'failed' || failed.status >= 500).toBe(true);
  });

  test.each(['running', 'busy', 'idle'] as const)('a question to a human is declined, never allowed: %s', async (waiting) => {
    const agents = [...benches.values()].map(({ agent }) => agent);
    const before = agents.map(({ interactions }) => interactions.length);
    for (const agent of agents) agent.setQuirks({ waiting });
    const asked = ways.map(({ mode, stream }) => ask(benchOf(mode), { input: '[[say May I?]]', stream }));
    for (const { body } of await Promise.all(asked)) expect(body.status).not.toBe('in_progress');
    for (const [index, { interactions }] of agents.entries())
      expect(interactions.slice(before[index]).map(({ allow }) => allow)).toEqual([false, false]);
  });

  test.each(ways)('two 500s while reading steps are nothing: %j', async ({ mode, stream }) => {
    const bench = benchOf(mode);
    bench.agent.setQuirks({ failedReads: 2 });
    const { body } = await ask(bench, { input: '[[say One two three four five six.]]', stream });
    expect([body.status, messagesOf(body)]).toEqual(['completed', ['One two three four five six.']]);
  });
});
