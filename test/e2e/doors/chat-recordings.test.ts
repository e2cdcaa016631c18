import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChatStream } from '../../check-chat-stream.ts';
import { sendHttp, type HttpAnswer } from '../../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import { joinedOf, type JoinedAnswer } from '../../joined-chat-answer.ts';
import {
  answerFiles,
  backendOf,
  expectedContent,
  recordingsOf,
  replayBackends,
} from '../../recorded-traffic/expected-content.ts';
import type { Content, Recording } from '../../recorded-traffic/loose.ts';
import { findRecordings, openReplay, type OpenReplay } from '../../recorded-traffic/open-replay.ts';

describe.skipIf(!findRecordings())('recorded traffic of real model servers, behind the chat door', () => {
  let replay: OpenReplay;
  let gateway: StartedGateway;

  beforeAll(async () => {
    replay = await openReplay([...answerFiles]);
    gateway = await startGateway(`
store: { url: "memory:" }
routing: { retries: 0, breaker: off }
${replayBackends(replay.url)}`);
  });

  afterAll(async () => {
    await gateway.close();
    replay.close();
  });

  test.each(answerFiles)('%s', { timeout: 300_000 }, async (file) => {
    const recordings = recordingsOf(file, replay.recordings);
    const faults: string[] = [];
    let passed = 0;
    const playAll = async (recording: Recording): Promise<void> => {
      const found = (await Promise.all([true, false].map((stream) => play(recording, stream)))).flat();
      if (found.length === 0) passed++;
      faults.push(...found);
    };
    for (let at = 0; at < recordings.length; at += 24) await Promise.all(recordings.slice(at, at + 24).map(playAll));
    console.log(
      `recorded ${file} behind the chat door: ${String(passed)} of ${String(recordings.length)} (each streamed and not)`,
    );
    expect(faults).toEqual([]);
    expect(recordings.length).toBeGreaterThan(0);
  });

  async function play(recording: Recording, stream: boolean): Promise<string[]> {
    const answer = await sendHttp(gateway.url, {
      path: '/v1/chat/completions',
      // Chat behind chat would come as it was recorded; what this gateway makes of it is looked at here.
      headers: { 'content-type': 'application/json', 'antiphon-pass-through': 'off' },
      body: JSON.stringify({
        model: `${backendOf(recording)}/${replay.nameOf(recording)}`,
        messages: [{ role: 'user', content: 'Play it again.' }],
        ...(stream && { stream, stream_options: { include_usage: true } }),
      }),
    });
    const label = `${recording.id} ${stream ? 'streamed' : 'synced'}`;
    return differences(recording, answer, stream).map((fault) => `${label}: ${fault}`);
  }
});

function differences(recording: Recording, { status, text }: HttpAnswer, stream: boolean): string[] {
  const isRefused = recording.response.status >= 400;
  const expected = isRefused ? null : expectedContent(recording);
  if (status !== 200) {
    const { error } = JSON.parse(text) as { error?: { message?: string } };
    const mayFail = expected === null || expected.ending === 'failed';
    return mayFail && error?.message !== undefined ? [] : [`status ${String(status)} ${text}`];
  }
  if (expected === null) return [`a refusal became an answer: ${text.slice(0, 200)}`];
  const { answer, faults } = stream
    ? readChatStream(text, { includesUsage: true })
    : { answer: joinedOf(JSON.parse(text)), faults: [] };
  return [...faults, ...compare(expected, contentOf(answer))];
}

function contentOf(answer: JoinedAnswer): Content {
  const usage = answer.usage as { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
  return {
    text: answer.content,
    refusal: answer.refusal,
    reasoning: answer.reasoning,
    calls: answer.calls.map((call) => ({ name: call.name, arguments: parse(call.arguments) })),
    usage: usage === null ? null : [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens],
    ending: answer.error === null ? endingOf(answer) : 'failed',
  };
}

function endingOf({ finishReason }: JoinedAnswer): string {
  if (finishReason === 'length') return 'incomplete max_output_tokens';
  return finishReason === 'content_filter' ? 'incomplete content_filter' : 'completed';
}

function compare(expected: Content, observed: Content): string[] {
  if (expected.ending === 'failed') return observed.ending === 'failed' ? [] : ['a failure became an answer'];
  // Blocks of thinking and messages that stood apart have a blank line between them here.
  const joined = (content: Content): object => ({
    ...content,
    text: content.text.replaceAll('\n', ''),
    reasoning: content.reasoning.replaceAll('\n', ''),
  });
  const wanted = JSON.stringify(joined({ ...expected, usage: expected.usage ?? observed.usage }));
  const got = JSON.stringify(joined(observed));
  return wanted === got ? [] : [`expected ${wanted.slice(0, 600)}\n     but got ${got.slice(0, 600)}`];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
