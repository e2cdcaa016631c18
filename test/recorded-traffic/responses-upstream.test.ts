import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { runSideBySide } from '../run-side-by-side.ts';
import { citedUrls, detailsOf, expectedResponses, finalOf, searchesOf } from './expected-responses.ts';
import { listOf, loose, words, type Loose, type Recording } from './loose.ts';
import { observedOf } from './observed.ts';
import { findRecordings, openReplay, type OpenReplay } from './open-replay.ts';
import { playTurns, type Way } from './play-turns.ts';

const files = [
  'openai-responses-stream',
  'openai-responses-sync',
  'openai-responses-other-stream',
  'openai-responses-other-sync',
  'responses-compat-stream',
  'responses-compat-sync',
];
/** Characters: longer streams hold nothing new, and would be cut into most of all pieces. */
const cutAtMost = 20_000;
/** Streamed, unstreamed, and the upstream's bytes in pieces of 7. */
const modes = [
  { stream: true, cut: '' },
  { stream: false, cut: '' },
  { stream: true, cut: '-cut7' },
];

describe.skipIf(!findRecordings())('recorded Responses servers, behind POST /v1/responses', () => {
  let replay: OpenReplay;
  let gateway: StartedGateway;

  beforeAll(async () => {
    replay = await openReplay(files);
    gateway = await startGateway(`
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
backends:
  upstream: { type: responses, base_url: "${replay.url}/v1", api_key: test }
`);
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  test.each(files)('%s', { timeout: 300_000 }, async (file) => {
    const { recordings } = await openFile(file);
    const faults: string[] = [];
    let passed = 0;
    await runSideBySide(recordings, async (recording) => {
      const size = (recording.response.chunks ?? []).join('').length;
      const played = modes.filter(({ cut }) => cut === '' || (size > 0 && size <= cutAtMost));
      const found = (await Promise.all(played.map((mode) => play(recording, mode)))).flat();
      if (found.length === 0) passed++;
      faults.push(...found);
    });
    console.log(
      `recorded ${file}: ${String(passed)} of ${String(recordings.length)} (each streamed and unstreamed; streams of common length also in pieces of 7 bytes)`,
    );
    expect(faults).toEqual([]);
  });

  test.each(['sealed', 'ids', 'previous'] as const)('reasoning goes back as it came: %s', { timeout: 120_000 }, async (way) => {
    const recordings = replay.recordings.filter(isThoughtful);
    const plays = recordings.flatMap((recording) => [true, false].map((stream) => ({ recording, stream })));
    const faults: string[] = [];
    await runSideBySide(plays, async ({ recording, stream }) => {
      faults.push(...(await reasoningFaults(recording, stream, way)).slice(0, 1));
    });
    console.log(`reasoning of Responses servers, ${way}: ${String(plays.length - faults.length)} of ${String(plays.length)}`);
    expect(faults).toEqual([]);
    expect(plays.length).toBeGreaterThan(100);
  });

  test('what this test looks for is seen: reasoning that a client drops', async () => {
    const recordings = replay.recordings.filter(isThoughtful).slice(0, 10);
    const missed: string[] = [];
    await runSideBySide(recordings, async (recording) => {
      missed.push(...(await reasoningFaults(recording, true, 'dropped')).slice(0, 1));
    });
    expect(missed).toHaveLength(recordings.length);
  });

  async function openFile(file: string): Promise<{ recordings: readonly Recording[] }> {
    const one = await openReplay([file]);
    one.close();
    return one;
  }

  async function play(recording: Recording, { stream, cut }: { stream: boolean; cut: string }): Promise<string[]> {
    const model = `upstream/${replay.nameOf(recording)}${cut}`;
    const include = ['reasoning.encrypted_content'];
    const answer = await postResponse(gateway.url, {
      model,
      input: 'Play it again.',
      stream,
      include,
      reasoning: { summary: 'auto' },
    });
    const label = `${recording.id} ${stream ? 'streamed' : 'synced'}${cut}`;
    return [...answer.faults, ...differences(recording, answer)].map((fault) => `${label}: ${fault}`);
  }

  async function reasoningFaults(recording: Recording, stream: boolean, way: Way): Promise<string[]> {
    const played = await playTurns({ url: gateway.url, replay, backend: 'upstream', recording, stream, way });
    const sent = listOf(played.body['input'])
      .filter(({ type }) => isType(type, 'reasoning'))
      .map(({ encrypted_content: sealed, summary, content }) => ({ sealed, summary, content }));
    const wanted = replayable(recording).map(({ encrypted_content: sealed, summary, content }) => ({
      sealed: words(sealed) === '' ? undefined : sealed,
      summary,
      content: listOf(content).length === 0 ? undefined : content,
    }));
    // Two earlier turns with the same answer each.
    const isSame = isDeepStrictEqual(plain(sent), plain([...wanted, ...wanted]));
    const difference = `expected twice ${JSON.stringify(wanted).slice(0, 300)}\n  but sent ${JSON.stringify(sent).slice(0, 600)}`;
    const found = [...played.faults, ...played.losses.map((path) => `loss at ${path}`), ...(isSame ? [] : [difference])];
    return found.map((fault) => `${recording.id} ${stream ? 'streamed' : 'synced'}: ${fault}`);
  }
});

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

function isType(type: unknown, name: string): boolean {
  return type === name;
}

/** Reasoning as it was done: OpenAI seals it anew for the final response. */
function replayable(recording: Recording): Loose[] {
  const { chunks } = recording.response;
  const done =
    chunks === undefined
      ? listOf(finalOf(recording)['output'])
      : chunks
          .filter((chunk) => chunk.startsWith('{'))
          .map((chunk) => loose(JSON.parse(chunk)))
          .filter(({ type }) => isType(type, 'response.output_item.done'))
          .map(({ item }) => loose(item));
  return done.filter(
    (item) =>
      isType(item['type'], 'reasoning') && (words(item['encrypted_content']) !== '' || listOf(item['content']).length > 0),
  );
}

/** Whether it has reasoning that leads to text or calls (and not to an image only), and one stream only. */
function isThoughtful(recording: Recording): boolean {
  if (recording.response.status !== 200) return false;
  const kinds = listOf(finalOf(recording)['output'])
    .filter(({ type, content }) => !isType(type, 'message') || words(loose(content?.[0])['text']) !== '')
    .map(({ type }) => words(type))
    .filter((type) => type === 'reasoning' || type === 'message' || type === 'function_call');
  const ends = recording.response.chunks?.filter((chunk) => chunk.includes('"response.completed"')).length ?? 1;
  return ends === 1 && replayable(recording).length > 0 && kinds.at(-1) !== 'reasoning' && kinds.length > 1;
}

function differences(recording: Recording, answer: StreamAnswer): string[] {
  const { status } = recording.response;
  if (status >= 400) return errorDifferences(status, answer);
  const isResponse = recording.response.chunks !== undefined || isType(finalOf(recording)['object'], 'response');
  const expected = isResponse ? expectedResponses(recording) : null;
  if (expected === null || expected.ending === 'failed') {
    const isFailed = answer.status >= 400 || answer.body.status === 'failed';
    return isFailed ? [] : [`a failure became ${String(answer.status)} ${answer.body.status}`];
  }
  if (answer.status !== 200) return [`status ${String(answer.status)} ${JSON.stringify(answer.body)}`];
  return [
    ...unequal('content', { ...expected, usage: expected.usage ?? observedOf(answer).usage }, observedOf(answer)),
    ...unequal('sources', citedUrls(recording), urlsOf(answer)),
    ...unequal('searches', searchesOf(recording), searchesIn(answer)),
    ...unequal('usage details', detailsOf(finalOf(recording)), detailsOf(loose(answer.body))),
  ];
}

function urlsOf({ body }: StreamAnswer): string[] {
  const parts = body.output.flatMap((item) => item.content ?? []);
  return parts.flatMap((part) => (part.annotations ?? []).map((annotation) => words(loose(annotation)['url'])));
}

function searchesIn({ body }: StreamAnswer): string[][] {
  const searches = body.output.filter(({ type }) => type === 'web_search_call');
  return searches.map((item) => listOf(loose(loose(item)['action'])['queries']).map(words));
}

function unequal(what: string, wanted: unknown, got: unknown): string[] {
  if (isDeepStrictEqual(plain(wanted), plain(got))) return [];
  return [`${what}: expected ${JSON.stringify(wanted).slice(0, 600)}\n     but got ${JSON.stringify(got).slice(0, 600)}`];
}

/** An upstream's own status, as a client of the gateway sees it (docs/errors.md). A bad key of ours is the operator's matter, whatever status tells it. */
function errorDifferences(status: number, answer: StreamAnswer): string[] {
  const shown: Readonly<Record<number, readonly number[]>> = { 400: [400, 502], 401: [502], 429: [429] };
  const { error } = answer.body;
  const isBadKey = answer.status !== 502 || error?.code === 'upstream_auth_failed';
  const isShown = (shown[status] ?? [502]).includes(answer.status) && isBadKey;
  return isShown && Boolean(error?.message) && Boolean(error?.type)
    ? []
    : [`upstream ${String(status)} became ${String(answer.status)} ${JSON.stringify(error)}`];
}
