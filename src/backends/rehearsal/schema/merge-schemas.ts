import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { canonicalJson } from './is-schema-match.ts';

type Merge = (one: unknown, other: unknown) => unknown;

const greater: Merge = (one, other) => (isNumber(other) && !(isNumber(one) && one >= other) ? other : one);
const smaller: Merge = (one, other) => (isNumber(other) && !(isNumber(one) && one <= other) ? other : one);
const both: Merge = (one, other) => ({ allOf: [one, other] });

const merges: { readonly [keyword: string]: Merge | undefined } = {
  type: mergeTypes,
  enum: mergeEnums,
  required: (one, other) => [...new Set([...asList(one), ...asList(other)])],
  properties: mergeMembers,
  patternProperties: mergeMembers,
  additionalProperties: both,
  items: both,
  contains: both,
  propertyNames: both,
  minimum: greater,
  exclusiveMinimum: greater,
  minLength: greater,
  minItems: greater,
  minProperties: greater,
  maximum: smaller,
  exclusiveMaximum: smaller,
  maxLength: smaller,
  maxItems: smaller,
  maxProperties: smaller,
  multipleOf: mergeMultiples,
};

/**
 * One set of keywords that asks for what both ask for, as far as that can be said in one set; where it cannot (two patterns), the first is kept. Whoever generates
 * from it checks the value against the schema itself.
 */
export function mergeSchemas(one: JsonObject, other: JsonObject): JsonObject {
  const merged = new Map(Object.entries(one));
  for (const [keyword, value] of Object.entries(other)) {
    const mine = merged.get(keyword);
    if (mine === undefined) merged.set(keyword, value);
    else merged.set(keyword, merges[keyword]?.(mine, value) ?? mine);
  }
  return Object.fromEntries(merged);
}

function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  return [value];
}

function mergeTypes(one: unknown, other: unknown): unknown {
  const ones = asList(one);
  const others = asList(other);
  const shared = ones.filter((type) => others.includes(type) || (type === 'integer' && others.includes('number')));
  if (ones.includes('number') && others.includes('integer') && !shared.includes('integer')) shared.push('integer');
  return shared;
}

function mergeEnums(one: unknown, other: unknown): unknown {
  const allowed = new Set(asList(other).map(canonicalJson));
  return asList(one).filter((value) => allowed.has(canonicalJson(value)));
}

function mergeMembers(one: unknown, other: unknown): unknown {
  if (!isJsonObject(one) || !isJsonObject(other)) return one;
  const merged = new Map(Object.entries(one));
  for (const [name, schema] of Object.entries(other)) {
    merged.set(name, merged.has(name) ? both(merged.get(name), schema) : schema);
  }
  return Object.fromEntries(merged);
}

function mergeMultiples(one: unknown, other: unknown): unknown {
  if (!isNumber(one) || !isNumber(other)) return one;
  if (Number.isInteger(one / other)) return one;
  return Number.isInteger(other / one) ? other : one * other;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
