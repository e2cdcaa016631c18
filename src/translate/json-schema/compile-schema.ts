import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { within, type SchemaPlace } from './compile-context.ts';
import { compileEnum } from './compile-enum.ts';
import { compileKeywords } from './compile-keywords.ts';
import { mergeSchemas } from './merge-schemas.ts';
import { readTypes } from './read-types.ts';
import { resolveReference } from './resolve-reference.ts';
import type { SchemaLosses } from './schema-losses.ts';
import type { SchemaNode } from './schema-node.ts';

/** Each level is two levels of JSON (`properties` and the name); Gemini's parser stops at 100. */
const maxDepth = 32;
/** Nested references can blow a small schema up exponentially; no honest one comes near this. */
const maxNodes = 5_000;
/** How often a reference may lie inside itself before the rest is left open. */
const maxRecursion = 2;

/** Any JSON value as a schema → what Gemini can express of it. Never throws, always ends; what is given up is added to `losses`. */
export function compileSchema(root: unknown, path: string, losses: SchemaLosses): SchemaNode {
  let nodes = 0;

  function compile(schema: unknown, place: SchemaPlace): SchemaNode {
    if (schema === true) return {};
    if (!isJsonObject(schema)) {
      losses.add(place.path, 'dropped', 'only a JSON Schema object can be expressed here');
      return {};
    }
    nodes += 1;
    if (nodes > maxNodes || place.depth > maxDepth) {
      losses.add(place.path, 'approximated', nodes > maxNodes ? 'the schema is too large' : 'the schema is nested too deeply');
      return onlyTypes(schema, place);
    }
    // The schema's own words stand above those of its parts and of what it refers to.
    const parts = [...inlineReference(schema, place), ...compileParts(schema, place), compileOwn(schema, place)];
    const node = parts.reduce((base, over) => mergeSchemas(base, over, place.path, losses));
    return schema['nullable'] === true ? allowNull(node) : node;
  }

  function compileOwn(schema: JsonObject, place: SchemaPlace): SchemaNode {
    const node = compileKeywords(schema, { place, losses, compile });
    const values = listedValues(schema);
    if (values === undefined) return node;
    const branches = compileEnum(values, node.types, place.path, losses);
    const [only] = branches;
    if (only === undefined) losses.add(place.path, 'dropped', 'no listed value is allowed by the rest of the schema');
    if (branches.length > 1 && node.anyOf !== undefined)
      losses.add(place.path, 'dropped', 'a list of values beside other choices cannot be expressed');
    if (only === undefined || (branches.length > 1 && node.anyOf !== undefined)) return node;
    if (branches.length === 1) return mergeSchemas(node, only, place.path, losses);
    return { ...withoutTypes(node), anyOf: branches };
  }

  function compileParts(schema: JsonObject, place: SchemaPlace): SchemaNode[] {
    const parts = schema['allOf'];
    return Array.isArray(parts) ? parts.map((part, at) => compile(part, within(place, `allOf[${at}]`))) : [];
  }

  function inlineReference(schema: JsonObject, place: SchemaPlace): SchemaNode[] {
    const reference = schema['$ref'];
    return typeof reference === 'string' ? [inline(reference, place)] : [];
  }

  function inline(reference: string, place: SchemaPlace): SchemaNode {
    const target = resolveReference(root, reference);
    if (target === undefined) {
      losses.add(`${place.path}.$ref`, 'dropped', 'the reference names nothing in this schema');
      return {};
    }
    if (place.references.filter((one) => one === reference).length >= maxRecursion) {
      losses.add(`${place.path}.$ref`, 'approximated', 'a recursive schema is followed only a few levels deep');
      return onlyTypes(target, place);
    }
    return compile(target, { ...place, depth: place.depth + 1, references: [...place.references, reference] });
  }

  /** What is left of a schema that is not followed any further: as weak as needed, so that no valid instance is refused. */
  function onlyTypes(schema: unknown, place: SchemaPlace): SchemaNode {
    if (!isJsonObject(schema)) return {};
    const types = readTypes(schema, place.path, losses);
    const node: SchemaNode = types === undefined ? {} : { types };
    return schema['nullable'] === true ? allowNull(node) : node;
  }

  return compile(root, { path, depth: 0, references: [] });
}

function listedValues(schema: JsonObject): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']];
  const values: unknown = schema['enum'];
  return Array.isArray(values) ? (values as readonly unknown[]) : undefined;
}

/** OpenAPI's `nullable: true`. Null beside listed values needs a branch of its own: Gemini lists only strings and numbers. */
function allowNull(node: SchemaNode): SchemaNode {
  const { types, anyOf } = node;
  if (node.enum !== undefined) {
    const { title, description, ...rest } = node;
    return {
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      anyOf: [rest, { types: ['null'] }],
    };
  }
  const open: SchemaNode = { ...node };
  if (types !== undefined && !types.includes('null')) open.types = [...types, 'null'];
  if (anyOf !== undefined && !anyOf.some((branch) => branch.types === undefined || branch.types.includes('null')))
    open.anyOf = [...anyOf, { types: ['null'] }];
  return open;
}

function withoutTypes(node: SchemaNode): SchemaNode {
  const rest = { ...node };
  delete rest.types;
  return rest;
}
