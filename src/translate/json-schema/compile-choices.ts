import type { JsonObject } from '../../lib/json.ts';
import { within, type CompileContext } from './compile-context.ts';
import { mergeSchemas } from './merge-schemas.ts';
import type { SchemaNode } from './schema-node.ts';

/** `anyOf` and `oneOf` (read as anyOf). Returns the node with its choices; a single choice is no choice and is merged in. */
export function compileChoices(schema: JsonObject, node: SchemaNode, { place, losses, compile }: CompileContext): SchemaNode {
  let whole = node;
  for (const keyword of ['anyOf', 'oneOf'] as const) {
    const written = schema[keyword];
    if (!Array.isArray(written)) continue;
    const branches = written.flatMap((branch, at) =>
      branch === false ? [] : [compile(branch, within(place, `${keyword}[${at}]`))],
    );
    const [first] = branches;
    if (first === undefined) losses.add(`${place.path}.${keyword}`, 'dropped', 'none of the choices can be true');
    else if (branches.length === 1) whole = mergeSchemas(first, whole, place.path, losses);
    else if (whole.anyOf !== undefined)
      losses.add(`${place.path}.${keyword}`, 'dropped', 'only one list of choices can be expressed');
    else {
      whole = { ...whole, anyOf: branches };
      if (keyword === 'oneOf') losses.add(`${place.path}.oneOf`, 'approximated', 'more than one of the choices may be true');
    }
  }
  return whole;
}
