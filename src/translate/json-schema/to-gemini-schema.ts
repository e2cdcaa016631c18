import type { JsonObject } from '../../lib/json.ts';
import type { Translated } from '../../model/loss.ts';
import { compileSchema } from './compile-schema.ts';
import { createSchemaLosses, type SchemaLosses } from './schema-losses.ts';
import type { SchemaNode } from './schema-node.ts';

/**
 * JSON Schema → the part of it that Gemini's `parametersJsonSchema` and `responseJsonSchema` understand. An allow-list: a keyword that is not known to be accepted never
 * gets out, because one unknown keyword refuses the whole request. References are inlined; what cannot be expressed goes into the description or is dropped, and is
 * reported as a loss below `path`. The result allows everything that the schema allows, and maybe more; it never fails.
 *
 * The target is the JSON-Schema form and not the older OpenAPI subset (`parameters`): it keeps additionalProperties, tuples, type lists, null and number enums, which the
 * subset would lose; both refuse unknown keywords alike. `$ref` is inlined nevertheless: it may carry no siblings there, and older models loop on recursive ones.
 */
export function toGeminiSchema(schema: JsonObject, path: string): Translated<JsonObject> {
  const losses = createSchemaLosses(path);
  const node = compileSchema(schema, path, losses);
  return { value: writeSchema(node, path, losses), losses: losses.list };
}

function writeSchema(node: SchemaNode, path: string, losses: SchemaLosses): JsonObject {
  const type = node.types?.length === 1 ? node.types[0] : node.types;
  const members: Record<string, unknown> = {
    type,
    format: node.format,
    title: node.title,
    description: writeDescription(node),
    enum: node.enum,
    minimum: node.minimum,
    maximum: node.maximum,
    minItems: node.minItems,
    maxItems: node.maxItems,
    ...writeArray(node, path, losses),
    anyOf: node.anyOf?.map((branch, at) => writeSchema(branch, `${path}.anyOf[${at}]`, losses)),
    ...writeObject(node, path, losses),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function writeDescription({ description, notes }: SchemaNode): string | undefined {
  if (notes === undefined) return description;
  const text = `(${[...new Set(notes)].join('; ')})`;
  return description === undefined || description === '' ? text : `${description} ${text}`;
}

function writeArray(node: SchemaNode, path: string, losses: SchemaLosses): Record<string, unknown> {
  const items = node.items && writeSchema(node.items, `${path}.items`, losses);
  const prefixItems = node.prefixItems?.map((item, at) => writeSchema(item, `${path}.prefixItems[${at}]`, losses));
  // An array schema without items is refused by older models; `{}` says the same and is accepted.
  const isBareArray = items === undefined && prefixItems === undefined && node.types?.length === 1 && node.types[0] === 'array';
  return { items: isBareArray ? {} : items, prefixItems };
}

function writeObject(node: SchemaNode, path: string, losses: SchemaLosses): Record<string, unknown> {
  const properties = node.properties;
  const isDeclared = (name: string) => properties?.has(name) ?? false;
  const additional = node.additionalProperties;
  const undeclared = node.required?.filter((name) => !isDeclared(name)) ?? [];
  if (undeclared.length > 0)
    losses.add(`${path}.required`, 'approximated', 'a required property that is not declared cannot be demanded');
  return {
    properties:
      properties &&
      Object.fromEntries(
        [...properties].map(([name, schema]) => [name, writeSchema(schema, `${path}.properties.${name}`, losses)]),
      ),
    additionalProperties:
      additional === undefined || additional === false
        ? additional
        : writeSchema(additional, `${path}.additionalProperties`, losses),
    required: notEmpty(node.required?.filter(isDeclared)),
    propertyOrdering: notEmpty(node.propertyOrdering?.filter(isDeclared)),
  };
}

function notEmpty(names: readonly string[] | undefined): readonly string[] | undefined {
  return names?.length === 0 ? undefined : names;
}
