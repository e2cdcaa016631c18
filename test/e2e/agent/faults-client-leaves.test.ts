import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { AgentServerOptions } from '../../doubles/agent-server/agent-server-options.ts';
import { startAgentGateway, type AgentGateway, type TapMode } from '../../doubles/start-agent-gateway.ts';
import { agentModel, ask, mainCallsOf, messagesOf } from './ask-agent.ts';
import { functionTool } from './scenario.ts';

/** Milliseconds from leaving to the cancel at the agent server. */
const waits = { 'one at a time': [] as number[], 'forty at once': [] as number[] };
const closing: (() => Promise<void>)[] = [];
const left: Socket[] = [];
afterEach(async () => {
  for (const socket of left.splice(0)) socket.destroy();
  for (const close of closing.splice(0)) await close();
});
afterAll(() => {
  for (const [name, times] of Object.entries(waits)) {
    times.sort((one, other) => one - other);
    const at = (part: number): string => (times[Math.floor(times.length * part)] ?? NaN).toFixed(1);
    console.log(`client gone -> cancel, ${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${String(times.length)}`);
  }
});

async function open(mode: TapMode, agent: Partial<AgentServerOptions> = {}): Promise<AgentGateway> {
  const bench = await startAgentGateway({ mode, agent });
  closing.push(() => bench.close());
  return bench;
}

interface OpenRequest {
  /** What has come so far. */
  readonly seen: () => string;
  /** Resolves when that text has come. */
  readonly until: (text: string) => Promise<void>;
  /** Leaves, by FIN or RST. */
  readonly leave: (how: 'fin' | 'rst') => void;
}

