import type { JsonObject } from '../../lib/json.ts';
import type { CompileContext } from './compile-context.ts';
import { toNote } from './compile-enum.ts';
import { compileArray } from './compile-array.ts';
import { compileChoices } from './compile-choices.ts';
import { compileObject } from './compile-object.ts';
import { readTypes } from './read-types.ts';
import type { SchemaNode } from './schema-node.ts';

/** Read elsewhere in the compiler. */
const handled = new Set([
  ...['$ref', 'allOf', 'anyOf', 'oneOf', 'enum', 'const', 'nullable', 'type', 'title', 'description', 'format'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  ...['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems'],
  ...['properties', 'patternProperties', 'additionalProperties', 'required', 'propertyOrdering'],
]);

/** These say nothing about instances, so leaving them out loses nothing: names for references, notes for editors, hints for code generators. */
const meaningless = new Set([
  ...['$schema', '$id', 'id', '$anchor', '$comment', '$defs', 'definitions', '$vocabulary', '$dynamicAnchor', '$recursiveAnchor'],
  ...[
    'discriminator',
    'xml',
    'externalDocs',
    'readOnly',
    'writeOnly',
    'deprecated',
    'contentMediaType',
    'contentEncoding',
    'contentSchema',
  ],
]);

/** Hints for whoever writes an instance: words are enough for them. */
const hints = new Set(['default', 'example', 'examples']);

/** Short constraints that a model can follow when it reads them, but that nobody enforces any more. */
const describable = new Set([
  ...[
    'minLength',
    'maxLength',
    'pattern',
    'multipleOf',
    'uniqueItems',
    'minProperties',
    'maxProperties',
    'minContains',
    'maxContains',
  ],
]);

/** Every keyword of one schema object but references, `allOf`, listed values and `nullable`. */
export function compileKeywords(schema: JsonObject, context: CompileContext): SchemaNode {
  const { place, losses } = context;
  const notes: string[] = [];
  const node: SchemaNode = {};
  const types = readTypes(schema, place.path, losses);
  if (types !== undefined) node.types = types;
  if (typeof schema['title'] === 'string') node.title = schema['title'];
  if (typeof schema['description'] === 'string') node.description = schema['description'];
  for (const [keyword, value] of Object.entries(schema)) {
    if (handled.has(keyword) || meaningless.has(keyword)) continue;
    if (hints.has(keyword)) notes.push(toNote(keyword, value));
    else if (!describable.has(keyword)) losses.add(`${place.path}.${keyword}`, 'dropped', 'Gemini does not know this keyword');
    else if (value !== false) {
      notes.push(toNote(keyword, value));
      losses.add(`${place.path}.${keyword}`, 'approximated', 'the constraint is only described, not enforced');
    }
  }
  compileFormat(schema, node, notes, context);
  compileBound(schema, node, notes, { ...context, lower: true });
  compileBound(schema, node, notes, { ...context, lower: false });
  compileArray(schema, node, context);
  compileObject(schema, node, context);
  const whole = compileChoices(schema, node, context);
  if (notes.length > 0) whole.notes = [...(whole.notes ?? []), ...notes];
  return whole;
}

const knownFormats = new Set(['date-time', 'enum', 'float', 'double', 'int32', 'int64']);

function compileFormat(schema: JsonObject, node: SchemaNode, notes: string[], { place, losses }: CompileContext): void {
  const format = schema['format'];
  if (typeof format !== 'string') return;
  if (knownFormats.has(format)) {
    node.format = format;
    return;
  }
  notes.push(toNote('format', format));
  losses.add(`${place.path}.format`, 'approximated', 'the format is only described, not enforced');
}

/** `minimum` and `exclusiveMinimum` (or the upper pair), also draft 4's boolean form. Exact for integers, else the edge itself stays allowed. */
function compileBound(
  schema: JsonObject,
  node: SchemaNode,
  notes: string[],
  context: CompileContext & { readonly lower: boolean },
): void {
  const { place, losses, lower } = context;
  const [inclusive, exclusive] = lower ? (['minimum', 'exclusiveMinimum'] as const) : (['maximum', 'exclusiveMaximum'] as const);
  const isOnlyInteger = node.types?.length === 1 && node.types[0] === 'integer';
  const tighten = (value: number) => {
    const known = node[inclusive];
    node[inclusive] = known === undefined ? value : lower ? Math.max(known, value) : Math.min(known, value);
  };
  const edge = schema[inclusive];
  if (typeof edge === 'number') tighten(edge);
  const open = schema[exclusive] === true ? edge : schema[exclusive];
  if (typeof open !== 'number') return;
  const next = lower ? Math.floor(open) + 1 : Math.ceil(open) - 1;
  if (isOnlyInteger && Number.isSafeInteger(next)) {
    tighten(next);
    return;
  }
  tighten(open);
  notes.push(toNote(exclusive, open));
  losses.add(`${place.path}.${exclusive}`, 'approximated', 'the edge itself stays allowed; the exact bound is only described');
}
