import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GeminiAnswer } from '../../../src/protocol/gemini/answer.ts';
import { askGemini, type GeminiReply, type GeminiWay } from '../../doubles/ask-gemini.ts';
import { startGateway, type StartedGateway } from '../../doubles/start-gateway.ts';
import {
  answerFiles,
  backendOf,
  expectedContent,
  recordingsOf,
  replayBackends,
} from '../../recorded-traffic/expected-content.ts';
import { expectedGemini } from '../../recorded-traffic/expected-gemini.ts';
import { expectedTurn, isSigned } from '../../recorded-traffic/expected-turn.ts';
import { type Content, type Recording } from '../../recorded-traffic/loose.ts';
import { findRecordings, openReplay, type OpenReplay } from '../../recorded-traffic/open-replay.ts';
import { requestFor } from '../../recorded-traffic/play-turns.ts';
import { contentsOf, pairingFaults } from '../../recorded-traffic/sent-contents.ts';
import { runSideBySide } from '../../run-side-by-side.ts';

/** What this gateway makes of an answer is looked at here; Gemini's own would come as they were recorded. */
const rewritten = { 'antiphon-pass-through': 'off' };
const ways: readonly GeminiWay[] = ['whole', 'sse', 'array'];
const endings: Readonly<Record<string, string>> = {
  STOP: 'completed',
  MAX_TOKENS: 'incomplete max_output_tokens',
  SAFETY: 'incomplete content_filter',
};

describe.skipIf(!findRecordings())('recorded traffic of real model servers, behind the Gemini door', () => {
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
    await runSideBySide(recordings, async (recording) => {
      const found = (await Promise.all(ways.map((way) => play(recording, way)))).flat();
      if (found.length === 0) passed++;
      faults.push(...found);
    });
    console.log(
      `recorded ${file} behind the Gemini door: ${String(passed)} of ${String(recordings.length)} (whole, as events, as an array)`,
    );
    expect(faults).toEqual([]);
    expect(recordings.length).toBeGreaterThan(0);
  });

  async function play(recording: Recording, way: GeminiWay): Promise<string[]> {
    const model = `${backendOf(recording)}/${replay.nameOf(recording)}`;
    const body = { contents: 'Play it again.', generationConfig: { thinkingConfig: { includeThoughts: true } } };
    const reply = await askGemini(gateway.url, { model, body, way, headers: rewritten });
    const found = [...reply.faults, ...compare(recording, reply)];
    return found.map((fault) => `${recording.id} ${way}: ${fault}`);
  }

  test.each([
    ['whole', false],
    ['sse', false],
    ['sse', true],
  ] as const)(
    'signatures come back where they belong: %s, chunks kept as they came: %s',
    { timeout: 120_000 },
    async (way, keepsChunks) => {
      const signed = replay.recordings.filter(
        (one) => one.provider === 'gemini' && isSigned(one) && expectedGemini(one).ending !== 'failed',
      );
      const faults: string[] = [];
      let passed = 0;
      await runSideBySide(signed, async (recording) => {
        const question = `Question for ${recording.id} ${way} ${String(keepsChunks)}`;
        const found = await playTurns(recording, { question, way, keepsChunks });
        const contents = contentsOf(requestFor(question, replay));
        const turn = expectedTurn(recording);
        const sent = contents.filter(({ role }) => role === 'model').map(({ parts }) => parts);
        const wanted = turn.length === 0 ? [] : [turn, turn];
        if (!isDeepStrictEqual(sent, wanted))
          found.push(`expected ${JSON.stringify(wanted).slice(0, 500)}\n  but sent ${JSON.stringify(sent).slice(0, 500)}`);
        found.push(...pairingFaults(contents));
        if (found.length === 0) passed++;
        faults.push(...found.map((fault) => `${recording.id}: ${fault}`));
      });
      console.log(`thought signatures through the Gemini door, ${way}: ${String(passed)} of ${String(signed.length)}`);
      expect(faults).toEqual([]);
      expect(signed.length).toBeGreaterThan(100);
    },
  );

  /** Three turns with the model that gives the same recorded answer each time; the outputs of its calls go back in reverse order. */
  async function playTurns(
    recording: Recording,
    { question, way, keepsChunks }: { question: string; way: GeminiWay; keepsChunks: boolean },
  ): Promise<string[]> {
    const contents: object[] = [{ role: 'user', parts: [{ text: question }] }];
    for (let turn = 1; turn <= 3; turn++) {
      const reply = await askGemini(gateway.url, {
        model: `gemini/${replay.nameOf(recording)}`,
        body: { contents },
        way,
        headers: rewritten,
      });
      if (reply.answer === null || reply.faults.length > 0)
        return [`turn ${String(turn)}: ${String(reply.status)} ${reply.faults.join()} ${reply.text.slice(0, 300)}`];
      const answers = keepsChunks ? (reply.chunks as GeminiAnswer[]) : [reply.answer];
      contents.push(...answers.map(({ candidates: [{ content }] }) => content), replyTo(reply.answer, turn));
    }
    return [];
  }

  test('a word that is lost, a call that is changed and an ending that is missing would be seen', async () => {
    const recording = recordingsOf('gemini-sync', replay.recordings).find((one) => expectedGemini(one).calls.length > 0);
    if (recording === undefined) throw new Error('no recording calls a function');
    const model = `gemini/${replay.nameOf(recording)}`;
    const reply = await askGemini(gateway.url, { model, body: { contents: 'Play it again.' }, way: 'whole', headers: rewritten });
    const [candidate] = reply.answer?.candidates ?? [];
    if (reply.answer === null || candidate === undefined) throw new Error('there is no answer');
    const planted = (change: Partial<typeof candidate>): GeminiReply => ({
      ...reply,
      answer: { ...(reply.answer as GeminiAnswer), candidates: [{ ...candidate, ...change }] },
    });
    expect(compare(recording, planted({}))).toEqual([]);
    expect(compare(recording, planted({ finishReason: 'MAX_TOKENS' }))).toHaveLength(1);
    expect(
      compare(recording, planted({ content: { role: 'model', parts: [{ text: 'x' }, ...candidate.content.parts] } })),
    ).toHaveLength(1);
    expect(compare(recording, planted({ content: { role: 'model', parts: [] } }))).toHaveLength(1);
  });
});

