import { describe, expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';

function openStage() {
  const toolNames = createToolNames([], geminiToolNameRule);
  return fromGeminiChunks({
    newId: counterId(),
    model: 'gemini-x',
    toolNames,
    mapError: (error) => new GatewayError('rate_limit_exceeded', String(error['message'])),
  });
}

function play(...chunks: readonly unknown[]): ModelEvent[] {
  const stage = openStage();
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

function chunk(text: string | null, finishReason?: string, rest: object = {}): unknown {
  return {
    candidates: [
      { ...(text !== null && { content: { parts: [{ text }] } }), ...(finishReason !== undefined && { finishReason }) },
    ],
    ...rest,
  };
}

function endingOf(events: readonly ModelEvent[]): string {
  const last = events.at(-1);
  if (last?.type === 'finish') return last.reason;
  return last?.type === 'failure' ? last.error.code : 'none';
}

describe('how an answer ends', () => {
  test.each([
    ['STOP', 'stop', 'stop'],
    ['MAX_TOKENS', 'length', 'length'],
    ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'MODEL_ARMOR', 'IMAGE_SAFETY'].map((reason) => [
      reason,
      'content-filter',
      'content-filter',
    ]),
    ['OTHER', 'stop', 'upstream_error'],
    ...['LANGUAGE', 'NO_IMAGE', 'IMAGE_OTHER', 'FINISH_REASON_UNSPECIFIED'].map((reason) => [
      reason,
      'upstream_error',
      'upstream_error',
    ]),
    ...[
      'MALFORMED_FUNCTION_CALL',
      'UNEXPECTED_TOOL_CALL',
      'TOO_MANY_TOOL_CALLS',
      'MALFORMED_RESPONSE',
      'MISSING_THOUGHT_SIGNATURE',
    ].map((reason) => [reason, 'upstream_error', 'upstream_error']),
    ['SOMETHING_NEW', 'stop', 'upstream_error'],
  ])('%s: with text %s, without %s', (reason, withText, without) => {
    expect(endingOf(play(chunk('Hi'), chunk(null, reason)))).toBe(withText);
    expect(endingOf(play(chunk(null, reason)))).toBe(without);
  });

  test('an unknown reason is taken for a normal end and reported', () => {
    expect(play(chunk('Hi', 'SOMETHING_NEW'))).toContainEqual({
      type: 'loss',
      loss: {
        path: 'output',
        action: 'dropped',
        reason: 'the finish reason SOMETHING_NEW is not known and was taken for a normal end',
      },
    });
  });

  test('a refused prompt is the same in a stream and in a body', () => {
    const refused = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 5, totalTokenCount: 5 } };
    const expected = [
      { type: 'usage', usage: { inputTokens: 5, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0, totalTokens: 5 } },
      { type: 'finish', reason: 'content-filter' },
    ];
    expect(play(refused)).toEqual(expected);
    expect(play({ ...refused, candidates: [] })).toEqual(expected);
  });

  test('no finish reason: cut off; nothing that Gemini would say: not Gemini', () => {
    expect(endingOf(play(chunk('Hi')))).toBe('upstream_truncated');
    expect(endingOf(play())).toBe('upstream_invalid_response');
    expect(endingOf(play({ choices: [] }))).toBe('upstream_invalid_response');
    expect(endingOf(play(null, 'x', 7))).toBe('upstream_invalid_response');
  });

  test('an error ends the answer at once; what comes after it is not read', () => {
    const events = play(chunk('Hi'), { error: { code: 429, message: 'slow down' } }, chunk('more', 'STOP'));
    expect(events.map((event) => event.type)).toEqual(['text-delta', 'failure']);
    expect(play([{ error: { code: 500 } }]).map((event) => event.type)).toEqual(['failure']);
  });

  test('text behind the finish reason is not lost; there is still one ending', () => {
    expect(play(chunk('a', 'STOP'), chunk('b', 'STOP')).map((event) => event.type)).toEqual([
      'text-delta',
      'text-delta',
      'finish',
    ]);
  });

  test('it is settled by a finish reason, a refusal and an error', () => {
    const stage = openStage();
    stage.push(chunk('Hi'));
    expect(stage.settled).toBe(false);
    stage.push(chunk(null, 'FINISH_REASON_UNSPECIFIED'));
    expect(stage.settled).toBe(false);
    stage.push(chunk(null, 'STOP'));
    expect(stage.settled).toBe(true);
    const refused = openStage();
    refused.push({ promptFeedback: { blockReason: 'OTHER' } });
    expect(refused.settled).toBe(true);
    const failed = openStage();
    failed.push({ error: {} });
    expect(failed.settled).toBe(true);
  });
});

describe('usage', () => {
  function usageOf(...snapshots: readonly object[]): unknown {
    const events = play(...snapshots.map((usageMetadata) => chunk('x', 'STOP', { usageMetadata })));
    return events.find((event) => event.type === 'usage')?.usage;
  }

  test.each([
    [
      'the last known value of each field counts',
      [
        { promptTokenCount: 4, candidatesTokenCount: 1, totalTokenCount: 5 },
        { candidatesTokenCount: 9, totalTokenCount: 13 },
        { trafficType: 'ON_DEMAND' },
      ],
      { inputTokens: 4, cachedTokens: 0, outputTokens: 9, reasoningTokens: 0, totalTokens: 13 },
    ],
    [
      'tool prompts are input, thinking is output, cached tokens are part of the prompt',
      [
        {
          promptTokenCount: 147,
          candidatesTokenCount: 108,
          thoughtsTokenCount: 168,
          toolUsePromptTokenCount: 360,
          cachedContentTokenCount: 100,
          totalTokenCount: 783,
        },
      ],
      { inputTokens: 507, cachedTokens: 100, outputTokens: 276, reasoningTokens: 168, totalTokens: 783 },
    ],
    [
      'candidates that hold the thinking already',
      [{ promptTokenCount: 10, candidatesTokenCount: 50, thoughtsTokenCount: 30, totalTokenCount: 60 }],
      { inputTokens: 10, cachedTokens: 0, outputTokens: 50, reasoningTokens: 30, totalTokens: 60 },
    ],
    [
      'texts, negative and broken numbers are not counted',
      [{ promptTokenCount: '4', candidatesTokenCount: -1, totalTokenCount: 1.5 }],
      undefined,
    ],
    ['only a total', [{ totalTokenCount: 3 }], { totalTokens: 3 }],
    ['nothing', [{}], undefined],
  ])('%s', (_, snapshots, expected) => {
    expect(usageOf(...snapshots)).toEqual(expected);
  });
});
