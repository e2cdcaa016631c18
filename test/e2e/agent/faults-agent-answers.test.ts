import { afterAll, describe, expect, test } from 'vitest';
import type { AgentQuirks } from '../../doubles/agent-server/quirks.ts';
import { startAgentGateway, type AgentGateway, type TapMode } from '../../doubles/start-agent-gateway.ts';
import { runSideBySide } from '../../run-side-by-side.ts';
import { ask, callsOf, hiddenForms, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

type Quirks = Partial<AgentQuirks>;

const text = 'A text that grows slowly, word by word, and is long enough to be seen growing.';
const request = { tools: [functionTool('get_weather')] };

const streams = (['works', 'unimplemented', 'missing', 'silent', 'eof', 'fails'] as const).flatMap((stateStream) =>
  (['works', 'disabled', 'unimplemented', 'silent'] as const).map((reactiveStream): Quirks => ({ stateStream, reactiveStream })),
);
/** After all of these the answer is whole. */
const survived: readonly Quirks[] = [
  ...streams,
  { splitFrames: true },
  { nullSteps: true, sparseUpdates: false },
  { pageSize: 1, nullSteps: true },
  { enums: 'bare', omitZeros: false },
  { enums: 'numbers', firstFrame: false },
  { failedReads: 2 },
  { busyTimes: 2 },
  { slowStartMs: 400 },
  { idleBeforeRunMs: 900 },
  { idleBeforeRunMs: 400, stateStream: 'missing', failedReads: 1 },
  { textShrinks: true },
  { stepsShrink: true },
  { textShrinks: true, stepsShrink: true, stateStream: 'missing' },
  { growsResponse: true, textShrinks: true },
  { hidesThinking: true },
  { lateThinking: true, thinkingDelayMs: 120 },
  { lateThinking: true, stateStream: 'eof' },
  { errorStep: 'recovers' },
  { titleCall: false, checkpoint: false },
  { template: 'markdown', whitespace: 'trim-lf' },
  { template: 'bare', whitespace: 'lf' },
  { rewriteAtDone: true },
  { rewriteAtDone: true, textShrinks: true, stepsShrink: true },
];
/** After these there is none. */
const fatal: readonly Quirks[] = [
  { emptyAnswer: 'no-step' },
  { emptyAnswer: 'blank-step' },
  { emptyAnswer: 'no-step', stateStream: 'missing' },
  { errorStep: 'final' },
  { errorStep: 'final', stateStream: 'eof' },
];

const seen = { bad: 0, tried: 0 };
afterAll(() => {
  console.log(`agent servers that behave strangely: ${String(seen.bad)} bad / ${String(seen.tried)} tried`);
});

/** Runs the turns of all quirks, each with an agent server of its own; what is wrong, in words. */
async function runAll(
  mode: TapMode,
  all: readonly Quirks[],
  run: (bench: AgentGateway, quirks: Quirks, stream: boolean) => Promise<string[]>,
): Promise<string[]> {
  const bad: string[] = [];
  await runSideBySide(
    all,
    async (quirks) => {
      const bench = await startAgentGateway({ mode, agent: { quirks }, model: { forbidden: hiddenForms } });
      for (const wrong of await Promise.all([true, false].map((stream) => run(bench, quirks, stream)))) {
        seen.tried += 1;
        if (wrong.length > 0) seen.bad += 1;
        bad.push(...wrong.map((word) => `${JSON.stringify(quirks)}: ${word}`));
      }
      bad.push(...bench.model.violations.map(({ message }) => `${JSON.stringify(quirks)}: ${message}`));
      await bench.close();
    },
    6,
  );
  return bad;
}

const modes = ['none', 'reverse'] as const;

describe('a text (U42)', () => {
  test.each(modes)(
    'is whole and nothing of it is sent twice, tap: %s',
    async (mode) => {
      const bad = await runAll(mode, survived, async (bench, quirks, stream) => {
        const { body } = await ask(bench, { ...(mode === 'reverse' && request), input: `[[say ${text}]]`, stream });
        const messages = messagesOf(body);
        // Without a tap, what was sent cannot be taken back: a rewritten text is a message of its own.
        const isRewritten = mode === 'none' && quirks.rewriteAtDone === true;
        const wanted = isRewritten ? `Edited: ${text}` : text;
        const isRight = messages.at(-1) === wanted && messages.length <= (isRewritten && stream ? 2 : 1);
        return body.status === 'completed' && isRight ? [] : [`${body.status} ${JSON.stringify([messages, body.error])}`];
      });
      expect(bad).toEqual([]);
    },
    180_000,
  );

  test.each(modes)(
    'around a call of an own tool, tap: %s',
    async (mode) => {
      const input = '[[say I look.]] [[call read_note {"name":"a"}]] [[then]] [[say And found it.]]';
      const bad = await runAll(mode, survived, async (bench, quirks, stream) => {
        const { body } = await ask(bench, { ...(mode === 'reverse' && request), input, stream });
        const said = messagesOf(body);
        const isRewritten = mode === 'none' && quirks.rewriteAtDone === true;
        const isRight = isRewritten ? said.at(-1) === 'Edited: And found it.' : said.join('|') === 'I look.|And found it.';
        if (body.status === 'completed' && isRight && callsOf(body).length === 0) return [];
        return [`${body.status} ${JSON.stringify([said, callsOf(body), body.error])}`];
      });
      expect(bad).toEqual([]);
    },
    180_000,
  );
});

test('a turn that is only a call ends, streamed and synced (U42)', async () => {
  const bad = await runAll('reverse', survived, async (bench, _quirks, stream) => {
    const { body } = await ask(bench, { ...request, input: '[[call get_weather {"city":"Oslo"}]]', stream });
    const isRight = JSON.stringify([callsOf(body), messagesOf(body)]) === JSON.stringify([['get_weather {"city":"Oslo"}'], []]);
    return body.status === 'completed' && isRight ? [] : [`${body.status} ${JSON.stringify(body.output)}`];
  });
  expect(bad).toEqual([]);
}, 180_000);

test.each(modes)(
  'no answer is never completed (U42), tap: %s',
  async (mode) => {
    const bad = await runAll(mode, fatal, async (bench, _quirks, stream) => {
      const { status, body } = await ask(bench, { input: `[[say ${text}]]`, stream });
      return status >= 500 || body.status === 'failed' ? [] : [`${String(status)} ${body.status}`];
    });
    expect(bad).toEqual([]);
  },
  180_000,
);
