import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import type { TextHints } from '../text-hints.ts';
import { addSchema, flattenSchema, type FlatSchema } from './flatten-schema.ts';
import { arrayCandidates } from './generate-array.ts';
import { numberCandidates } from './generate-number.ts';
import { objectCandidates } from './generate-object.ts';
import { stringCandidates } from './generate-string.ts';
import { isSchemaMatch } from './is-schema-match.ts';
import type { Generation, Place } from './generation.ts';
import { listOf, ownMember } from './schema-keywords.ts';
import { createWorkBudget } from './work-budget.ts';

const workSteps = 20_000;
const maxDepth = 50;

export interface GenerateOptions {
  readonly schema: JsonObject;
  readonly hints: TextHints;
  /** Which optional members are written: all of them, or only those that the text speaks of (and one, when none is required). */
  readonly optional: 'all' | 'mentioned';
}

/**
 * A JSON object that obeys the schema, with words and numbers of the text where they fit. Deterministic. Schemas come from clients: whatever they hold, this ends soon;
 * where nothing valid is found (a schema that contradicts itself, a pattern beyond us) it is an empty object.
 */
export function generateObject(options: GenerateOptions): JsonObject {
  const found =
    tryGenerate(options) ?? (options.optional === 'all' ? tryGenerate({ ...options, optional: 'mentioned' }) : undefined);
  return found ?? {};
}

function tryGenerate({ schema, hints, optional }: GenerateOptions): JsonObject | undefined {
  const budget = createWorkBudget(workSteps);
  const generation: Generation = {
    root: schema,
    hints,
    optional,
    budget,
    generate: (member, place) => generate(member, place, generation),
  };
  const asObject = { allOf: [schema, { type: 'object' }] };
  const value = generation.generate(asObject, { name: '', depth: 0, references: [], variant: 0 });
  return isJsonObject(value) ? value : undefined;
}

function generate(schema: unknown, place: Place, generation: Generation): JsonValue | undefined {
  if (place.depth > maxDepth || !generation.budget.spend()) return undefined;
  const flat = flattenSchema(schema, generation.root, place.references);
  if (flat === undefined) return undefined;
  return choose(flat, place, generation, (value) => isSchemaMatch(value, schema, generation.root, generation.budget));
}

/** Tries one alternative of each group until a value is accepted by the schema as a whole. */
function choose(
  flat: FlatSchema,
  place: Place,
  generation: Generation,
  accepts: (value: JsonValue) => boolean,
): JsonValue | undefined {
  if (!generation.budget.spend()) return undefined;
  const [alternatives, ...choices] = flat.choices;
  if (alternatives === undefined) return firstAccepted(candidates(flat, place, generation), generation, accepts);
  for (let index = 0; index < alternatives.length; index++) {
    const alternative = alternatives[(index + place.variant) % alternatives.length];
    const narrowed = addSchema({ ...flat, choices }, alternative, generation.root);
    const value = narrowed && choose(narrowed, place, generation, accepts);
    if (value !== undefined) return value;
  }
  return undefined;
}

function firstAccepted(
  values: Iterable<JsonValue>,
  generation: Generation,
  accepts: (value: JsonValue) => boolean,
): JsonValue | undefined {
  for (const value of values) {
    if (!accepts(value)) continue;
    if (typeof value === 'string' || typeof value === 'number') generation.hints.take(value);
    return value;
  }
  return undefined;
}

/** Values worth trying, best first. */
function* candidates(flat: FlatSchema, place: Place, generation: Generation): Generator<JsonValue> {
  const { keywords } = flat;
  if (Object.hasOwn(keywords, 'const')) {
    yield keywords['const'] as JsonValue;
    return;
  }
  if (Array.isArray(keywords['enum'])) {
    yield* enumCandidates(listOf(keywords, 'enum') as readonly JsonValue[], place, generation);
    return;
  }
  const below = { ...place, depth: place.depth + 1, references: flat.references };
  for (const type of typesOf(keywords)) yield* typedCandidates(type, keywords, below, generation);
}

function enumCandidates(values: readonly JsonValue[], place: Place, { hints }: Generation): JsonValue[] {
  const wanted = hints.assigned(place.name)?.toLowerCase();
  const isWanted = (value: JsonValue): boolean => typeof value !== 'object' && String(value).toLowerCase() === wanted;
  const isMentioned = (value: JsonValue): boolean => typeof value === 'string' && hints.mentions(value);
  const start = place.variant % Math.max(values.length, 1);
  const rotated = [...values.slice(start), ...values.slice(0, start)];
  return place.variant > 0 ? rotated : [...values.filter(isWanted), ...values.filter(isMentioned), ...rotated];
}

function typedCandidates(type: unknown, keywords: JsonObject, place: Place, generation: Generation): Iterable<JsonValue> {
  switch (type) {
    case 'string':
      return stringCandidates(keywords, place, generation);
    case 'number':
    case 'integer':
      return numberCandidates(keywords, place, generation);
    case 'boolean':
      return booleanCandidates(keywords, place, generation);
    case 'array':
      return arrayCandidates(keywords, place, generation);
    case 'object':
      return objectCandidates(keywords, place, generation);
    default:
      return [null];
  }
}

function booleanCandidates(keywords: JsonObject, place: Place, { hints }: Generation): boolean[] {
  const said = hints.assigned(place.name)?.toLowerCase();
  const preset = ownMember(keywords, 'default');
  if (said === 'true' || said === 'false') return [said === 'true', said !== 'true'];
  const first = (typeof preset === 'boolean' ? preset : true) === (place.variant % 2 === 0);
  return [first, !first];
}

/** The types in the order in which they are tried; `null` last. A schema without a type is read by the keywords it uses. */
function typesOf(keywords: JsonObject): readonly unknown[] {
  const type = keywords['type'];
  if (typeof type === 'string') return [type];
  const types = listOf(keywords, 'type');
  if (types.length > 0) return [...types.filter((one) => one !== 'null'), ...types.filter((one) => one === 'null')];
  return [
    ...Object.entries(typeByKeyword)
      .filter(([keyword]) => Object.hasOwn(keywords, keyword))
      .map(([, implied]) => implied),
    ...anyType,
  ];
}

const anyType = ['string', 'object', 'number', 'array', 'boolean', 'null'];
const typeByKeyword = {
  properties: 'object',
  required: 'object',
  additionalProperties: 'object',
  minProperties: 'object',
  items: 'array',
  prefixItems: 'array',
  minItems: 'array',
  contains: 'array',
  minimum: 'number',
  maximum: 'number',
  multipleOf: 'number',
  exclusiveMinimum: 'number',
};
