import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Translated } from '../../model/loss.ts';
import { createSchemaLosses, type SchemaLosses } from '../json-schema/schema-losses.ts';
import { isInlineable } from './schema-references.ts';

/** Formats that Anthropic's constrained decoding knows. */
const formats = new Set([...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']]);

/** Keywords that go out as they are. */
const kept = new Set(['type', 'enum', 'const', 'title', 'default', '$ref']);

/** Keywords that say nothing about what is allowed. */
const silent = new Set([
  '$schema',
  '$id',
  '$anchor',
  '$comment',
  'deprecated',
  'readOnly',
  'writeOnly',
  'description',
  'examples',
]);

/**
 * JSON Schema → the part of it that Anthropic can enforce (backends.md D): objects are closed, `oneOf` is `anyOf`, every keyword that would be refused stands in the description
 * instead and is reported below `path`. Null when it cannot be enforced at all: references that lead in a circle or out of the schema.
 */
export function toAnthropicSchema(schema: JsonObject, path: string): Translated<JsonObject | null> {
  if (!isInlineable(schema)) return { value: null, losses: [] };
  const losses = createSchemaLosses(path);
  return { value: writeSchema(schema, path, losses), losses: losses.list };
}

interface Writing {
  readonly path: string;
  readonly losses: SchemaLosses;
  readonly out: Record<string, unknown>;
  readonly notes: string[];
}

function writeSchema(schema: unknown, path: string, losses: SchemaLosses): JsonObject {
  if (!isJsonObject(schema)) {
    if (schema === false) losses.add(path, 'approximated', 'a schema that allows nothing cannot be enforced there');
    return {};
  }
  const writing: Writing = { path, losses, out: {}, notes: [] };
  for (const [key, value] of Object.entries(schema)) {
    if (kept.has(key)) writing.out[key] = value;
    else if (!silent.has(key)) writeKeyword(writing, key, value);
  }
  if (isObjectSchema(schema)) closeObject(writing, schema);
  const description = describe(schema['description'], writing.notes);
  return description === undefined ? writing.out : { ...writing.out, description };
}

function writeKeyword(writing: Writing, key: string, value: unknown): void {
  const { path, losses, out } = writing;
  const at = `${path}.${key}`;
  switch (key) {
    case 'properties':
    case '$defs':
    case 'definitions':
      if (isJsonObject(value)) out[key] = mapMembers(value, at, losses);
      return;
    case 'required':
      if (Array.isArray(value)) out[key] = value;
      return;
    case 'items':
      if (Array.isArray(value)) note(writing, key, value);
      else out[key] = writeSchema(value, at, losses);
      return;
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
      return writeBranches(writing, key, value);
    case 'additionalProperties':
      // On an object it is always written; `false` is what it will be.
      if (value !== false) losses.add(at, 'approximated', 'only declared properties can be enforced there');
      return;
    case 'format':
      if (typeof value === 'string' && formats.has(value)) out[key] = value;
      else note(writing, key, value);
      return;
    case 'minItems':
      if (value === 0 || value === 1) out[key] = value;
      else note(writing, key, value);
      return;
    default:
      note(writing, key, value);
  }
}

function writeBranches(writing: Writing, key: 'anyOf' | 'oneOf' | 'allOf', value: unknown): void {
  const target = key === 'oneOf' ? 'anyOf' : key;
  if (!Array.isArray(value) || writing.out[target] !== undefined) {
    note(writing, key, value);
    return;
  }
  const branches: readonly unknown[] = value;
  writing.out[target] = branches.map((branch, at) => writeSchema(branch, `${writing.path}.${key}[${at}]`, writing.losses));
}

function mapMembers(members: JsonObject, path: string, losses: SchemaLosses): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, writeSchema(member, `${path}.${name}`, losses)]),
  );
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  if (type === undefined) return properties !== undefined;
  return type === 'object' || (Array.isArray(type) && type.includes('object'));
}

function closeObject({ out, path, losses }: Writing, { type }: JsonObject): void {
  if (type === undefined) out['type'] = 'object';
  const properties = isJsonObject(out['properties']) ? out['properties'] : {};
  out['properties'] = properties;
  out['additionalProperties'] = false;
  const required: readonly unknown[] = Array.isArray(out['required']) ? out['required'] : [];
  const known = required.filter((name) => typeof name === 'string' && Object.hasOwn(properties, name));
  if (known.length < required.length)
    losses.add(`${path}.required`, 'approximated', 'a required property that is not declared cannot be demanded');
  if (required.length > 0) out['required'] = known;
}

/** What cannot be enforced is at least told to the model. */
function note({ path, losses, notes }: Writing, key: string, value: unknown): void {
  const text = JSON.stringify(value);
  if (text.length <= 500) notes.push(`${key}: ${text}`);
  losses.add(`${path}.${key}`, 'approximated', 'Anthropic does not enforce this keyword; it stands in the description');
}

function describe(description: unknown, notes: readonly string[]): string | undefined {
  const text = typeof description === 'string' ? description : '';
  if (notes.length === 0) return text === '' ? undefined : text;
  return `${text === '' ? '' : `${text} `}(${notes.join('; ')})`;
}
