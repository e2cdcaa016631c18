import { describe, expect, test } from 'vitest';
import { checkGeminiStream } from '../../../test/check-gemini-stream.ts';
import { counterId } from '../../../test/counter-id.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import { addUpGemini } from '../../../test/read-gemini-stream.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { GeminiAnswer } from '../../protocol/gemini/answer.ts';
import { createGeminiChunks } from './to-gemini-chunks.ts';
import { toGeminiAnswer } from './to-gemini-answer.ts';

const usage: ModelEvent = {
  type: 'usage',
  usage: { inputTokens: 10, cachedTokens: 4, outputTokens: 7, reasoningTokens: 5, totalTokens: 17 },
};
const stop: ModelEvent = { type: 'finish', reason: 'stop' };
const state = (data: string): ModelEvent => ({ type: 'reasoning-state', state: { format: 'gemini', model: 'm', data } });
const text = (delta: string): ModelEvent => ({ type: 'text-delta', delta });
const thought = (delta: string): ModelEvent => ({ type: 'reasoning-delta', delta });
const call = (callId: string): ModelEvent[] => [
  { type: 'call-start', callId, name: 'get_weather' },
  { type: 'call-delta', callId, delta: '{"city":' },
  { type: 'call-delta', callId, delta: '"Oslo"}' },
  { type: 'call-end', callId },
];
/** What `sealed(…)` looks like as a `thoughtSignature`. */
const signature = (...data: string[]): string => btoa(`sealed(${data.join()})`);

/** The chunks of an answer, one batch each, which the oracle has passed; its whole form must say the same. */
function write(batches: readonly (readonly ModelEvent[])[], showsThoughts = true): unknown[] {
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: (_id, states) => `sealed(${states.map(({ data }) => (typeof data === 'string' ? data : '')).join()})`,
  });
  const stage = createGeminiChunks({ showsThoughts }, builder);
  const chunks = [builder.begin(), ...batches.map((batch) => builder.push(batch)), builder.end()].flatMap((batch) =>
    stage.push(batch),
  );
  expect(checkGeminiStream(chunks)).toEqual([]);
  expect(stage.end()).toEqual([]);
  if (builder.failure === null) {
    const whole = toGeminiAnswer(builder.response, { showsThoughts });
    expect(checkGeminiStream([whole])).toEqual([]);
    expect(addUpGemini(chunks as GeminiAnswer[])).toEqual(whole);
  }
  return JSON.parse(JSON.stringify(chunks)) as unknown[];
}

function partsOf(chunks: readonly unknown[]): unknown[] {
  return (chunks as GeminiAnswer[]).flatMap(({ candidates: [{ content }] }) => content.parts);
}

