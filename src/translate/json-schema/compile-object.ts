import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { within, type CompileContext } from './compile-context.ts';
import type { SchemaNode } from './schema-node.ts';

/** Object keywords. Names of properties are data: one called `$ref` or `title` is a property like any other. */
export function compileObject(schema: JsonObject, node: SchemaNode, context: CompileContext): void {
  const { place, losses, compile } = context;
  const properties = schema['properties'];
  if (isJsonObject(properties)) {
    const compiled = new Map<string, SchemaNode>();
    for (const [name, value] of Object.entries(properties)) {
      const path = `properties.${name}`;
      if (value === false) losses.add(`${place.path}.${path}`, 'dropped', 'a forbidden property cannot be expressed');
      else compiled.set(name, compile(value, within(place, path)));
    }
    node.properties = compiled;
  }
  compileAdditional(schema, node, context);
  const required = readNames(schema['required']);
  if (required !== undefined) node.required = required;
  const ordering = readNames(schema['propertyOrdering']);
  if (ordering !== undefined) node.propertyOrdering = ordering;
}

function compileAdditional(schema: JsonObject, node: SchemaNode, { place, losses, compile }: CompileContext): void {
  const additional = schema['additionalProperties'];
  if (schema['patternProperties'] !== undefined) {
    // Without the patterns, `additionalProperties: false` would forbid what they allow.
    losses.add(
      `${place.path}.patternProperties`,
      'dropped',
      'Gemini does not know this keyword; additional properties stay allowed',
    );
    return;
  }
  if (additional === false) node.additionalProperties = false;
  else if (additional !== undefined && additional !== true)
    node.additionalProperties = compile(additional, within(place, 'additionalProperties'));
}

function readNames(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return [...new Set(value.filter((name) => typeof name === 'string'))];
}
