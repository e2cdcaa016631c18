import { afterAll, describe, expect, test } from 'vitest';
import type { RpcFault } from '../../doubles/agent-server/agent-server-options.ts';
import { startAgentGateway, type AgentGateway, type TapMode } from '../../doubles/start-agent-gateway.ts';
import { runSideBySide } from '../../run-side-by-side.ts';
import { ask, messagesOf } from './ask-agent.ts';

const text = 'The whole answer, in several pieces of text.';
const timeouts = 'timeouts: { connect: 1s, first_byte: 800ms, idle: 800ms }\nstore: { url: "memory:" }';

const failed: RpcFault = { code: 'internal', message: 'something broke' };
const faults: readonly (readonly [name: string, fault: RpcFault])[] = [
  ['500', failed],
  ['503', { code: 'unavailable', message: 'overloaded', status: 503 }],
  ['close', 'close'],
  ['hang', 'hang'],
];

/** A turn cannot do without these, whatever is behind them. */
const essential = ['StartCascade', 'SendUserCascadeMessage', 'GetCascadeTrajectorySteps', 'GetCascadeTrajectory'];
/** Read again after a moment; the rest of the essential ones might do their work twice. A silent one has had all the time there is. */
const repeatable = ['GetCascadeTrajectorySteps', 'GetCascadeTrajectory'];
/** Asked for before anything is sent. Where the server as a whole is ill, it is not sent anything; where only this call fails, there is another one. */
const catalogue = 'GetCascadeModelConfigData';
const methods = [
  ...essential,
  'StreamAgentStateUpdates',
  'StreamCascadeReactiveUpdates',
  'UpdateConversationAnnotations',
  'GetCascadeModelConfigData',
  'GetAvailableModels',
  'GetCascadeTrajectoryGeneratorMetadata',
  'Heartbeat',
];

interface Case {
  readonly mode: TapMode;
  readonly method: string;
  readonly fault: readonly [name: string, fault: RpcFault];
  /** How often it fails; Infinity: always. */
  readonly times: number;
  /** How many calls are well before. */
  readonly skips: number;
}

const seen = { bad: 0, tried: 0 };
afterAll(() => {
  console.log(`agent server, each call failing once and always: ${String(seen.bad)} bad / ${String(seen.tried)} tried`);
});

/** What is wrong with the turns of one case; both are asked at once. */
async function runCase(one: Case): Promise<string[]> {
  const { mode, method, fault, times, skips } = one;
  let [left, well] = [0, 0];
  const bench = await startAgentGateway({
    mode,
    more: timeouts,
    agent: { onRpc: (rpc) => (rpc.method === method && left > 0 && well-- <= 0 && left-- > 0 ? fault[1] : undefined) },
  });
  try {
    [left, well] = [times, skips];
    const verdicts = await Promise.all([judge(bench, one, true), judge(bench, one, false)]);
    left = 0;
    const next = await ask(bench, { input: `[[say ${text}]]`, stream: true });
    const isWell = next.body.status === 'completed' && messagesOf(next.body).join() === text;
    return [...verdicts.flat(), ...(isWell ? [] : [`the next turn: ${next.body.status} ${JSON.stringify(next.body.error)}`])];
  } finally {
    await bench.close();
  }
}

async function judge(bench: AgentGateway, one: Case, stream: boolean): Promise<string[]> {
  const { status, body } = await ask(bench, { input: `[[say ${text}]]`, stream });
  const isEssential = essential.includes(one.method);
  const said = status === 200 ? messagesOf(body).join() : '';
  const wrong: string[] = [];
  if (body.status === 'completed' && said !== text) wrong.push(`completed with ${JSON.stringify(said)}`);
  if (!text.startsWith(said)) wrong.push(`no prefix: ${JSON.stringify(said)}`);
  if (isEssential && one.times === Infinity && body.status === 'completed') wrong.push('completed without an essential call');
  if (mustComplete(one) && body.status !== 'completed') wrong.push(`failed: ${String(status)} ${JSON.stringify(body.error)}`);
  if (status !== 200 && status < 500) wrong.push(`status ${String(status)}`);
  return wrong.map((word) => `stream ${String(stream)}: ${word}`);
}

function mustComplete({ method, fault: [name], times }: Case): boolean {
  if (method === catalogue) return name === '500';
  return !essential.includes(method) || (repeatable.includes(method) && times === 1 && name !== 'hang');
}

describe.each(['none', 'reverse'] as const)('every call of the agent server fails (U42), tap: %s', (mode) => {
  test.each([
    ['once', 1, 0],
    ['always', Infinity, 0],
    ['in mid-turn, from the third call on', Infinity, 2],
  ] as const)(
    '%s',
    async (_name, times, skips) => {
      const tried = skips === 0 ? methods : repeatable;
      const cases = tried.flatMap((method) => faults.map((fault): Case => ({ mode, method, fault, times, skips })));
      const bad: string[] = [];
      await runSideBySide(
        cases,
        async (one) => {
          const wrong = await runCase(one);
          seen.tried += 2;
          if (wrong.length > 0) seen.bad += 1;
          bad.push(...wrong.map((word) => `${one.method} ${one.fault[0]}: ${word}`));
        },
        8,
      );
      expect(bad).toEqual([]);
    },
    180_000,
  );
});
