import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loose } from '../../check-anthropic-stream/loose-event.ts';
import { postMessage, type MessageAnswer } from '../../doubles/post-message.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import {
  answerFiles,
  backendOf,
  expectedContent,
  recordingsOf,
  replayBackends,
} from '../../recorded-traffic/expected-content.ts';
import { bodiesOf, count, listOf, words, type Content, type Recording } from '../../recorded-traffic/loose.ts';
import { findRecordings, openReplay, type OpenReplay } from '../../recorded-traffic/open-replay.ts';

describe.skipIf(!findRecordings())('recorded answers of real model servers, as a Messages client gets them', () => {
  let gateway: StartedGateway;
  let replay: OpenReplay;

  beforeAll(async () => {
    replay = await openReplay([...answerFiles]);
    // The recordings of failures come one after the other.
    const routing = 'routing: { breaker: off, retries: 0 }';
    gateway = await startGateway(['store: { url: "memory:" }', routing, replayBackends(replay.url)].join('\n'));
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  test.each(answerFiles)('%s', { timeout: 300_000 }, async (file) => {
    const recordings = recordingsOf(file, replay.recordings);
    const faults: string[] = [];
    let passed = 0;
    const playBoth = async (recording: Recording): Promise<void> => {
      const model = `${backendOf(recording)}/${replay.nameOf(recording)}`;
      const found = [...(await play(recording, model, true)), ...(await play(recording, model, false))];
      if (found.length === 0) passed++;
      faults.push(...found);
    };
    for (let at = 0; at < recordings.length; at += 24) await Promise.all(recordings.slice(at, at + 24).map(playBoth));
    console.log(`recorded ${file} behind /v1/messages: ${String(passed)} of ${String(recordings.length)} (streamed and not)`);
    expect(faults).toEqual([]);
  });

  async function play(recording: Recording, model: string, stream: boolean): Promise<string[]> {
    const request = { model, stream, max_tokens: 4000, messages: [{ role: 'user', content: 'Play it again.' }] };
    const thinking = { type: 'enabled', budget_tokens: 2000 };
    const answer = await postMessage(gateway.url, { ...request, thinking }, { 'antiphon-pass-through': 'off' });
    return [...answer.faults, ...differences(recording, answer)].map(
      (fault) => `${recording.id} ${stream ? 'streamed' : 'whole'}: ${fault}`,
    );
  }
});

function differences(recording: Recording, answer: MessageAnswer): string[] {
  const isFailure = answer.status !== 200 || answer.body['type'] === 'error';
  const error = loose(answer.body['error']);
  if (isFailure && (words(error['type']) === '' || words(error['message']) === '')) return ['an error without type or message'];
  if (recording.response.status >= 400) return isFailure ? [] : ['an error became an answer'];
  const expected = expectedContent(recording);
  if (expected.ending === 'failed') return isFailure ? [] : ['a failure became an answer'];
  if (isFailure) return [`failed: ${JSON.stringify(error)}`];
  const wanted = toWords(expected, isStopped(recording));
  const got = observed(answer, expected.usage !== null);
  return JSON.stringify(wanted) === JSON.stringify(got)
    ? []
    : [`expected ${JSON.stringify(wanted).slice(0, 600)}\n     but got ${JSON.stringify(got).slice(0, 600)}`];
}

interface Observed {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly { name: string; arguments: unknown }[];
  readonly usage: readonly number[] | null;
  readonly ending: string;
}

/** Refusals are text here; cached tokens are part of the input again; blank lines keep the parts of a thought apart. */
function toWords({ text, refusal, reasoning, calls, usage, ending }: Content, stopped: boolean): Observed {
  return {
    text: text + refusal,
    thinking: reasoning.replaceAll('\n', ''),
    calls,
    usage: usage?.slice(0, 2) ?? null,
    ending: stopped ? 'stop_sequence' : toReason(ending, calls.length > 0, refusal !== ''),
  };
}

/** A hub's response does not tell it, a Messages answer does. */
function isStopped(recording: Recording): boolean {
  return /"stop_reason":\s?"stop_sequence"/.test(
    bodiesOf(recording)
      .map((body) => JSON.stringify(body))
      .join(),
  );
}

function toReason(ending: string, hasCalls: boolean, isRefused: boolean): string {
  if (ending === 'incomplete content_filter') return 'refusal';
  if (ending.startsWith('incomplete')) return 'max_tokens';
  if (hasCalls) return 'tool_use';
  return isRefused ? 'refusal' : 'end_turn';
}

function observed({ body }: MessageAnswer, hasUsage: boolean): Observed {
  const blocks = listOf(body['content']);
  const usage = loose(body['usage']);
  const input = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
  const join = (type: string, member: string): string =>
    blocks.map((block) => ((block['type'] as unknown) === type ? words(block[member]) : '')).join('');
  return {
    text: join('text', 'text'),
    thinking: join('thinking', 'thinking').replaceAll('\n', ''),
    calls: blocks
      .filter((block) => (block['type'] as unknown) === 'tool_use')
      .map((block) => ({ name: words(block['name']), arguments: block['input'] })),
    usage: hasUsage ? [input.reduce((sum, name) => sum + count(usage[name]), 0), count(usage['output_tokens'])] : null,
    ending: words(body['stop_reason']),
  };
}
