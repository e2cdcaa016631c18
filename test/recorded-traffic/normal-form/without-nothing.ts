import type { JsonObject } from '../../../src/lib/json.ts';

/** Members that are null or not there say the same everywhere. */
export function withoutNothing(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}

export function without(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}
