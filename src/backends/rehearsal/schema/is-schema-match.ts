import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { parsePattern } from './parse-pattern.ts';
import { isPatternIn } from './pattern-text.ts';
import { listOf, numberOf, objectOf, ownMember, requiredOf, resolveReference } from './schema-keywords.ts';
import type { WorkBudget } from './work-budget.ts';

interface Context {
  readonly root: JsonObject;
  readonly budget: WorkBudget;
  readonly depth: number;
}

const maxDepth = 100;

/**
 * Whether a JSON value obeys a JSON Schema (drafts 7 and 2020-12, without `format`, `unevaluated*` and references to other documents). Used to pick among generated
 * candidates, so it errs on the side of "no": also when the budget ends.
 */
export function isSchemaMatch(value: unknown, schema: unknown, root: JsonObject, budget: WorkBudget): boolean {
  return matches(value, schema, { root, budget, depth: 0 });
}

function matches(value: unknown, schema: unknown, context: Context): boolean {
  if (!context.budget.spend() || context.depth > maxDepth) return false;
  if (!isJsonObject(schema)) return schema !== false;
  const inner = { ...context, depth: context.depth + 1 };
  return (
    matchesReference(value, schema, inner) &&
    matchesKind(value, schema) &&
    matchesCombination(value, schema, inner) &&
    matchesContent(value, schema, inner)
  );
}

function matchesContent(value: unknown, schema: JsonObject, context: Context): boolean {
  if (typeof value === 'number') return matchesNumber(value, schema);
  if (typeof value === 'string') return matchesString(value, schema, context.budget);
  if (Array.isArray(value)) return matchesArray(value, schema, context);
  return !isJsonObject(value) || matchesObject(value, schema, context);
}

function matchesReference(value: unknown, schema: JsonObject, context: Context): boolean {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return true;
  return matches(value, resolveReference(context.root, reference) ?? true, context);
}

function matchesKind(value: unknown, schema: JsonObject): boolean {
  if (Object.hasOwn(schema, 'const') && !isSameJson(value, schema['const'])) return false;
  if (Array.isArray(schema['enum']) && !listOf(schema, 'enum').some((allowed) => isSameJson(value, allowed))) return false;
  const types = typeof schema['type'] === 'string' ? [schema['type']] : listOf(schema, 'type');
  return types.length === 0 || types.some((type) => isOfType(value, type));
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isJsonObject(value);
  return typeof value === type;
}

function matchesCombination(value: unknown, schema: JsonObject, context: Context): boolean {
  const fits = (member: unknown): boolean => matches(value, member, context);
  if (!listOf(schema, 'allOf').every(fits)) return false;
  if (Array.isArray(schema['anyOf']) && !listOf(schema, 'anyOf').some(fits)) return false;
  if (Array.isArray(schema['oneOf']) && listOf(schema, 'oneOf').filter(fits).length !== 1) return false;
  if (schema['not'] !== undefined && fits(schema['not'])) return false;
  if (schema['if'] === undefined) return true;
  return fits((fits(schema['if']) ? schema['then'] : schema['else']) ?? true);
}

function matchesNumber(value: number, schema: JsonObject): boolean {
  const multiple = numberOf(schema, 'multipleOf', 0);
  return (
    value >= numberOf(schema, 'minimum', -Infinity) &&
    value <= numberOf(schema, 'maximum', Infinity) &&
    value > numberOf(schema, 'exclusiveMinimum', -Infinity) &&
    value < numberOf(schema, 'exclusiveMaximum', Infinity) &&
    (multiple <= 0 || Number.isInteger(value / multiple))
  );
}

function matchesString(value: string, schema: JsonObject, budget: WorkBudget): boolean {
  const length = Array.from(value).length;
  if (length < numberOf(schema, 'minLength', 0) || length > numberOf(schema, 'maxLength', Infinity)) return false;
  if (typeof schema['pattern'] !== 'string') return true;
  const pattern = parsePattern(schema['pattern']);
  return pattern === null || isPatternIn(pattern, value, budget);
}

function matchesArray(value: readonly unknown[], schema: JsonObject, context: Context): boolean {
  if (value.length < numberOf(schema, 'minItems', 0) || value.length > numberOf(schema, 'maxItems', Infinity)) return false;
  if (schema['uniqueItems'] === true && new Set(value.map(canonicalJson)).size < value.length) return false;
  if (!value.every((item, index) => matches(item, itemSchema(schema, index), context))) return false;
  if (schema['contains'] === undefined) return true;
  const count = value.filter((item) => matches(item, schema['contains'], context)).length;
  return count >= numberOf(schema, 'minContains', 1) && count <= numberOf(schema, 'maxContains', Infinity);
}

/** What the item at that place must be: `prefixItems` (or draft 7's list of `items`), then `items` (or `additionalItems`). */
export function itemSchema(schema: JsonObject, index: number): unknown {
  if (Array.isArray(schema['items'])) return listOf(schema, 'items')[index] ?? schema['additionalItems'] ?? true;
  return listOf(schema, 'prefixItems')[index] ?? schema['items'] ?? true;
}

function matchesObject(value: JsonObject, schema: JsonObject, context: Context): boolean {
  const names = Object.keys(value);
  if (names.length < numberOf(schema, 'minProperties', 0) || names.length > numberOf(schema, 'maxProperties', Infinity))
    return false;
  if (!requiredOf(schema).every((name) => Object.hasOwn(value, name))) return false;
  const needed = Object.entries(objectOf(schema, 'dependentRequired')).filter(([name]) => Object.hasOwn(value, name));
  if (
    !needed.every(
      ([, others]) => Array.isArray(others) && others.every((other) => typeof other === 'string' && Object.hasOwn(value, other)),
    )
  )
    return false;
  if (schema['propertyNames'] !== undefined && !names.every((name) => matches(name, schema['propertyNames'], context)))
    return false;
  return names.every((name) =>
    propertySchemas(schema, name, context.budget).every((member) => matches(value[name], member, context)),
  );
}

/** Everything that the property of that name must obey; `[false]` when it must not be there. */
export function propertySchemas(schema: JsonObject, name: string, budget: WorkBudget): readonly unknown[] {
  const own = ownMember(objectOf(schema, 'properties'), name);
  const patterned = Object.entries(objectOf(schema, 'patternProperties'))
    .filter(([pattern]) => isNameMatch(pattern, name, budget))
    .map(([, member]) => member);
  const named = own === undefined ? patterned : [own, ...patterned];
  return named.length > 0 ? named : [schema['additionalProperties'] ?? true];
}

function isNameMatch(pattern: string, name: string, budget: WorkBudget): boolean {
  const node = parsePattern(pattern);
  return node !== null && isPatternIn(node, name, budget);
}

function isSameJson(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === 'object' && canonicalJson(one) === canonicalJson(other));
}

/** JSON text with sorted members: equal for equal values. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(',')}}`;
}
