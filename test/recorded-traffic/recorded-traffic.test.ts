import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postResponse, type StreamAnswer } from '../doubles/post-response.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { expectedAnthropic } from './expected-anthropic.ts';
import { expectedChat } from './expected-chat.ts';
import { expectedGemini } from './expected-gemini.ts';
import type { Content, Recording } from './loose.ts';
import { observedOf } from './observed.ts';

const folder = new URL('../../../shared/recordings/', import.meta.url);
const isThere = existsSync(new URL('replay.mjs', folder));
if (!isThere) console.log(`skipped: there are no recordings at ${folder.pathname}`);

/** What we use of `replay.mjs`. */
interface Replay {
  recordingName(id: string): string;
  loadRecordings(dir: string, sets: string[], only: string[]): Recording[];
  createReplayServer(recordings: Recording[]): Server;
}

const files = [
  'gemini-stream',
  'gemini-sync',
  'openai-chat-stream',
  'openai-chat-sync',
  'chat-compat-stream',
  'chat-compat-sync',
  'anthropic-stream',
  'anthropic-sync',
  'anthropic-compat-stream',
  'anthropic-compat-sync',
];
const modes = [true, false].flatMap((stream) => ['', '-cut7'].map((cut) => ({ stream, cut })));

/** An upstream's own status, as a client of the gateway sees it (docs/errors.md). */
const shownStatus: Readonly<Record<number, number>> = {
  400: 400,
  401: 502,
  403: 502,
  404: 400,
  413: 413,
  422: 400,
  429: 429,
  500: 502,
  503: 503,
};

describe.skipIf(!isThere)('recorded traffic of real model servers, through the whole gateway', () => {
  let replay: Replay;
  let upstream: Server;
  let gateway: StartedGateway;

  beforeAll(async () => {
    replay = (await import(new URL('replay.mjs', folder).href)) as Replay;
    upstream = replay.createReplayServer(replay.loadRecordings(folder.pathname, ['dev'], files)).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const base = `http://127.0.0.1:${String((upstream.address() as AddressInfo).port)}`;
    gateway = await startGateway(`
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
backends:
  gemini: { type: gemini, api_key: test, base_url: "${base}" }
  chat: { type: chat, base_url: "${base}/v1" }
  anthropic: { type: anthropic, base_url: "${base}" }
`);
  });

  afterAll(async () => {
    await gateway.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  test.each(files)('%s', { timeout: 300_000 }, async (file) => {
    const recordings = replay.loadRecordings(folder.pathname, ['dev'], [file]);
    const faults: string[] = [];
    let passed = 0;
    const playAll = async (recording: Recording): Promise<void> => {
      // An answer that was recorded whole comes in one piece anyway.
      const isStream = recording.response.chunks !== undefined;
      const played = modes.filter(({ cut }) => isStream || cut === '');
      const found = (await Promise.all(played.map((mode) => play(recording, mode)))).flat();
      if (found.length === 0) passed++;
      faults.push(...found);
    };
    // The pieces of 7 bytes are written one a millisecond: side by side they cost no more than one after the other.
    for (let at = 0; at < recordings.length; at += 24) await Promise.all(recordings.slice(at, at + 24).map(playAll));
    console.log(
      `recorded ${file}: ${String(passed)} of ${String(recordings.length)} (each streamed and not; streams also in pieces of 7 bytes)`,
    );
    expect(faults).toEqual([]);
  });

  async function play(recording: Recording, { stream, cut }: { stream: boolean; cut: string }): Promise<string[]> {
    const { backend } = kindOf(recording);
    const model = `${backend}/${replay.recordingName(recording.id)}${cut}`;
    const answer = await postResponse(gateway.url, { model, input: 'Play it again.', stream, reasoning: { summary: 'auto' } });
    const label = `${recording.id} ${stream ? 'streamed' : 'synced'}${cut}`;
    return [...answer.faults, ...differences(recording, answer)].map((fault) => `${label}: ${fault}`);
  }
});

/** The backend whose language it is, and what a client should get. */
function kindOf({ provider }: Recording): { readonly backend: string; readonly expect: (recording: Recording) => Content } {
  if (provider.startsWith('gemini')) return { backend: 'gemini', expect: expectedGemini };
  if (provider.startsWith('anthropic')) return { backend: 'anthropic', expect: expectedAnthropic };
  return { backend: 'chat', expect: expectedChat };
}

function differences(recording: Recording, answer: StreamAnswer): string[] {
  const { status } = recording.response;
  if (status >= 400) return errorDifferences(status, answer);
  const expected = kindOf(recording).expect(recording);
  if (answer.status === 200) return compare(expected, observedOf(answer));
  return expected.ending === 'failed' ? [] : [`status ${String(answer.status)} ${JSON.stringify(answer.body)}`];
}

function errorDifferences(status: number, answer: StreamAnswer): string[] {
  const { error } = answer.body;
  const isShown = answer.status === (shownStatus[status] ?? 502) || isKnownException(answer.status, error?.code);
  const isWhole = Boolean(error?.message) && Boolean(error?.type);
  return isShown && isWhole ? [] : [`upstream ${String(status)} became ${String(answer.status)} ${JSON.stringify(error)}`];
}

/** What a 400 or 429 of an upstream may be besides a client's fault: its own bad key, an empty purse, or a call that the model garbled (Groq). */
function isKnownException(status: number, code: string | null | undefined): boolean {
  if (status === 502) return code === 'upstream_auth_failed' || code === 'upstream_error';
  return status === 429 && code === 'insufficient_quota';
}

function compare(expected: Content, observed: Content): string[] {
  const wanted = expected.ending === 'failed' ? { ending: 'failed' } : { ...expected, usage: expected.usage ?? observed.usage };
  const got = expected.ending === 'failed' ? { ending: observed.ending } : observed;
  return JSON.stringify(wanted) === JSON.stringify(got)
    ? []
    : [`expected ${JSON.stringify(wanted).slice(0, 600)}\n     but got ${JSON.stringify(got).slice(0, 600)}`];
}
