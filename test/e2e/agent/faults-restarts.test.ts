import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentServerDouble } from '../../doubles/agent-server/agent-server-options.ts';
import { startAgentServer } from '../../doubles/agent-server/start-agent-server.ts';
import { buildGateway, type BuiltGateway, type GatewayProcess } from '../../doubles/gateway-process.ts';
import { startGeminiModel, type GeminiModel } from '../../doubles/gemini-model/start-gemini-model.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { ask, callsOf, hiddenForms, mainCallsOf, messagesOf, openAnswer, outputsFor } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather')];
const impatient = 'timeouts: { connect: 1s, first_byte: 1s, idle: 1s }\nstore: { url: "memory:" }';

describe.each(['none', 'reverse'] as const)('the agent server is gone in mid-turn, tap: %s', (mode) => {
  /** What happens to it while a turn is shown half. */
  const losses: readonly (readonly [name: string, happen: (bench: AgentGateway) => void | Promise<void>])[] = [
    ['its cascades are lost, its connections break', ({ agent }) => agent.restart()],
    ['its cascades are lost, its connections stay', ({ agent }) => agent.restart({ dropsConnections: false })],
    ['its cascades lie on its disk', ({ agent }) => agent.restart({ forgets: false })],
  ];

  test.each(losses)('%s: failed, nothing is repeated, and the history is told to a new one', async (_name, happen) => {
    for (const stream of [true, false]) {
      const bench = await startAgentGateway({ mode, more: impatient, model: { forbidden: hiddenForms } });
      const first = await ask(bench, { input: 'FIRST words [[say One.]]' });
      const from = bench.model.calls.length;
      const turn = openTurn(bench, { input: 'BROKEN [[say Part one. And more words of it.]] [[hold]]', stream });
      await bench.model.until(() => bench.model.held > 0);
      await happen(bench);
      const broken = await turn;
      expect([broken.isFailed, broken.faults]).toEqual([true, []]);
      expect(mainCallsOf(bench, from)).toHaveLength(1);
      const next = await ask(bench, { input: '[[say Two.]]', previous_response_id: first.body.id, stream });
      expect(messagesOf(next.body).join('').endsWith('Two.')).toBe(true);
      const asked = mainCallsOf(bench).at(-1)?.text ?? '';
      expect([asked.includes('FIRST words'), asked.includes('BROKEN')]).toEqual([true, false]);
      expect(bench.model.violations).toEqual([]);
      await bench.close();
    }
  });
});

test('nobody listens any more: failed when the patience is over, and told to a new one as soon as somebody does', async () => {
  await Promise.all(
    (['none', 'reverse'] as const).map(async (mode) => {
      const bench = await startAgentGateway({ mode, more: impatient, model: { forbidden: hiddenForms } });
      const first = await ask(bench, { input: 'FIRST words [[say One.]]' });
      const from = bench.model.calls.length;
      const ways = [true, false];
      const turns = ways.map((stream) => openTurn(bench, { input: 'BROKEN [[say Part one. And more.]] [[hold]]', stream }));
      await bench.model.until(() => bench.model.held === ways.length);
      const comeBack = await bench.agent.leave();
      expect(await Promise.all(turns)).toEqual(ways.map(() => ({ isFailed: true, faults: [] })));
      expect(mainCallsOf(bench, from)).toHaveLength(ways.length);
      await comeBack();
      for (const stream of ways) {
        const next = await ask(bench, { input: '[[say Two.]]', previous_response_id: first.body.id, stream });
        expect(messagesOf(next.body).join('').endsWith('Two.')).toBe(true);
        const asked = mainCallsOf(bench).at(-1)?.text ?? '';
        expect([asked.includes('FIRST words'), asked.includes('BROKEN')]).toEqual([true, false]);
      }
      expect(bench.model.violations).toEqual([]);
      await bench.close();
    }),
  );
});

