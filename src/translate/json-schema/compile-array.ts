import type { JsonObject } from '../../lib/json.ts';
import { within, type CompileContext } from './compile-context.ts';
import type { SchemaNode } from './schema-node.ts';

/** Array keywords, also the tuple form before draft 2020-12 (`items` as a list with `additionalItems`). */
export function compileArray(schema: JsonObject, node: SchemaNode, context: CompileContext): void {
  const written = schema['items'];
  const isOldTuple = Array.isArray(written);
  const tuple: unknown = isOldTuple ? written : schema['prefixItems'];
  const rest: unknown = isOldTuple ? schema['additionalItems'] : written;
  compileCounts(schema, node);
  if (Array.isArray(tuple) && tuple.length > 0) compileTuple(tuple, node, context);
  if (rest === undefined || rest === true) return;
  if (rest === false) node.maxItems = Math.min(node.prefixItems?.length ?? 0, node.maxItems ?? Infinity);
  else node.items = context.compile(rest, within(context.place, 'items'));
}

function compileCounts(schema: JsonObject, node: SchemaNode): void {
  for (const bound of ['minItems', 'maxItems'] as const) {
    const value = schema[bound];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) node[bound] = value;
  }
}

/** An item that must never be ends the tuple: an array that reached it would be invalid. */
function compileTuple(tuple: readonly unknown[], node: SchemaNode, { place, compile }: CompileContext): void {
  const end = tuple.indexOf(false);
  const items = end === -1 ? tuple : tuple.slice(0, end);
  if (end !== -1) node.maxItems = Math.min(end, node.maxItems ?? Infinity);
  if (items.length > 0) node.prefixItems = items.map((item, at) => compile(item, within(place, `prefixItems[${at}]`)));
}
