import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counterId } from '../../../test/counter-id.ts';
import { newTestResponse } from '../../../test/doubles/new-test-response.ts';
import { ResponseBuilder } from '../../engine/response-builder.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromAnthropicChunks } from './from-anthropic-chunks.ts';
import { toAnthropicAnswer } from './to-anthropic-answer.ts';
import { AnthropicChunks } from './to-anthropic-chunks.ts';

/** What the Messages API can say (text blocks side by side are one text: citations cut them up): signed thinking, texts, calls, in any order, in any pieces; counts; an end. */
const piece = fc.constantFrom('Hello', ' world', '😀', 'a', '\n\n', '{"a":1}', '\u0000');
const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });
const thinking = pieces.map((deltas): ModelEvent[] => [
  ...deltas.map((delta): ModelEvent => ({ type: 'reasoning-delta', delta })),
  { type: 'reasoning-state', state: { format: 'anthropic', model: 'm', data: 'state' } },
]);
const hidden = fc.constant<ModelEvent[]>([
  { type: 'reasoning-state', state: { format: 'anthropic', model: 'm', data: 'state' } },
]);
const said = pieces.map((deltas) => deltas.map((delta): ModelEvent => ({ type: 'text-delta', delta })));
const called = fc.record({ a: fc.jsonValue({ maxDepth: 2 }), cut: fc.nat({ max: 20 }) }).map(({ a, cut }): ModelEvent[] => {
  const json = JSON.stringify({ a });
  return [
    { type: 'call-start', callId: 'CALL', name: 'f' },
    { type: 'call-delta', callId: 'CALL', delta: json.slice(0, cut) },
    { type: 'call-delta', callId: 'CALL', delta: json.slice(cut) },
    { type: 'call-end', callId: 'CALL' },
  ];
});
const usage = fc
  .record({
    inputTokens: fc.nat(),
    cachedTokens: fc.nat(),
    cacheWriteTokens: fc.nat(),
    outputTokens: fc.nat(),
    reasoningTokens: fc.nat(),
  })
  .map((counts): ModelEvent => ({
    type: 'usage',
    usage: {
      ...counts,
      inputTokens: counts.inputTokens + counts.cachedTokens + counts.cacheWriteTokens,
      outputTokens: counts.outputTokens + counts.reasoningTokens,
    },
  }));
const ending = fc.constantFrom<ModelEvent[]>(
  [{ type: 'finish', reason: 'stop' }],
  [{ type: 'finish', reason: 'length' }],
  [
    { type: 'stop-sequence', sequence: 'END' },
    { type: 'finish', reason: 'stop' },
  ],
);
const turn = fc
  .record({ blocks: fc.array(fc.oneof(thinking, hidden, said, called), { maxLength: 5 }), last: said, usage, ending })
  .map(({ blocks, last, usage: counted, ending: end }): ModelEvent[] => [
    ...[...blocks, last].flatMap((events, at) =>
      events.map((event) => ('callId' in event ? { ...event, callId: `call_${String(at)}` } : event)),
    ),
    counted,
    ...end,
  ]);

function build(events: readonly ModelEvent[]): ResponseBuilder {
  const builder = new ResponseBuilder(newTestResponse(), { newId: counterId(), completedAt: () => 200, seal: () => 'sealed' });
  builder.push(events);
  return builder;
}

/** The answer that a client has of these events. */
function answerOf(events: readonly ModelEvent[]): object {
  const builder = build(events);
  builder.end();
  return { ...toAnthropicAnswer(builder.response, builder.stopSequence) };
}

/** Our stream of these events, read as the stream of an Anthropic server. */
function throughTheWire(events: readonly ModelEvent[]): readonly ModelEvent[] {
  const builder = new ResponseBuilder(newTestResponse(), { newId: counterId(), completedAt: () => 200, seal: () => 'sealed' });
  const log = [...builder.begin(), ...builder.push(events), ...builder.end()];
  const chunks = new AnthropicChunks(builder);
  const stage = fromAnthropicChunks({
    ...{
      model: 'm',
      newId: counterId(),
      toolNames: createToolNames(['f'], { pattern: /^\w+$/, maxLength: 64 }),
      answerTool: null,
    },
    mapError: () => new GatewayError('upstream_error', 'an error'),
    hasServerTools: false,
  });
  const sent = log.flatMap((event) => chunks.push(event)).map((chunk) => JSON.parse(JSON.stringify(chunk)) as unknown);
  return [...sent.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

test('what the Messages API can say comes back as it was: events → chunks → events', () => {
  fc.assert(
    fc.property(turn, (events) => {
      expect(answerOf(throughTheWire(events))).toEqual(answerOf(events));
    }),
    { numRuns: 300 },
  );
});