function replyTo({ candidates: [{ content }] }: GeminiAnswer, turn: number): object {
  const responses = content.parts.flatMap((part) => ('functionCall' in part ? [part.functionCall] : []));
  if (responses.length === 0) return { role: 'user', parts: [{ text: `And ${String(turn)}?` }] };
  const parts = responses.map(({ id, name }, at) => ({ functionResponse: { id, name, response: { at, turn } } }));
  return { role: 'user', parts: parts.reverse() };
}

function compare(recording: Recording, reply: GeminiReply): string[] {
  const { status } = recording.response;
  const expected = expectedContent(recording);
  if (status >= 400 || expected.ending === 'failed') {
    const isTold =
      reply.error !== null && reply.error.message !== '' && (reply.status === 200 || reply.status === reply.error.code);
    return isTold ? [] : [`no error: ${reply.text.slice(0, 300)}`];
  }
  const observed = observedOf(reply);
  const wanted = {
    ...expected,
    text: expected.text + expected.refusal,
    refusal: '',
    reasoning: withoutBreaks(expected.reasoning),
  };
  const usage = expected.usage ?? observed?.usage ?? null;
  if (isDeepStrictEqual({ ...wanted, usage }, observed)) return [];
  return [
    `expected ${JSON.stringify({ ...wanted, usage }).slice(0, 600)}\n     but got ${(observed === null ? reply.text : JSON.stringify(observed)).slice(0, 600)}`,
  ];
}

function observedOf({ answer }: GeminiReply): Content | null {
  if (answer === null) return null;
  const { usageMetadata: usage, candidates } = answer;
  const [{ content, finishReason }] = candidates;
  const texts = (isThought: boolean): string =>
    content.parts.map((part) => ('text' in part && (part.thought === true) === isThought ? part.text : '')).join('');
  return {
    text: texts(false),
    refusal: '',
    reasoning: withoutBreaks(texts(true)),
    calls: content.parts.flatMap((part) =>
      'functionCall' in part ? [{ name: part.functionCall.name, arguments: part.functionCall.args }] : [],
    ),
    usage:
      usage === undefined
        ? null
        : [usage.promptTokenCount, usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0), usage.totalTokenCount],
    ending: endings[finishReason ?? ''] ?? 'failed',
  };
}

/** Blank lines keep the parts of a thought apart. */
function withoutBreaks(text: string): string {
  return text.replaceAll('\n', '');
}
