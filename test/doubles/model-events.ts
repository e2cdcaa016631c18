import fc from 'fast-check';
import { GatewayError } from '../../src/model/errors.ts';
import type { BuilderInput } from '../../src/engine/model-event-log.ts';

/** Text pieces as models send them: words, nothing, JSON, astral characters, and halves of one. */
const piece = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('', 'Hello', ' world', '😀', 'a\ud83d', '\ude00b', '{"a":1}', '\u0000', '\n\n'),
);

const callId = fc.constantFrom('call_a', 'call_b', 'call_c');

/** Pieces that make whole JSON objects often enough. */
const argumentPiece = fc.constantFrom('{}', '{"city":', '"Oslo"}', '{"a":1}', '', '[1]', '😀');

/** Anything a backend could report, in any order: also what the rules of ModelEvent forbid. */
const anyModelEvent: fc.Arbitrary<BuilderInput> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('text-delta' as const), delta: piece }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('reasoning-delta' as const), delta: piece }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refusal-delta' as const), delta: piece }) },
  { weight: 1, arbitrary: fc.constant({ type: 'reasoning-break' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'message-break' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('reasoning-state' as const),
      state: fc.constant({ format: 'gemini', model: 'm', data: { signature: 's' } }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('call-start' as const), callId, name: fc.constantFrom('get_weather', 'search') }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('call-delta' as const), callId, delta: argumentPiece }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('call-end' as const), callId }) },
  {
    weight: 1,
    arbitrary: fc.constant({
      type: 'annotation' as const,
      annotation: { url: 'https://example.org', title: 'Example', startIndex: 0, endIndex: 3 },
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'web-search' as const, queries: ['weather'], sources: ['https://example.org'] }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('usage' as const),
      usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat() }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'keep-alive' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('finish' as const),
      reason: fc.constantFrom('stop' as const, 'length' as const, 'content-filter' as const, 'timeout' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ type: 'failure' as const, error: new GatewayError('upstream_error', 'the server said so') }),
  },
);

/** A turn: batches of events, usually but not always with an end. */
export const anyTurn: fc.Arbitrary<BuilderInput[][]> = fc.array(fc.array(anyModelEvent, { maxLength: 6 }), { maxLength: 8 });
