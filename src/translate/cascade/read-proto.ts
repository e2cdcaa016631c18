import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/**
 * A count in protojson: a number, a decimal string (64-bit integers), or left out when 0. Whatever is no whole number ≥ 0 is 0 (backends.md A.1).
 */
export function readCount(value: unknown): number {
  const count = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/**
 * The name of an enum member without `prefix`: `CORTEX_STEP_STATUS_DONE`, `DONE`, `3` and `"3"` are all `DONE`. Left out is member 0, in protojson as in `numbers`
 * (`UNSPECIFIED` when that has none); a number that `numbers` does not list, or anything else, is `UNKNOWN`.
 */
export function readEnumSuffix(value: unknown, prefix: string, numbers: Readonly<Record<number, string>>): string {
  if (value === undefined || value === null || value === '') return numbers[0] ?? 'UNSPECIFIED';
  if (typeof value === 'number') return numbers[value] ?? (value === 0 ? 'UNSPECIFIED' : 'UNKNOWN');
  if (typeof value !== 'string') return 'UNKNOWN';
  const name = value.trim().toUpperCase();
  if (/^\d+$/.test(name)) return readEnumSuffix(Number(name), prefix, numbers);
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** A string; left out, or of another type, it is ''. */
export function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A message; left out, or of another type, it is empty. */
export function readMessage(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** A repeated field; left out, or of another type, it has no elements. Null elements stay: their place may count. */
export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A map field, which may also come as a list of `{key, value}`: its entries in their order. Entries without a key are left out. */
export function readMap(value: unknown): readonly (readonly [key: string, value: unknown])[] {
  if (isJsonObject(value)) return Object.entries(value);
  return readList(value).flatMap((entry) => {
    const { key, value: content } = readMessage(entry);
    return typeof key === 'string' || typeof key === 'number' ? [[String(key), content] as const] : [];
  });
}
