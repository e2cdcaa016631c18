import { afterEach, describe, expect, test } from 'vitest';
import { startAgentGateway } from '../doubles/start-agent-gateway.ts';
import { judgeAnswer } from './judge-answer.ts';
import { createLatestSessions } from './latest-sessions.ts';
import { createModelWatch } from './model-watch.ts';
import { createKeys, runIsolation, type IsolationReport } from './run-isolation.ts';
import { startPlantedGateway } from './start-planted-gateway.ts';

const clients = 64;
const minutes = 60_000;
/** `ISOLATION_SEED=7` repeats a run as far as the machine lets it. */
const seed = Number(process.env['ISOLATION_SEED'] ?? Date.now() % 1_000_000);
const keys = createKeys(24);
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function show(what: string, { crossed, faulty, turns, firstCrossing }: IsolationReport): void {
  const first = firstCrossing === null ? '' : `, the first one seen in turn ${String(firstCrossing)}`;
  console.log(
    `${what}: ${String(crossed)} crossed / ${String(turns)} turns${first} (${String(faulty)} failed, seed ${String(seed)})`,
  );
}

describe(`${String(clients)} clients at once (S15, G11)`, () => {
  test.each([
    ['reverse', 192],
    ['forward', 96],
  ] as const)(
    'nothing crosses, in answers, stored responses and model requests: %s tap, %d turns',
    async (mode, turns) => {
      const watch = createModelWatch();
      const model = { answer: watch.answer };
      const server = `keys: ${JSON.stringify(keys)}`;
      const bench = await startAgentGateway({ mode, server, model, agent: { quirks: { lateThinking: true } } });
      closing.push(() => bench.close());
      const report = await runIsolation({ url: bench.url, keys, watch, clients, turns, seed });
      show('isolation', report);
      expect(report.words).toEqual([]);
      expect(bench.model.violations).toEqual([]);
      expect([report.crossed, report.faulty]).toEqual([0, 0]);
      expect(watch.requests).toBeGreaterThan(report.turns);
    },
    3 * minutes,
  );
});

describe('the test can fail', () => {
  test.each(['always', 'fallback'] as const)(
    'a planted global slot is caught within 100 turns: %s',
    async (slot) => {
      const watch = createModelWatch();
      const bench = await startPlantedGateway(createLatestSessions(slot), { keys, watch });
      closing.push(() => bench.close());
      const report = await runIsolation({ url: bench.url, keys, watch, clients, turns: 100, seed, stopsAtCrossing: true });
      show(`planted slot (${slot})`, report);
      expect(report.firstCrossing).toBeLessThanOrEqual(100);
      expect(report.crossed).toBeGreaterThan(0);
    },
    3 * minutes,
  );

  test(
    'the same spoilt marks without the slot: turns fail, nothing crosses',
    async () => {
      const watch = createModelWatch();
      const bench = await startPlantedGateway(createLatestSessions(null), { keys, watch });
      closing.push(() => bench.close());
      const report = await runIsolation({ url: bench.url, keys, watch, clients, turns: clients, seed });
      show('marks spoilt, no slot', report);
      expect(report.crossed).toBe(0);
      expect(report.faulty).toBeGreaterThan(0);
      expect(report.words.filter((word) => !/do not go through the tap/.test(word))).toEqual([]);
    },
    3 * minutes,
  );

  test('another client in an answer, wrong usage and a mixed model request are seen', () => {
    const watch = createModelWatch();
    const body = {
      ...{ id: 'resp_1', status: 'completed', error: null, incomplete_details: null, completed_at: 1 },
      output: [{ id: 'msg_1', type: 'message', content: [{ type: 'output_text', text: 'Cnry001t0text' }] }],
      usage: {
        ...{ input_tokens: 3, output_tokens: 1, total_tokens: 4 },
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens_details: { reasoning_tokens: 0 },
      },
    };
    const answer = { status: 200, headers: new Headers(), events: [], faults: [], body };
    const expected = { text: 'Cnry001t0text', thinking: '', calls: [] };
    const usage = { input: 3, output: 1, thinking: 0 };
    expect(judgeAnswer({ client: 1, answer, expected, usage })).toEqual({ crossed: [], faults: [] });
    expect(judgeAnswer({ client: 2, answer, expected, usage }).crossed).toEqual(['the answer of client 2 has canaries of 1']);
    expect(judgeAnswer({ client: 1, answer, expected, usage: { ...usage, thinking: 9 } }).crossed).toHaveLength(1);
    expect(judgeAnswer({ client: 1, answer, expected: { ...expected, thinking: 'x' }, usage }).faults).toHaveLength(1);
    const headers = new Headers({ 'x-request-id': 'Cnry003' });
    expect(judgeAnswer({ client: 1, answer: { ...answer, headers }, expected, usage }).crossed).toHaveLength(1);
    watch.begin(1);
    watch.begin(2);
    const call = { text: 'Cnry001t0user Cnry002t5user', verb: 'streamGenerateContent', chunks: [] };
    void watch.answer(call as unknown as Parameters<typeof watch.answer>[0]);
    expect(watch.crossed).toEqual(['a model request has canaries of the clients 1,2']);
  });
});
