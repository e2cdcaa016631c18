import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import type { Generation, Place } from './generation.ts';
import { itemSchema } from './is-schema-match.ts';
import { numberOf } from './schema-keywords.ts';

/** So many quoted texts become items. */
const usualMost = 8;
/** Longer lists are not written: a client could keep the process busy with them. */
const mostItems = 1_000;

/** Lists worth trying: as many items as the text quotes, else one; the fewest allowed; none. */
export function* arrayCandidates(keywords: JsonObject, place: Place, generation: Generation): Generator<JsonValue[]> {
  const least = Math.max(numberOf(keywords, 'minItems', 0), 0);
  if (least > mostItems) return;
  const most = numberOf(keywords, 'maxItems', Infinity);
  const quoted = Math.min(generation.hints.quotes().length, usualMost);
  const lengths = new Set([quoted, 1, least].map((length) => Math.min(Math.max(length, least), most)));
  for (const length of lengths) {
    const items = writeItems(keywords, length, place, generation);
    if (items !== undefined) yield items;
  }
  if (least === 0) yield [];
}

function writeItems(keywords: JsonObject, length: number, place: Place, generation: Generation): JsonValue[] | undefined {
  const items: JsonValue[] = [];
  const contained = Math.max(numberOf(keywords, 'minContains', 1), 0);
  for (let index = 0; index < length; index++) {
    const own = itemSchema(keywords, index);
    const schema = keywords['contains'] !== undefined && index < contained ? { allOf: [own, keywords['contains']] } : own;
    const variant = keywords['uniqueItems'] === true ? place.variant + index : place.variant;
    const item = generation.generate(schema, { ...place, variant });
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}
