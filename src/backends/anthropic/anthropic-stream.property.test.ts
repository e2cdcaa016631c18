import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { eventLine, messageOf } from '../../../test/doubles/anthropic-answers.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { fromAnthropicChunks, type AnthropicTurnStage } from '../../translate/anthropic/from-anthropic-chunks.ts';
import { createToolNames } from '../../translate/tool-names.ts';
import { EventStreamStage } from '../upstream/event-stream-stage.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const source = { type: 'web_search_result_location', url: 'https://a.example', title: null };
const block = fc.oneof(
  fc.record({ type: fc.constant('text'), text }),
  fc.record({ type: fc.constant('text'), text, citations: fc.constant([source]) }),
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: fc.constantFrom('SIG', '') }),
  fc.constant({ type: 'redacted_thinking', data: 'XX' }),
  fc.record({
    type: fc.constant('tool_use'),
    id: fc.constantFrom('toolu_a', 'toolu_b', '?'),
    name: fc.constant('f'),
    input: fc.dictionary(text, text),
  }),
  fc.record({
    type: fc.constant('server_tool_use'),
    id: fc.constant('s'),
    name: fc.constantFrom('web_search', 'bash'),
    input: fc.record({ query: text }),
  }),
  fc.constant({ type: 'web_search_tool_result', tool_use_id: 's', content: [{ url: 'https://a.example' }] }),
  fc.constant({ type: 'novelty' }),
);
const ending = fc.record({ stop_reason: fc.constantFrom('end_turn', 'tool_use', 'max_tokens', 'refusal', 'pause_turn') });

function createStage(): AnthropicTurnStage {
  return fromAnthropicChunks({
    ...{ newId: counterId(), model: 'm', answerTool: null, hasServerTools: false },
    toolNames: createToolNames([], { pattern: /^[a-z]+$/, maxLength: 64 }),
    mapError: () => new GatewayError('upstream_error', 'trouble'),
  });
}

/** Events with the pieces of one text joined; counts left out, which come earlier in a stream. */
function told(events: readonly ModelEvent[]): unknown[] {
  const out: { type: string; delta?: string }[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.type === 'usage') continue;
    if ('delta' in event && last?.delta !== undefined && last.type === event.type) last.delta += event.delta;
    else out.push({ ...event });
  }
  return out;
}

test('however a stream is cut into pieces, it says what the whole body says', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 6 }), ending, cuts, (content, end, sizes) => {
      const { body, events } = messageOf(content, end);
      const whole = createStage();
      const wanted = [...whole.push(body), ...whole.end()];
      const streamed = new EventStreamStage(createStage(), 1_000_000);
      const bytes = Buffer.from(events.map(eventLine).join(''));
      const found: ModelEvent[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        found.push(...streamed.push(bytes.subarray(at, at + size)));
        at += size;
      }
      if (!streamed.isOver) found.push(...streamed.end());
      expect(told(found)).toEqual(told(wanted));
      expect(checkModelEvents(found)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
