import { isJsonObject, type JsonObject } from '../../../lib/json.ts';

/** The member as a list of schemas or values; an empty list when it is absent or of another type. */
export function listOf(schema: JsonObject, keyword: string): readonly unknown[] {
  const value = schema[keyword];
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** The member as an object; an empty one when it is absent or of another type. */
export function objectOf(schema: JsonObject, keyword: string): JsonObject {
  const value = schema[keyword];
  return isJsonObject(value) ? value : {};
}

/** The member as a number, or the fallback. */
export function numberOf(schema: JsonObject, keyword: string, fallback: number): number {
  const value = schema[keyword];
  return typeof value === 'number' ? value : fallback;
}

/** The names that must be there. */
export function requiredOf(schema: JsonObject): readonly string[] {
  return listOf(schema, 'required').filter((name) => typeof name === 'string');
}

/** A member of its own, never one of Object.prototype: property names come from clients. */
export function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What a local `$ref` names (`#`, `#/$defs/node`, or an `$anchor`); undefined when it cannot be found. References to other documents are not followed. */
export function resolveReference(root: JsonObject, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  const pointer = decodePointer(reference.slice(1));
  if (pointer === undefined) return undefined;
  if (pointer !== '' && !pointer.startsWith('/')) return findAnchor(root, pointer);
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(stepInto, root);
}

function stepInto(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return (value as readonly unknown[])[Number(step)];
  return isJsonObject(value) ? ownMember(value, step) : undefined;
}

function decodePointer(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function findAnchor(root: JsonObject, anchor: string): unknown {
  return [objectOf(root, '$defs'), objectOf(root, 'definitions')]
    .flatMap((definitions) => Object.values(definitions))
    .find((definition) => isJsonObject(definition) && definition['$anchor'] === anchor);
}
