import type { SchemaLosses } from './schema-losses.ts';
import type { SchemaNode, SchemaType } from './schema-node.ts';

/** Values listed in a description are hints, not data: long ones are cut. */
const maxNoteLength = 300;

/** A value as words for a description. */
export function toNote(keyword: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${keyword}: ${text.length > maxNoteLength ? `${text.slice(0, maxNoteLength)}…` : text}`;
}

/**
 * The schemas of which a listed value must match one (`enum`, `const`). Gemini lists only strings and numbers, so null becomes a type, and booleans, objects and arrays are
 * narrowed to their type, with a loss. Values that `types` forbids are left out; an empty result means that nothing can be said.
 */
export function compileEnum(
  values: readonly unknown[],
  types: SchemaNode['types'],
  path: string,
  losses: SchemaLosses,
): readonly SchemaNode[] {
  const allowed = values.filter((value) => types === undefined || typesOf(value).some((type) => types.includes(type)));
  const branches: SchemaNode[] = [];
  const strings = [...new Set(allowed.filter((value) => typeof value === 'string'))];
  if (strings.includes('')) {
    // "enum[0]: cannot be empty" refuses the whole request.
    losses.add(path, 'approximated', 'an empty string cannot be listed, so the allowed texts are only described');
    branches.push({ types: ['string'], notes: [toNote('one of', strings)] });
  } else if (strings.length > 0) branches.push({ types: ['string'], enum: strings });
  const numbers = [...new Set(allowed.filter((value) => typeof value === 'number'))];
  if (numbers.length > 0) branches.push({ types: [numberType(numbers, types)], enum: numbers });
  if (allowed.includes(null)) branches.push({ types: ['null'] });
  for (const type of ['boolean', 'object', 'array'] as const) {
    const listed = allowed.filter((value) => typesOf(value).includes(type));
    if (listed.length === 0) continue;
    if (type === 'boolean' && new Set(listed).size === 2) branches.push({ types: [type] });
    else {
      losses.add(path, 'approximated', `listed values of type ${type} can only be described`);
      branches.push({ types: [type], notes: [toNote('one of', listed)] });
    }
  }
  return branches;
}

function numberType(numbers: readonly number[], types: SchemaNode['types']): SchemaType {
  if (types !== undefined) return types.includes('number') ? 'number' : 'integer';
  return numbers.every(Number.isInteger) ? 'integer' : 'number';
}

function typesOf(value: unknown): readonly SchemaType[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  switch (typeof value) {
    case 'string':
      return ['string'];
    case 'number':
      return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
    case 'boolean':
      return ['boolean'];
    default:
      return ['object'];
  }
}
