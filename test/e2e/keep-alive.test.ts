import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialects, openModelUpstream, upstreamYaml, type ModelCall } from '../doubles/model-upstream.ts';
import { referenceAnswer, referenceRequest, referenceText, toEvents } from '../doubles/model-wire.ts';
import { readStream } from '../doubles/post-response.ts';
import { eventStreamHead, httpChunk, lastHttpChunk, type RawUpstream } from '../doubles/raw-upstream.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

/** The model server falls silent after each event until the client has had this many of our own. */
const calls: ModelCall[] = [];
let upstream: RawUpstream;
let chatty: StartedGateway;
let commenting: StartedGateway;

beforeAll(async () => {
  upstream = await openModelUpstream((call) => {
    calls.push(call);
    call.socket.write(eventStreamHead);
  });
  const store = 'store: { url: "memory:" }';
  chatty = await startGateway(upstreamYaml(upstream.url, { more: `keep_alive: { comment: 20ms, event: 40ms }\n${store}` }));
  commenting = await startGateway(upstreamYaml(upstream.url, { more: `keep_alive: { comment: 20ms, event: 1h }\n${store}` }));
});

afterAll(async () => {
  await chatty.close();
  await commenting.close();
  await upstream.close();
});

/** Streams the reference answer event by event; each one is sent only when our own traffic has filled the silence before it. */
async function streamWithSilences(gateway: StartedGateway, dialect: (typeof dialects)[number], filler: RegExp): Promise<string> {
  const index = calls.length;
  const answer = await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(referenceRequest(`${dialect}/m`, true)),
  });
  const socket = calls[index]?.socket;
  const pieces = [...toEvents(dialect, referenceAnswer).map(httpChunk), Buffer.from(lastHttpChunk)];
  const decoder = new TextDecoder();
  let text = '';
  let fillers = 0;
  for await (const bytes of answer.body ?? []) {
    const piece = decoder.decode(bytes as Uint8Array, { stream: true });
    text += piece;
    fillers += filler.test(piece) ? 1 : 0;
    if (fillers < 2) continue;
    fillers = 0;
    socket?.write(pieces.shift() ?? '');
  }
  return text;
}

const emptyDelta = /"delta":""|event: response\.in_progress/;

describe.each(dialects)('%s', (dialect) => {
  test('silences are filled with comments, which are no events', async () => {
    const text = await streamWithSilences(commenting, dialect, /^: keep-alive$/m);
    const { events, faults } = readStream(text);
    expect(faults).toEqual([]);
    expect(text.match(/^: keep-alive$/gm)?.length).toBeGreaterThan(8);
    expect(events.some((event) => event.delta === '')).toBe(false);
    expect(events.filter(({ type }) => type === 'response.in_progress')).toHaveLength(1);
  });

  test('longer ones with real events, everywhere: before the first item, inside of text and arguments, between items', async () => {
    const { events, faults } = readStream(await streamWithSilences(chatty, dialect, emptyDelta));
    expect(faults).toEqual([]);
    const empty = new Set(events.flatMap(({ type, delta }) => (delta === '' ? [type] : [])));
    expect(empty.has('response.output_text.delta')).toBe(true);
    if (dialect === 'chat') expect(empty.has('response.function_call_arguments.delta')).toBe(true);
    expect(events.filter(({ type }) => type === 'response.in_progress').length).toBeGreaterThan(1);
    expect(events.at(-1)?.response).toMatchObject({
      status: 'completed',
      output: [{ content: [{ text: referenceText }] }, { arguments: expect.any(String) as string }],
    });
  });

  test('the stored response is replayed with them, to the byte', async () => {
    const text = (await streamWithSilences(chatty, dialect, emptyDelta)).replaceAll(': keep-alive\n\n', '');
    const { events } = readStream(text);
    const replay = async (query: string): Promise<string> =>
      (await fetch(`${chatty.url}/v1/responses/${events.at(-1)?.response?.id ?? ''}?stream=true${query}`)).text();
    expect(await replay('')).toBe(text);
    const from = events.length >> 1;
    const rest = await replay(`&starting_after=${from}`);
    expect(text.endsWith(rest)).toBe(true);
    expect(rest).toContain(`"sequence_number":${from + 1}`);
    expect(rest).not.toContain(`"sequence_number":${from}}`);
  });

  test('the strict helper of the official client takes them', async () => {
    const client = new OpenAI({ baseURL: `${chatty.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const index = calls.length;
    const { input, tools } = referenceRequest('x', true) as { input: string; tools: OpenAI.Responses.FunctionTool[] };
    const stream = client.responses.stream({ model: `${dialect}/m`, input, tools });
    const pieces = [...toEvents(dialect, referenceAnswer).map(httpChunk), Buffer.from(lastHttpChunk)];
    let kept = 0;
    stream.on('event', (event) => {
      const isKept = event.type === 'response.in_progress' || ('delta' in event && event.delta === '');
      kept += isKept ? 1 : 0;
      if (isKept) calls[index]?.socket.write(pieces.shift() ?? '');
    });
    const final = await stream.finalResponse();
    expect(kept).toBeGreaterThan(4);
    expect([final.status, final.output_text]).toEqual(['completed', referenceText]);
  });
});

test('while a client waits for the whole answer nothing is sent ahead of it', async () => {
  const answer = await fetch(`${chatty.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'rehearsal/slow', input: 'Hello' }),
  });
  expect(JSON.parse(await answer.text())).toMatchObject({ status: 'completed' });
});
