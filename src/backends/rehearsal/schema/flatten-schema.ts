import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { mergeSchemas } from './merge-schemas.ts';
import { listOf, resolveReference } from './schema-keywords.ts';

/** A schema without references and `allOf`: keywords that all hold, and groups of alternatives of which one each must be chosen. */
export interface FlatSchema {
  readonly keywords: JsonObject;
  readonly choices: readonly (readonly unknown[])[];
  /** References followed so far on the way from the root, to end recursion. */
  readonly references: readonly string[];
}

/** A third visit to the same definition brings nothing new and may never end. */
const maxVisits = 2;
const combining = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'then', 'else'];

/** Follows references and folds `allOf` in. Undefined when nothing can satisfy the schema here, or only by going round in circles. */
export function flattenSchema(schema: unknown, root: JsonObject, references: readonly string[]): FlatSchema | undefined {
  if (schema === false) return undefined;
  if (!isJsonObject(schema)) return { keywords: {}, choices: [], references };
  const keywords = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !combining.includes(keyword)));
  let flat: FlatSchema | undefined = { keywords, choices: ownChoices(schema), references };
  const reference = schema['$ref'];
  if (typeof reference === 'string') flat = followReference(flat, reference, root);
  for (const member of listOf(schema, 'allOf')) flat = flat && addSchema(flat, member, root);
  return flat;
}

/** Both schemas at once: the flat one and one more that must hold too. */
export function addSchema(flat: FlatSchema, schema: unknown, root: JsonObject): FlatSchema | undefined {
  const added = flattenSchema(schema, root, flat.references);
  return (
    added && {
      keywords: mergeSchemas(flat.keywords, added.keywords),
      choices: [...flat.choices, ...added.choices],
      references: added.references,
    }
  );
}

function followReference(flat: FlatSchema, reference: string, root: JsonObject): FlatSchema | undefined {
  if (flat.references.filter((visited) => visited === reference).length >= maxVisits) return undefined;
  const references = [...flat.references, reference];
  return addSchema({ ...flat, references }, resolveReference(root, reference) ?? true, root);
}

function ownChoices(schema: JsonObject): (readonly unknown[])[] {
  const choices: (readonly unknown[])[] = [];
  if (Array.isArray(schema['anyOf'])) choices.push(nullLast(listOf(schema, 'anyOf')));
  if (Array.isArray(schema['oneOf'])) choices.push(nullLast(listOf(schema, 'oneOf')));
  if (schema['if'] !== undefined) choices.push([{ allOf: [schema['if'], schema['then'] ?? true] }, schema['else'] ?? true]);
  return choices;
}

/** `null` says nothing, so a model that has something to say takes another branch. */
function nullLast(members: readonly unknown[]): readonly unknown[] {
  const isNull = (member: unknown): boolean => isJsonObject(member) && member['type'] === 'null';
  return [...members.filter((member) => !isNull(member)), ...members.filter(isNull)];
}
