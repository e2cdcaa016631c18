import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LogResponse } from '../check-event-log/log-event.ts';
import { buildGateway, type BuiltGateway, type GatewayProcess } from '../doubles/gateway-process.ts';
import { readStream } from '../doubles/post-response.ts';

const deaths = 20;
const lanes = 6;
const yaml = 'store: { url: "sqlite:./death.db" }\nlog: { level: silent }';

let built: BuiltGateway;
beforeAll(async () => {
  built = await buildGateway();
}, 60_000);
afterAll(() => built.remove());

/** What a client had of a stream when the process died. */
interface Seen {
  readonly text: string;
  readonly id: string;
  /** The response of the terminal event, as the bytes in which it came; undefined when it did not come. */
  readonly terminal: string | undefined;
}

/** Reads one stream as far as it goes. */
async function streamOne(url: string, input: string, onTerminal: () => void): Promise<Seen> {
  let text = '';
  try {
    const answer = await fetch(`${url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'rehearsal/default', input, stream: true }),
    });
    const decoder = new TextDecoder();
    for await (const bytes of answer.body ?? []) {
      text += decoder.decode(bytes as Uint8Array, { stream: true });
      if (terminalOf(text) !== undefined) onTerminal();
    }
  } catch {
    // The process is gone.
  }
  return { text, id: /"id":"(resp_\w+)"/.exec(text)?.[1] ?? '', terminal: terminalOf(text) };
}

function terminalOf(text: string): string | undefined {
  // Asked for every piece: the expression below is costly.
  if (!text.includes('event: response.completed')) return undefined;
  return /event: response\.completed\ndata: \{.*?"response":(\{.*\}),"sequence_number":\d+\}\n\n/.exec(text)?.[1];
}

/** Streams on `lanes` connections until `count` terminal events have come, then kill -9 in the same turn. */
async function killInTheRush(gateway: GatewayProcess, count: number): Promise<Seen[]> {
  const seen: Seen[] = [];
  let terminals = 0;
  let isDead = false;
  const onTerminal = (): void => {
    terminals += 1;
    if (terminals !== count) return;
    isDead = true;
    gateway.kill('SIGKILL');
  };
  async function run(lane: number): Promise<void> {
    for (let n = 0; !isDead; n++)
      seen.push(await streamOne(gateway.url, `Lane ${String(lane)}, number ${String(n)}`, onTerminal));
  }
  await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
  expect(await gateway.exit).toBeNull();
  return seen.filter(({ id }) => id !== '');
}

test('a conversation outlives kill -9', async () => {
  const turn = async (url: string, input: string): Promise<LogResponse> => {
    const answer = await fetch(`${url}/v1/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'rehearsal/default', input, conversation: 'about Oslo' }),
    });
    expect(answer.status).toBe(200);
    return (await answer.json()) as LogResponse;
  };
  const ids: string[] = [];
  for (let life = 0; life < 3; life++) {
    const gateway = await built.start(yaml);
    for (const input of ['One', 'Two']) ids.push((await turn(gateway.url, input)).id);
    const sessions = (await (await fetch(`${gateway.url}/v1/sessions`)).json()) as { data: object[] };
    expect(sessions.data).toMatchObject([{ id: 'about Oslo', last_response_id: ids.at(-1) }]);
    const items = await fetch(`${gateway.url}/v1/responses/${ids.at(-1) ?? ''}/input_items?limit=100`);
    expect(((await items.json()) as { data: object[] }).data).toHaveLength(2 * ids.length - 1);
    gateway.kill('SIGKILL');
    await gateway.exit;
  }
}, 60_000);

test(`after ${String(deaths)} times kill -9 in the middle of streams, all that was acknowledged is there as it was`, async () => {
  const seen: Seen[] = [];
  for (let death = 0; death < deaths; death++)
    seen.push(...(await killInTheRush(await built.start(yaml), 1 + ((death * 7) % 16))));

  const gateway = await built.start(yaml);
  const acknowledged = seen.filter(({ terminal }) => terminal !== undefined);
  const others = seen.filter(({ terminal }) => terminal === undefined);
  let lost = 0;
  for (const { id, terminal, text } of acknowledged) {
    const stored = await fetch(`${gateway.url}/v1/responses/${id}`);
    const body = await stored.text();
    if (stored.status !== 200 || body !== terminal) lost += 1;
    const replay = await (await fetch(`${gateway.url}/v1/responses/${id}?stream=true`)).text();
    // The stream may have died behind its terminal event, in front of [DONE].
    if (!replay.startsWith(text)) lost += 1;
    expect(readStream(replay).faults).toEqual([]);
  }
  let halfways = 0;
  for (const { id } of others) {
    const stored = await fetch(`${gateway.url}/v1/responses/${id}`);
    if (stored.status === 404) continue;
    const { status } = (await stored.json()) as LogResponse;
    if (!['completed', 'failed', 'incomplete'].includes(status)) halfways += 1;
  }
  console.log(
    `kill -9: ${String(lost)} lost / ${String(acknowledged.length)} tried, ${String(halfways)} half-way of ${String(others.length)} not acknowledged, ${String(deaths)} kills`,
  );
  expect(acknowledged.length).toBeGreaterThanOrEqual(deaths);
  expect(others.length).toBeGreaterThan(0);
  expect([lost, halfways]).toEqual([0, 0]);
  // And the next turn builds on what survived.
  const next = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'rehearsal/default', input: 'Go on', previous_response_id: acknowledged.at(-1)?.id }),
  });
  expect(next.status).toBe(200);
  gateway.kill('SIGTERM');
  expect(await gateway.exit).toBe(0);
}, 180_000);
