import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkModelEvents } from '../../../test/check-model-events.ts';
import { counterId } from '../../../test/counter-id.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { createToolNames } from '../tool-names.ts';
import { fromGeminiChunks } from './from-gemini-chunks.ts';
import { geminiToolNameRule } from './to-gemini-tools.ts';

function play(...chunks: readonly unknown[]): ModelEvent[] {
  const stage = fromGeminiChunks({
    newId: counterId(),
    model: 'gemini-x',
    toolNames: createToolNames([], geminiToolNameRule),
    mapError: () => new GatewayError('rate_limit_exceeded', 'slow down'),
  });
  return [...chunks.flatMap((chunk) => stage.push(chunk)), ...stage.end()];
}

const stop = { candidates: [{ finishReason: 'STOP' }] };

describe('whatever comes', () => {
  const text = fc.string({ maxLength: 6 });
  const part = fc.oneof(
    fc.record({ text, thought: fc.boolean(), thoughtSignature: text }, { requiredKeys: ['text'] }),
    fc.record(
      {
        functionCall: fc.record({ name: text, id: text, args: fc.jsonValue(), willContinue: fc.boolean() }, { requiredKeys: [] }),
        thoughtSignature: text,
      },
      { requiredKeys: ['functionCall'] },
    ),
    fc.record({
      functionCall: fc.record({
        partialArgs: fc.array(
          fc.record(
            { jsonPath: fc.constantFrom('$.a', '$.a.b', '$', 'x'), stringValue: text, willContinue: fc.boolean() },
            { requiredKeys: ['jsonPath'] },
          ),
        ),
      }),
    }),
    fc.record({ toolCall: fc.jsonValue() }),
    fc.jsonValue(),
  );
  const grounding = fc.record({
    groundingChunks: fc.array(fc.constantFrom({ web: { uri: 'https://a/' } }, {}, null)),
    groundingSupports: fc.array(
      fc.record({
        segment: fc.record(
          { startIndex: fc.integer(), endIndex: fc.integer(), partIndex: fc.integer(), text },
          { requiredKeys: [] },
        ),
        groundingChunkIndices: fc.array(fc.integer({ min: -1, max: 3 })),
      }),
    ),
  });
  const reason = fc.constantFrom('STOP', 'MAX_TOKENS', 'SAFETY', 'OTHER', 'NEW', undefined, '');
  const candidate = fc.record(
    { content: fc.record({ parts: fc.array(part) }), finishReason: reason, groundingMetadata: grounding },
    { requiredKeys: [] },
  );
  const anyChunk = fc.oneof(
    fc.record({ candidates: fc.array(candidate, { maxLength: 1 }), usageMetadata: fc.jsonValue() }),
    fc.jsonValue(),
  );

  test('the events keep the rules of a backend and the stage never throws', () => {
    fc.assert(
      fc.property(fc.array(anyChunk, { maxLength: 6 }), (chunks) => {
        expect(checkModelEvents(play(...chunks))).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  test('a planted second ending is found', () => {
    expect(checkModelEvents([...play(stop), ...play(stop)])).not.toEqual([]);
  });
});
