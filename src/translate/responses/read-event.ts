import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** A member that counts from 0; undefined when it is missing or no such number. */
export function indexOf(object: JsonObject, name: string): number | undefined {
  const value = object[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A member that is a text, and not an empty one. */
export function wordOf(object: JsonObject, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A list of objects; what is no list is empty, what is no object is left out. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** That member of each part that has it. */
export function textsOf(parts: readonly JsonObject[], name: string): readonly string[] {
  return parts.flatMap((part) => (typeof part[name] === 'string' ? [part[name]] : []));
}
