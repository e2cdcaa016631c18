import type { JsonObject } from '../../../lib/json.ts';
import type { Generation, Place } from './generation.ts';
import { listOf, numberOf } from './schema-keywords.ts';

/** Numbers worth trying: what the text says, what the schema suggests, then what its limits make likely. */
export function* numberCandidates(keywords: JsonObject, place: Place, { hints }: Generation): Generator<number> {
  const isInteger =
    keywords['type'] === 'integer' || (Array.isArray(keywords['type']) && !listOf(keywords, 'type').includes('number'));
  const said = Number(hints.assigned(place.name));
  const suggested = [said, ...hints.numbers(), keywords['default'], ...listOf(keywords, 'examples')];
  if (place.variant === 0) {
    for (const value of suggested) if (typeof value === 'number' && Number.isFinite(value)) yield value;
  }
  const step = numberOf(keywords, 'multipleOf', 1) || 1;
  for (const value of limitCandidates(keywords, step)) {
    const varied = value + place.variant * step;
    for (const candidate of [varied, value - place.variant * step]) yield isInteger ? Math.round(candidate) : candidate;
  }
}

function limitCandidates(keywords: JsonObject, step: number): number[] {
  const low = Math.max(numberOf(keywords, 'minimum', -Infinity), numberOf(keywords, 'exclusiveMinimum', -Infinity));
  const high = Math.min(numberOf(keywords, 'maximum', Infinity), numberOf(keywords, 'exclusiveMaximum', Infinity));
  const up = Math.ceil(low / step) * step;
  const down = Math.floor(high / step) * step;
  return [1, step, 0, up, up + step, down, down - step, low, high, (low + high) / 2, Math.ceil(low), Math.floor(high)].filter(
    (value) => Number.isFinite(value),
  );
}
