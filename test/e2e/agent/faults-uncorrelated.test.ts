import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createNewId } from '../../../src/new-id.ts';
import { createMarks } from '../../../src/tap/marks.ts';
import type { Intercept } from '../../../src/tap/model-call.ts';
import { createTapSessions } from '../../../src/tap/tap-sessions.ts';
import { startAgentGateway, type AgentGateway } from '../../doubles/start-agent-gateway.ts';
import { openTunnelSession, sendHttp2 } from '../../doubles/tap-tunnel.ts';
import { createModelWatch } from '../../isolation/model-watch.ts';
import { startPlantedGateway } from '../../isolation/start-planted-gateway.ts';
import { ask, callsOf, errorTextOf, hiddenForms, mainCallsOf, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

const tools = [functionTool('get_weather')];
const seen = { bad: 0, tried: 0 };
afterAll(() => {
  console.log(`model calls of no turn, beside open turns: ${String(seen.bad)} bad / ${String(seen.tried)} tried`);
});

/** What other programs, and an agent server that lost its marks, may send: each ends in a call of a tool that has the same name as the client's. */
const looks: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `antiphon ${text}`,
  // As long as a mark, and of its letters; nobody has signed it.
  (text) => `antiphon${'0'.repeat(8)}${'a1'.repeat(32)}\n${text}`,
  (text) => `<USER_REQUEST>\n${text}\n</USER_REQUEST>`,
];

function foreignBody(index: number): string {
  const look = looks[index % looks.length] ?? String;
  const text = look(`Foreign ${String(index)} [[say Foreign words.]] [[call get_weather {"city":"Foreign"}]]`);
  const declarations = [{ name: 'get_weather', description: `Foreign ${String(index)}` }];
  // White space and order of its own: what passes keeps its bytes.
  return `{ "tools" : [{"functionDeclarations":${JSON.stringify(declarations)}}],\n "contents":${JSON.stringify([{ role: 'user', parts: [{ text }] }])} }`;
}

const path = '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse&x=%20y';

/** Sends it as another program would: straight to a reverse tap, by h2 through the tunnel of a forward one. */
async function openProgram(bench: AgentGateway, mode: 'reverse' | 'forward') {
  if (mode === 'reverse') {
    return {
      post: async (body: string) => (await fetch(bench.tapUrl + path, { method: 'POST', body })).text(),
      close: () => undefined,
    };
  }
  const ca = await readFile(join(bench.gateway.dataDirectory, 'data', 'tap', 'ca.pem'), 'utf8');
  const session = await openTunnelSession({
    tap: { port: Number(new URL(bench.tapUrl).port), credential: 'agent:tap-password-0123456789' },
    target: new URL(bench.model.url).host,
    ca,
  });
  return {
    post: async (body: string) => (await sendHttp2(session, { ':path': path, ':method': 'POST' }, body)).body.toString(),
    close: () => {
      session.destroy();
    },
  };
}

test.each(['reverse', 'forward'] as const)(
  'a model call of no turn goes through a %s tap untouched while turns are open, and nothing of it reaches a response (U43)',
  async (mode) => {
    const bench = await startAgentGateway({ mode, model: { forbidden: hiddenForms.slice(1) } });
    const program = await openProgram(bench, mode);
    const turns = Array.from({ length: 12 }, async (_, index) => {
      const own = `{"city":"Own ${String(index)}"}`;
      const input = `[[say Own ${String(index)}.]] [[pause 150]] [[call get_weather ${own}]]`;
      const { body } = await ask(bench, { input, tools, stream: index % 2 === 0 });
      expect([body.status, messagesOf(body), callsOf(body)]).toEqual([
        'completed',
        [`Own ${String(index)}.`],
        [`get_weather ${own}`],
      ]);
    });
    const foreign = Array.from({ length: 48 }, async (_, index): Promise<string[]> => {
      const sent = foreignBody(index);
      const answer = await program.post(sent);
      seen.tried += 1;
      const arrived = bench.model.calls.find(({ raw }) => raw.equals(Buffer.from(sent)));
      const wrong = [
        ...(arrived === undefined ? ['the body did not arrive as it was sent'] : []),
        ...(arrived?.path === path ? [] : [`path ${String(arrived?.path)}`]),
        ...(answer.includes('"functionCall"') && answer.includes('"Foreign word"')
          ? []
          : [`the answer: ${answer.slice(0, 300)}`]),
      ];
      if (wrong.length > 0) seen.bad += 1;
      return wrong;
    });
    expect((await Promise.all(foreign)).flat()).toEqual([]);
    await Promise.all(turns);
    expect(bench.model.violations).toEqual([]);
    program.close();
    await bench.close();
  },
);

test.each(['reverse', 'forward'] as const)(
  'a build that collapses white space: the mark is found, or the turn fails (%s)',
  async (mode) => {
    const bench = await startAgentGateway({ mode, agent: { quirks: { whitespace: 'mangle' } } });
    for (const stream of [true, false]) {
      const { body } = await ask(bench, { input: '[[call get_weather {"city":"Oslo"}]]', tools, stream });
      expect(body.status === 'failed' || callsOf(body).join() === 'get_weather {"city":"Oslo"}').toBe(true);
    }
    for (const call of mainCallsOf(bench)) expect(call.text).not.toMatch(hiddenForms[0] ?? /$/);
    await bench.close();
  },
);

test('an agent that loses the mark in mid-turn: half an answer is never completed', async () => {
  const marks = createMarks({ keys: [randomBytes(32)], randomBytes });
  const sessions = createTapSessions({ name: 'tap', marks, newId: createNewId() });
  const read = new TextDecoder();
  /** The second call of a turn has lost it, as after a history that was cut short. */
  const intercept: Intercept = (call) => {
    const source = read.decode(call.body);
    if (!call.streams || !source.includes('functionResponse')) return sessions.intercept(call);
    return { type: 'forward', body: marks.stripJsonSource(source), answer: null, signal: null };
  };
  const key = 'sk-0123456789abcdef';
  const bench = await startPlantedGateway({ tap: sessions.tap, intercept }, { keys: [key], watch: createModelWatch() });
  const input = '[[say I look.]] [[call read_note {"name":"a"}]] [[then]] [[say And found it.]]';
  for (const stream of [true, false]) {
    const answer = await ask(bench, { input, tools, stream }, { authorization: `Bearer ${key}` });
    expect(answer.status >= 500 || answer.body.status === 'failed').toBe(true);
    expect(errorTextOf(answer)).toContain('do not go through the tap');
  }
  await bench.close();
});
