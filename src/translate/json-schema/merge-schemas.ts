import type { SchemaLosses } from './schema-losses.ts';
import type { SchemaNode, SchemaType } from './schema-node.ts';

/**
 * One schema for what both allow (`allOf`, `$ref` with siblings). Where the intersection cannot be written, the result allows more, with a loss at `path`.
 * Texts of `over` win.
 */
export function mergeSchemas(base: SchemaNode, over: SchemaNode, path: string, losses: SchemaLosses): SchemaNode {
  if (Object.keys(base).length === 0) return over;
  if (Object.keys(over).length === 0) return base;
  const merged: SchemaNode = { ...base, ...over };
  const merge: Merge = (one, other) => mergeSchemas(one, other, path, losses);
  mergeValues(merged, [base, over], (what) => {
    losses.add(path, 'approximated', `the combined schemas contradict each other in their ${what}`);
  });
  mergeBounds(merged, base, over);
  for (const list of ['notes', 'required', 'propertyOrdering'] as const) {
    if (base[list] && over[list]) merged[list] = [...new Set([...base[list], ...over[list]])];
  }
  if (base.anyOf && over.anyOf) losses.add(path, 'dropped', 'only one of several combined choices can be expressed');
  mergeItems(merged, [base, over], merge, () => {
    losses.add(path, 'dropped', 'only one of several combined tuples can be expressed');
  });
  mergeProperties(merged, base, over, merge);
  return merged;
}

type Pair = readonly [SchemaNode, SchemaNode];
type Merge = (one: SchemaNode, other: SchemaNode) => SchemaNode;

function mergeValues(merged: SchemaNode, [one, other]: Pair, contradiction: (what: string) => void): void {
  const types = mergeTypes(one.types, other.types);
  if (types?.length === 0) {
    contradiction('types');
    delete merged.types;
  } else if (types !== undefined) merged.types = types;
  if (one.enum === undefined || other.enum === undefined) return;
  const allowed = new Set(other.enum);
  const both = one.enum.filter((value) => allowed.has(value));
  if (both.length > 0) merged.enum = both;
  else {
    contradiction('enums');
    delete merged.enum;
  }
}

/** Of two tuples one goes, with its rest: `items` begins at another place in each. */
function mergeItems(merged: SchemaNode, [base, over]: Pair, merge: Merge, lose: () => void): void {
  if (base.prefixItems && over.prefixItems) {
    lose();
    if (over.items === undefined) delete merged.items;
  } else if (base.items && over.items) merged.items = merge(base.items, over.items);
}

/** The types that both allow; an integer is a number. Undefined: any type. */
function mergeTypes(one: SchemaNode['types'], other: SchemaNode['types']): readonly SchemaType[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const allows = (types: readonly SchemaType[], type: SchemaType) =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  return [...new Set([...one.filter((type) => allows(other, type)), ...other.filter((type) => allows(one, type))])];
}

function mergeBounds(merged: SchemaNode, one: SchemaNode, other: SchemaNode): void {
  for (const bound of ['minimum', 'minItems'] as const) {
    if (one[bound] !== undefined && other[bound] !== undefined) merged[bound] = Math.max(one[bound], other[bound]);
  }
  for (const bound of ['maximum', 'maxItems'] as const) {
    if (one[bound] !== undefined && other[bound] !== undefined) merged[bound] = Math.min(one[bound], other[bound]);
  }
}

/** Properties of both stay allowed even where one side forbids additional ones: weaker than the truth, never stricter. */
function mergeProperties(merged: SchemaNode, one: SchemaNode, other: SchemaNode, merge: Merge): void {
  if (one.properties && other.properties) {
    const properties = new Map(one.properties);
    for (const [name, schema] of other.properties) {
      const known = properties.get(name);
      properties.set(name, known === undefined ? schema : merge(known, schema));
    }
    merged.properties = properties;
  }
  const [first, second] = [one.additionalProperties, other.additionalProperties];
  if (first === undefined || second === undefined) return;
  merged.additionalProperties = first === false || second === false ? false : merge(first, second);
}
