import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChatStream } from '../../../test/check-chat-stream.ts';
import { counterId } from '../../../test/counter-id.ts';
import { anyTurn } from '../../../test/doubles/model-events.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import { joinedOf } from '../../../test/joined-chat-answer.ts';
import type { BuilderInput } from '../../engine/model-event-log.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ChatCompletionChunk, ChatStreamError } from '../../protocol/chat/answer.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import { createToolNames } from '../tool-names.ts';
import type { ChatFacts } from './chat-answer.ts';
import { createChatProfile } from './chat-profile.ts';
import { fromChatChunks } from './from-chat-chunks.ts';
import { toChatChunks } from './to-chat-chunks.ts';
import { toChatCompletion } from './to-chat-completion.ts';

type Frame = ChatCompletionChunk | ChatStreamError;

/** The engine's events of a turn. */
function eventsOf(batches: readonly (readonly BuilderInput[])[]): ResponseEvent[] {
  let sealed = 0;
  const builder = new ResponseBuilder(newTestResponse(), {
    newId: counterId(),
    completedAt: () => 200,
    seal: () => `sealed-${String(++sealed)}`,
  });
  return [...builder.begin(), ...batches.flatMap((batch) => builder.push(batch)), ...builder.end()];
}

function framesOf(events: readonly ResponseEvent[], facts: ChatFacts): Frame[] {
  const stage = toChatChunks(facts);
  return [...events.flatMap((event) => stage.push(event)), ...stage.end()];
}

function toSse(frames: readonly Frame[]): string {
  const failed = frames.some((frame) => 'error' in frame);
  return frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('') + (failed ? '' : 'data: [DONE]\n\n');
}

test('whatever a backend does, the stream obeys the grammar, and a client joins it to the unstreamed answer', () => {
  const facts = fc.record({ includesUsage: fc.boolean(), isLegacy: fc.constant(false) });
  fc.assert(
    fc.property(anyTurn, facts, (batches, asked) => {
      const events = eventsOf(batches);
      const { answer, faults } = readChatStream(toSse(framesOf(events, asked)), asked);
      // Random sources point anywhere; where they point is not ours to change.
      expect(faults.filter((fault) => !fault.startsWith('an annotation outside'))).toEqual([]);
      const last = events.at(-1)!;
      if (last.type === 'response.failed') expect(answer.error).not.toBeNull();
      else if ('response' in last) {
        const whole = joinedOf(toChatCompletion(last.response, asked));
        expect(answer).toEqual({ ...whole, usage: asked.includesUsage ? whole.usage : null });
      }
    }),
    { numRuns: 500 },
  );
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const bytes = fc.array(fc.nat(255), { maxLength: 3 });
const token = fc.record({ token: text, logprob: fc.constantFrom(-0.5, 0, -12.25), bytes });
const logprobs = fc.array(
  fc.tuple(token, fc.array(token, { maxLength: 2 })).map(([one, topLogprobs]) => ({ ...one, topLogprobs })),
  { minLength: 1, maxLength: 2 },
);
const textDelta = fc.oneof(
  fc.record({ type: fc.constant('text-delta' as const), delta: text }),
  fc.record({ type: fc.constant('text-delta' as const), delta: text, logprobs }),
);
const refusalDelta = fc.record({ type: fc.constant('refusal-delta' as const), delta: text });
const thinking = fc.record({ type: fc.constant('reasoning-delta' as const), delta: text });
const argumentPieces = fc.dictionary(text, fc.string(), { maxKeys: 3 }).map((value) => {
  const json = JSON.stringify(value);
  return [json.slice(0, 3), json.slice(3)].filter((piece) => piece !== '');
});

function callEvents(at: number, name: string, pieces: readonly string[]): ModelEvent[] {
  const callId = `call_${String(at)}`;
  return [
    { type: 'call-start', callId, name },
    ...pieces.map((delta): ModelEvent => ({ type: 'call-delta', callId, delta })),
    { type: 'call-end', callId },
  ];
}

/** A turn as chat can say it: thinking, then text or a refusal, then calls, sources at the end. */
const sayable: fc.Arbitrary<ModelEvent[]> = fc
  .record({
    thoughts: fc.array(thinking, { maxLength: 3 }),
    said: fc.oneof(fc.array(textDelta, { minLength: 1, maxLength: 4 }), fc.array(refusalDelta, { minLength: 1, maxLength: 2 })),
    calls: fc.array(fc.tuple(fc.constantFrom('search', 'get_weather'), argumentPieces), { maxLength: 3 }),
    hasSource: fc.boolean(),
    usage: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99)),
    reason: fc.constantFrom('stop' as const, 'length' as const, 'content-filter' as const),
  })
  .map(({ thoughts, said, calls, hasSource, usage, reason }) => {
    const [inputTokens, cachedTokens, cacheWriteTokens, outputTokens, reasoningTokens] = usage;
    const source = { url: 'https://example.org', title: 'Example', startIndex: 0, endIndex: 1 };
    const isText = said[0]?.type === 'text-delta';
    return [
      ...thoughts,
      ...said,
      ...(hasSource && isText ? [{ type: 'annotation' as const, annotation: source }] : []),
      ...calls.flatMap(([name, pieces], at) => callEvents(at, name, pieces)),
      {
        type: 'usage' as const,
        usage: {
          inputTokens,
          cachedTokens,
          cacheWriteTokens,
          outputTokens,
          reasoningTokens,
          totalTokens: inputTokens + outputTokens,
        },
      },
      { type: 'finish' as const, reason },
    ];
  });

/** What a turn says, whatever the pieces it comes in. */
function saidBy(events: readonly ModelEvent[]): unknown {
  const join = (type: 'text-delta' | 'refusal-delta' | 'reasoning-delta'): string =>
    events.map((event) => (event.type === type ? event.delta : '')).join('');
  return {
    thought: join('reasoning-delta'),
    text: join('text-delta'),
    refusal: join('refusal-delta'),
    logprobs: events.flatMap((event) => (event.type === 'text-delta' ? (event.logprobs ?? []) : [])),
    sources: events.flatMap((event) => (event.type === 'annotation' ? [event.annotation] : [])),
    calls: events.flatMap((start) => {
      if (start.type !== 'call-start') return [];
      const pieces = events.map((event) => (event.type === 'call-delta' && event.callId === start.callId ? event.delta : ''));
      return [{ callId: start.callId, name: start.name, arguments: pieces.join('') }];
    }),
    usage: events.findLast((event) => event.type === 'usage')?.usage,
    finish: events.at(-1),
  };
}

test('what chat can say comes back from its own chunks unchanged', () => {
  const facts = { includesUsage: true, isLegacy: false };
  fc.assert(
    fc.property(sayable, (turn) => {
      const stage = fromChatChunks({
        newId: counterId(),
        model: 'one',
        profile: createChatProfile({ baseUrl: 'https://api.openai.com/v1' }),
        toolNames: createToolNames(['search', 'get_weather'], { pattern: /^\w+$/, maxLength: 64 }),
        wantsLogprobs: true,
      });
      const chunks = framesOf(eventsOf([turn]), facts);
      const back = [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
      expect(saidBy(back)).toEqual(saidBy(turn));
    }),
    { numRuns: 300 },
  );
});
