import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { isJsonObject } from '../../../lib/json.ts';
import type { Generation, Place } from './generation.ts';
import { propertySchemas } from './is-schema-match.ts';
import { listOf, numberOf, objectOf, requiredOf } from './schema-keywords.ts';

/** So many optional names are looked for in the text. */
const mostSearched = 200;

/** Objects worth trying: with the optional members that belong there, then with the required ones alone. */
export function* objectCandidates(keywords: JsonObject, place: Place, generation: Generation): Generator<JsonObject & JsonValue> {
  const required = new Set(requiredOf(keywords));
  const optional = Object.keys(objectOf(keywords, 'properties')).filter((name) => !required.has(name));
  const wanted = wantedNames(keywords, optional, generation);
  for (const names of wanted.length > 0 ? [wanted, []] : [[]]) {
    const value = writeObject(keywords, [...names, ...optional], { names, place, generation });
    if (value !== undefined) yield value;
  }
}

/** A model leaves out what nobody spoke of; but where nothing is required, a call without any argument would show nothing. */
function wantedNames(
  keywords: JsonObject,
  optional: readonly string[],
  { optional: mode, hints }: Generation,
): readonly string[] {
  if (mode === 'all') return optional;
  const properties = objectOf(keywords, 'properties');
  const isWanted = (name: string): boolean =>
    hints.assigned(name) !== undefined ||
    hints.mentions(name.replaceAll('_', ' ')) ||
    enumOf(properties[name]).some((value) => typeof value === 'string' && hints.mentions(value));
  const mentioned = optional.slice(0, mostSearched).filter(isWanted);
  return mentioned.length > 0 || requiredOf(keywords).length > 0 ? mentioned : optional.slice(0, 1);
}

function enumOf(schema: unknown): readonly unknown[] {
  return isJsonObject(schema) ? listOf(schema, 'enum') : [];
}

interface Wish {
  /** Optional members to write where they can be written. */
  readonly names: readonly string[];
  readonly place: Place;
  readonly generation: Generation;
}

/** The required members, the wished ones, and as many more as `minProperties` asks for. Undefined when a required one cannot be written. */
function writeObject(
  keywords: JsonObject,
  optional: readonly string[],
  wish: Wish,
): { readonly [key: string]: JsonValue } | undefined {
  const members = new Map<string, JsonValue>();
  for (const name of requiredOf(keywords)) {
    const value = writeMember(keywords, name, wish);
    if (value === undefined) return undefined;
    members.set(name, value);
  }
  const least = numberOf(keywords, 'minProperties', 0);
  const most = numberOf(keywords, 'maxProperties', Infinity);
  for (const name of [...optional, ...inventedNames(least)]) {
    const isAsked = wish.names.includes(name) || members.size < least;
    if (!isAsked || members.size >= most || members.has(name)) continue;
    const value = writeMember(keywords, name, wish);
    if (value !== undefined) members.set(name, value);
  }
  for (const name of dependentNames(keywords, members)) {
    const value = writeMember(keywords, name, wish);
    if (value !== undefined) members.set(name, value);
  }
  return Object.fromEntries(inSchemaOrder(keywords, members));
}

/** Names for members that only `minProperties` asks for. */
function inventedNames(least: number): string[] {
  return Array.from({ length: Math.min(least, 100) }, (_, index) => `key${String(index + 1)}`);
}

function dependentNames(keywords: JsonObject, members: ReadonlyMap<string, JsonValue>): string[] {
  return Object.entries(objectOf(keywords, 'dependentRequired'))
    .filter(([name]) => members.has(name))
    .flatMap(([, others]) => (Array.isArray(others) ? others.filter((other) => typeof other === 'string') : []))
    .filter((name) => !members.has(name));
}

function writeMember(keywords: JsonObject, name: string, { place, generation }: Wish): JsonValue | undefined {
  const schemas = propertySchemas(keywords, name, generation.budget);
  return generation.generate(schemas.length === 1 ? schemas[0] : { allOf: schemas }, { ...place, name });
}

/** Members in the order of `properties`, as models write them; others follow. */
function inSchemaOrder(keywords: JsonObject, members: ReadonlyMap<string, JsonValue>): [string, JsonValue][] {
  const order = new Map(Object.keys(objectOf(keywords, 'properties')).map((name, index) => [name, index]));
  const rank = (name: string): number => order.get(name) ?? order.size;
  return [...members].sort(([one], [other]) => rank(one) - rank(other));
}