function send({ url }: AgentGateway, request: object): OpenRequest {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  left.push(socket);
  const body = JSON.stringify({ model: agentModel, ...request });
  const head = ['POST /v1/responses HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  socket.write(`${head.join('\r\n')}\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`);
  let seen = '';
  let wake: () => void = () => undefined;
  socket.setEncoding('utf8').on('data', (piece: string) => {
    seen += piece;
    wake();
  });
  return {
    seen: () => seen,
    async until(text) {
      while (!seen.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
    },
    leave(how) {
      if (how === 'fin') socket.destroy();
      else socket.resetAndDestroy();
    },
  };
}

/** Where the turn stands when its client leaves. */
interface Stage {
  readonly name: string;
  readonly agent?: Partial<AgentServerOptions>;
  readonly input: string;
  readonly more?: object;
  /** Resolves when the turn stands there. */
  readonly reached: (bench: AgentGateway, request: OpenRequest) => Promise<void>;
  /** The message was on its way: the run has to be cancelled. */
  readonly isSent: boolean;
}

const logged =
  (method: string) =>
  ({ agent }: AgentGateway): Promise<void> =>
    agent.until(() => agent.bodiesOf(method).length > 0);
const heldAt =
  (calls: number) =>
  (bench: AgentGateway): Promise<void> =>
    bench.model.until(() => bench.model.held > 0 && mainCallsOf(bench).length === calls);

const stages: readonly Stage[] = [
  {
    name: 'before the cascade is there',
    agent: { onRpc: ({ method }) => (method === 'StartCascade' ? 'hang' : undefined) },
    input: '[[say LEFT]]',
    reached: logged('StartCascade'),
    isSent: false,
  },
  {
    name: 'before the headers: the message is not accepted yet',
    agent: { onRpc: ({ method }) => (method === 'SendUserCascadeMessage' ? 'hang' : undefined) },
    input: '[[say LEFT]]',
    reached: logged('SendUserCascadeMessage'),
    isSent: true,
  },
  {
    name: 'while the executor is busy',
    agent: { quirks: { busyTimes: 1_000 } },
    input: '[[say LEFT]]',
    reached: logged('SendUserCascadeMessage'),
    isSent: true,
  },
  { name: 'before the first word', input: 'LEFT [[hold]] [[say x]]', reached: heldAt(1), isSent: true },
  { name: 'in the middle of the text', input: '[[say LEFT some words.]] [[hold]] [[say x]]', reached: heldAt(1), isSent: true },
  {
    name: 'inside a loop of own tools',
    input: '[[say LEFT]] [[call read_note {"name":"a"}]] [[then]] [[say on]] [[hold]]',
    reached: heldAt(2),
    isSent: true,
  },
  {
    name: 'with its own tools on offer',
    input: '[[say LEFT]] [[hold]] [[call get_weather {"city":"Oslo"}]]',
    more: { tools: [functionTool('get_weather')] },
    reached: heldAt(1),
    isSent: true,
  },
  {
    name: 'while the run does not end',
    agent: { quirks: { neverFinishes: true } },
    input: '[[say LEFT]]',
    reached: ({ model }) =>
      model.until(() => model.calls.some(({ verb, closedAt }) => verb === 'streamGenerateContent' && closedAt !== null)),
    isSent: true,
  },
];

const modes = ['none', 'reverse', 'forward'] as const;

describe.each(modes)('a client that leaves (C01–C04), tap: %s', (mode) => {
  test.each(stages)('$name', async ({ agent = {}, input, more = {}, reached, isSent }) => {
    for (const [stream, how] of [
      [true, 'rst'],
      [false, 'fin'],
    ] as const) {
      const bench = await open(mode, agent);
      const tools = mode === 'none' ? {} : more;
      const request = send(bench, { input, conversation: 'talk', stream, ...tools });
      await reached(bench, request);
      if (stream && isSent && mode !== 'none' && input.startsWith('[[say LEFT some')) await request.until('LEFT');
      const leftAt = performance.now();
      request.leave(how);
      if (isSent) {
        await bench.agent.until(() => bench.agent.cancelled.length > 0);
        waits['one at a time'].push((bench.agent.cancelled[0]?.at ?? Infinity) - leftAt);
      }
      // Every model call ends, and the agent comes to rest.
      await bench.model.until(() => bench.model.calls.every(({ closedAt }) => closedAt !== null));
      await bench.agent.until(() => bench.agent.cascades().every(({ status }) => status === 'IDLE'));
      await checkNothingKept(bench, request.seen());
    }
  });
});

/** No response, no session, no conversation. */
async function checkNothingKept({ url }: AgentGateway, seen: string): Promise<void> {
  const sessions = (await (await fetch(`${url}/v1/sessions`)).json()) as { data: unknown[] };
  expect(sessions.data).toEqual([]);
  const id = /"id":"(resp_\w+)"/.exec(seen)?.[1];
  if (id !== undefined) expect((await fetch(`${url}/v1/responses/${id}`)).status).toBe(404);
}

test.each(modes)(
  'the conversation goes on as if the turn had not been, also while the old run is being cancelled: %s',
  async (mode) => {
    const bench = await open(mode, { quirks: { cancelMs: 300 } });
    const first = await ask(bench, { input: 'FIRST [[say One.]]', conversation: 'talk' });
    const turn = send(bench, { input: 'SECOND [[say Two.]] [[hold]]', conversation: 'talk', stream: true });
    await heldAt(2)(bench);
    turn.leave('rst');
    const next = await ask(bench, { input: '[[say Three.]]', conversation: 'talk', stream: true });
    // Without a tap the history is words in the message, and the directions in it are carried out once more.
    const said = mode === 'none' ? 'One.Three.' : 'Three.';
    expect([next.body.status, messagesOf(next.body)]).toEqual(['completed', [said]]);
    const asked = mainCallsOf(bench).at(-1)?.text;
    expect([asked?.includes('FIRST'), asked?.includes('SECOND')]).toEqual([true, false]);
    expect(await (await fetch(`${bench.url}/v1/responses/${first.body.id}`)).json()).toMatchObject({ status: 'completed' });
  },
);

test.each(modes)('forty that leave at once, while ten stay and lose nothing: %s', async (mode) => {
  const bench = await open(mode);
  const words = 'These words come slowly. '.repeat(4);
  const staying = Array.from({ length: 10 }, (_, at) =>
    ask(bench, { input: `[[say ${String(at)}: ${words}]] [[pause 400]] [[say end]]`, stream: at % 2 === 0 }),
  );
  const leaving = Array.from({ length: 40 }, (_, at) => send(bench, { input: 'LEFT [[say x]] [[hold]]', stream: at % 2 === 0 }));
  await bench.model.until(() => bench.model.held === 40);
  const leftAt = performance.now();
  for (const request of leaving) request.leave('rst');
  await bench.agent.until(() => bench.agent.cancelled.length === 40);
  waits['forty at once'].push(...bench.agent.cancelled.map(({ at }) => at - leftAt));
  await bench.model.until(() => mainCallsOf(bench).filter(({ wasAborted }) => wasAborted).length === 40);
  for (const [at, answer] of (await Promise.all(staying)).entries())
    expect(messagesOf(answer.body).join('')).toBe(`${String(at)}: ${words}end`);
});