async function openTurn(
  bench: { readonly url: string },
  { stream, ...request }: { readonly input: string; readonly stream: boolean },
): Promise<{ readonly isFailed: boolean; readonly faults: readonly string[] }> {
  if (stream) {
    const { last, faults } = await (await openAnswer(bench, request)).rest();
    return { isFailed: last?.type === 'response.failed', faults };
  }
  return { isFailed: (await ask(bench, { ...request, stream })).status >= 500, faults: [] };
}

describe('the gateway with its tap is gone in mid-turn', () => {
  let built: BuiltGateway;
  beforeAll(async () => {
    built = await buildGateway();
  }, 60_000);
  afterAll(() => built.remove());

  interface Installed {
    readonly agent: AgentServerDouble;
    readonly model: GeminiModel;
    start(): Promise<GatewayProcess>;
    close(): Promise<void>;
  }

  async function install(name: string): Promise<Installed> {
    const model = await startGeminiModel({ forbidden: hiddenForms });
    const agent = await startAgentServer({ modelUrl: model.url });
    const yaml = [
      `store: { url: "sqlite:./${name}.db" }`,
      `backends: { agent: { type: cascade, base_url: "${agent.url}", tap: wire } }`,
      `taps: { wire: { mode: reverse, listen: "127.0.0.1:0", upstream: "${model.url}" } }`,
    ].join('\n');
    return {
      agent,
      model,
      async start() {
        const gateway = await built.start(yaml);
        agent.setModelWay({ modelUrl: await gateway.tapUrl() });
        return gateway;
      },
      async close() {
        await agent.close();
        await model.close();
      },
    };
  }

  test('killed: what was answered before goes on in the new process, marks and calls of the old one are known', async () => {
    const installed = await install('killed');
    const { model, agent } = installed;
    const old = await installed.start();
    const first = await ask(old, { input: '[[say I look.]] [[call get_weather {"city":"Oslo"}]]', tools, conversation: 'talk' });
    expect(callsOf(first.body)).toEqual(['get_weather {"city":"Oslo"}']);
    const broken = openAnswer(old, { input: 'BROKEN [[say x]] [[hold]]', conversation: 'other' });
    await model.until(() => model.held > 0);
    old.kill('SIGKILL');
    await old.exit;
    await (await broken).rest().catch(() => undefined);
    // Without the tap the agent's model call is over, and the agent with it.
    await agent.until(() => agent.cascades().every(({ status }) => status === 'IDLE'));
    const gateway = await installed.start();
    const started = agent.bodiesOf('StartCascade').length;
    const second = await ask(gateway, { input: outputsFor(first.body, 'snow'), tools, conversation: 'talk', stream: true });
    expect(messagesOf(second.body)).toEqual(['get_weather returned {"result":"snow"}.']);
    expect(agent.bodiesOf('StartCascade')).toHaveLength(started);
    const other = await ask(gateway, { input: '[[say Anew.]]', conversation: 'other' });
    expect(messagesOf(other.body)).toEqual(['Anew.']);
    expect(mainCallsOf({ model }).at(-1)?.text).not.toContain('BROKEN');
    expect(model.violations).toEqual([]);
    gateway.kill('SIGTERM');
    expect(await gateway.exit).toBe(0);
    await installed.close();
  }, 60_000);

  test('asked to end: the turn that runs through its tap is finished first', async () => {
    const installed = await install('ended');
    const { model } = installed;
    const gateway = await installed.start();
    const open = await openAnswer(gateway, { input: '[[say Half.]] [[hold]] [[say Whole.]]', tools });
    await open.until('Half.');
    gateway.kill('SIGTERM');
    await expect
      .poll(() =>
        fetch(gateway.url).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed');
    model.release();
    const { last, faults } = await open.rest();
    expect([last?.type, faults]).toEqual(['response.completed', []]);
    expect(messagesOf(last?.response ?? ({ output: [] } as never))).toEqual(['Half.Whole.']);
    expect(await gateway.exit).toBe(0);
    await installed.close();
  }, 60_000);
});