describe('a stream in the words of Gemini', () => {
  test('is one chunk for each batch, with the end in the last one', () => {
    const base = { modelVersion: 'scripted/one', responseId: 'resp_test' };
    expect(write([[text('Hel'), text('lo')], [text(' sea')], [usage, stop]])).toEqual([
      { candidates: [{ content: { parts: [{ text: 'Hello' }], role: 'model' }, index: 0 }], ...base },
      { candidates: [{ content: { parts: [{ text: ' sea' }], role: 'model' }, index: 0 }], ...base },
      {
        candidates: [{ content: { parts: [{ text: '' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
        usageMetadata: {
          promptTokenCount: 10,
          cachedContentTokenCount: 4,
          candidatesTokenCount: 2,
          thoughtsTokenCount: 5,
          totalTokenCount: 17,
        },
        ...base,
      },
    ]);
  });

  test('shows thoughts only where the client asked for them', () => {
    const said = [
      [thought('hm'), { type: 'reasoning-break' } as const, thought('so')],
      [text('Hello'), usage, stop],
    ];
    expect(partsOf(write(said))).toEqual([{ text: 'hm\n\nso', thought: true }, { text: 'Hello' }, { text: '' }]);
    expect(partsOf(write(said, false))).toEqual([{ text: 'Hello' }, { text: '' }]);
  });

  test('has a call only when its arguments are whole, with STOP as the reason', () => {
    const chunks = write([call('call_1').slice(0, 2), call('call_1').slice(2), [usage, stop]]);
    const functionCall = { id: 'call_1', name: 'get_weather', args: { city: 'Oslo' } };
    expect(partsOf(chunks)).toEqual([{ functionCall }, { text: '' }]);
    expect(chunks.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  });

  test('leaves out a call that was cut', () => {
    const cut = call('call_1').slice(0, 2);
    const chunks = write([
      [text('I call'), ...cut],
      [usage, { type: 'finish', reason: 'length' }],
    ]);
    expect(partsOf(chunks)).toEqual([{ text: 'I call' }, { text: '' }]);
    expect(chunks.at(-1)).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] });
  });

  test.each([
    ['content-filter', 'SAFETY'],
    ['timeout', 'OTHER'],
  ] as const)('ends a %s with %s', (reason, finishReason) => {
    expect(write([[text('Hel'), usage, { type: 'finish', reason }]]).at(-1)).toMatchObject({ candidates: [{ finishReason }] });
  });

  test('says nothing of a silence, and speaks of an answer without words', () => {
    expect(write([[], [usage, stop]])).toHaveLength(1);
    expect(partsOf(write([[], [usage, stop]]))).toEqual([{ text: '' }]);
  });

  test('ends a failure with an error and nothing behind it', () => {
    const error = new GatewayError('rate_limit_exceeded', 'slow down', { retryAfter: 3 });
    const chunks = write([[text('Hel')], [{ type: 'failure', error }]]);
    expect(chunks).toHaveLength(2);
    expect(chunks[1]).toMatchObject({ error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' } });
  });

  test('speaks a refusal as text', () => {
    expect(partsOf(write([[{ type: 'refusal-delta', delta: 'No.' }, usage, stop]]))).toEqual([{ text: 'No.' }, { text: '' }]);
  });

  test('keeps the messages of an agent apart', () => {
    const said = [[text('I look.'), { type: 'message-break' } as const, text('Found.'), usage, stop]];
    expect(partsOf(write(said))).toEqual([{ text: 'I look.\n\nFound.' }, { text: '' }]);
  });

  test('carries logprobs and their mean', () => {
    const logprob = {
      token: 'Hi',
      logprob: -0.5,
      bytes: [72, 105],
      topLogprobs: [{ token: 'Ho', logprob: -1, bytes: [72, 111] }],
    };
    const chunks = write([[{ type: 'text-delta', delta: 'Hi', logprobs: [logprob] }], [usage, stop]]);
    expect(chunks[0]).toMatchObject({
      candidates: [
        {
          logprobsResult: {
            chosenCandidates: [{ token: 'Hi', logProbability: -0.5 }],
            topCandidates: [{ candidates: [{ token: 'Ho', logProbability: -1 }] }],
          },
        },
      ],
    });
    expect(chunks[1]).toMatchObject({ candidates: [{ avgLogprobs: -0.5 }] });
  });
});

describe('a thought signature', () => {
  test('stands on the call behind it, and not on the next one', () => {
    const [first, second] = partsOf(write([[state('a'), ...call('call_1'), ...call('call_2'), usage, stop]])) as {
      thoughtSignature?: string;
    }[];
    expect(first?.thoughtSignature).toBe(signature('a'));
    expect(second).not.toHaveProperty('thoughtSignature');
  });

  test('stands on an empty text at the end when nothing follows', () => {
    expect(partsOf(write([[text('Hello')], [state('a'), usage, stop]]))).toEqual([
      { text: 'Hello' },
      { text: '', thoughtSignature: signature('a') },
    ]);
  });

  test('stands on the text behind it and once more on the call of the same step', () => {
    expect(partsOf(write([[thought('hm'), state('a')], [text('Hel')], [text('lo')], [...call('call_1'), usage, stop]]))).toEqual([
      { text: 'hm', thought: true },
      { text: 'Hel', thoughtSignature: signature('a') },
      { text: 'lo' },
      expect.objectContaining({ thoughtSignature: signature('a') }),
      { text: '' },
    ]);
  });

  test('never meets another one on one part', () => {
    const said = [[state('a'), thought('b'), state('b'), text('Hello'), usage, stop]];
    expect(partsOf(write(said))).toEqual([
      { text: '', thoughtSignature: signature('a') },
      { text: 'b', thought: true },
      { text: 'Hello', thoughtSignature: signature('b') },
      { text: '' },
    ]);
  });

  test('survives the hiding of its thoughts', () => {
    const said = [[thought('a'), state('a'), thought('b'), state('b'), text('Hello'), usage, stop]];
    expect(partsOf(write(said, false))).toEqual([
      { text: '', thoughtSignature: signature('a') },
      { text: 'Hello', thoughtSignature: signature('b') },
      { text: '' },
    ]);
  });
});

describe('sources', () => {
  const annotation = (startIndex: number, endIndex: number, url = 'https://a.example'): ModelEvent => ({
    type: 'annotation',
    annotation: { url, title: 'A', startIndex, endIndex },
  });

  test('have offsets in bytes of all visible text', () => {
    const search: ModelEvent = { type: 'web-search', queries: ['weather'], sources: ['https://a.example', 'https://b.example'] };
    const said = [
      [text('ä€'), annotation(0, 1)],
      [search],
      [text('😀ok'), annotation(2, 4), annotation(2, 4, 'https://c.example')],
      [usage, stop],
    ];
    expect(write(said).at(-1)).toMatchObject({
      candidates: [
        {
          groundingMetadata: {
            webSearchQueries: ['weather'],
            groundingChunks: [
              { web: { uri: 'https://a.example', title: 'A' } },
              { web: { uri: 'https://b.example' } },
              { web: { uri: 'https://c.example', title: 'A' } },
            ],
            groundingSupports: [
              { segment: { startIndex: 0, endIndex: 2, text: 'ä' }, groundingChunkIndices: [0] },
              { segment: { startIndex: 9, endIndex: 11, text: 'ok' }, groundingChunkIndices: [0, 2] },
            ],
          },
        },
      ],
    });
  });

  test('that support nothing in particular stand only among the chunks', () => {
    const chunks = write([[text('Hello'), annotation(5, 5), usage, stop]]);
    expect(chunks.at(-1)).toMatchObject({
      candidates: [{ groundingMetadata: { groundingChunks: [{ web: { uri: 'https://a.example' } }] } }],
    });
    expect(JSON.stringify(chunks)).not.toContain('groundingSupports');
  });
});
