import type { JsonObject } from '../../lib/json.ts';
import type { SchemaLosses } from './schema-losses.ts';
import { schemaTypes, type SchemaType } from './schema-node.ts';

/** The types of a schema; undefined means any type. Upper-case names (Gemini's own writing) are understood; an unknown name opens the schema, with a loss. */
export function readTypes(schema: JsonObject, path: string, losses: SchemaLosses): readonly SchemaType[] | undefined {
  const written = schema['type'];
  if (written === undefined) return undefined;
  const names: readonly unknown[] = Array.isArray(written) ? written : [written];
  const types = names.flatMap(toType);
  if (types.length === names.length && types.length > 0) return [...new Set(types)];
  losses.add(`${path}.type`, 'dropped', 'the type is not one of JSON Schema');
  return undefined;
}

function toType(name: unknown): SchemaType[] {
  return schemaTypes.filter((type) => typeof name === 'string' && type === name.toLowerCase());
}
