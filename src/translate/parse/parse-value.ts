import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { invalid, invalidChoice, invalidType } from './request-error.ts';

export interface TextLimits {
  /** Characters (code points, as JSON Schema counts them). */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
}

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  /** The minimum itself is refused too. */
  readonly exclusiveMin?: boolean;
}

/** Unknown → string. Throws `missing_required_parameter`, `invalid_type`, `string_below_min_length`, `string_above_max_length`, `invalid_value` (pattern). */
export function parseString(value: unknown, path: string, limits: TextLimits = {}): string {
  if (typeof value !== 'string') throw invalidType(path, 'a string', value);
  const { min = 0, max = Infinity, pattern } = limits;
  if (value.length < min) {
    const message = `Invalid '${path}': empty string. Expected a string with minimum length ${min}, but got an empty string instead.`;
    throw invalid('string_below_min_length', path, message);
  }
  // Code units are at least as many as code points, so nearly every string is settled without counting.
  if (value.length > max) checkLength(value, path, max);
  if (pattern !== undefined && !pattern.test(value)) {
    const message = `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${pattern.source}'.`;
    throw invalid('invalid_value', path, message);
  }
  return value;
}

function checkLength(value: string, path: string, max: number): void {
  let length = 0;
  for (let index = 0; index < value.length; length += 1) index += (value.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  if (length <= max) return;
  const message = `Invalid '${path}': string too long. Expected a string with maximum length ${max}, but got a string with length ${length} instead.`;
  throw invalid('string_above_max_length', path, message);
}

/** Unknown → boolean. */
export function parseBoolean(value: unknown, path: string): boolean {
  if (typeof value !== 'boolean') throw invalidType(path, 'a boolean', value);
  return value;
}

/** Unknown → finite number. Throws `decimal_below_min_value` / `decimal_above_max_value` outside of the limits. */
export function parseNumber(value: unknown, path: string, limits: NumberLimits): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw invalidType(path, 'a number', value);
  checkRange(value, path, limits, 'decimal');
  return value;
}

/** Unknown → integer. Throws `integer_below_min_value` / `integer_above_max_value` outside of the limits. */
export function parseInteger(value: unknown, path: string, limits: NumberLimits): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidType(path, 'an integer', value);
  checkRange(value, path, limits, 'integer');
  return value;
}

function checkRange(value: number, path: string, limits: NumberLimits, kind: 'integer' | 'decimal'): void {
  const exclusive = limits.exclusiveMin ?? false;
  if (value < limits.min || (exclusive && value === limits.min)) {
    const wanted = `${exclusive ? '>' : '>='} ${limits.min}`;
    throw invalid(
      `${kind}_below_min_value`,
      path,
      `Invalid '${path}': ${kind} below minimum value. Expected a value ${wanted}, but got ${value} instead.`,
    );
  }
  if (value > limits.max) {
    throw invalid(
      `${kind}_above_max_value`,
      path,
      `Invalid '${path}': ${kind} above maximum value. Expected a value <= ${limits.max}, but got ${value} instead.`,
    );
  }
}

/** Unknown → one of the choices. Throws `invalid_value` with the list of them. */
export function parseChoice<T extends string>(value: unknown, path: string, choices: readonly T[]): T {
  if (typeof value !== 'string') throw invalidType(path, 'a string', value);
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw invalidChoice(path, value, choices);
  return found;
}

/** Unknown → JSON object whose members nobody has looked at. */
export function parseObject(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw invalidType(path, 'an object', value);
  return value;
}

/** Unknown → array. Throws `empty_array` below one member when `min` is 1, `array_above_max_length` above `max`. */
export function parseArray(
  value: unknown,
  path: string,
  limits: { readonly min?: 0 | 1; readonly max?: number } = {},
): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidType(path, 'an array', value);
  const { min = 0, max = Infinity } = limits;
  if (value.length < min) {
    const message = `Invalid '${path}': empty array. Expected an array with minimum length ${min}, but got an empty array instead.`;
    throw invalid('empty_array', path, message);
  }
  if (value.length > max) {
    const message = `Invalid '${path}': array too long. Expected an array with maximum length ${max}, but got an array with length ${value.length} instead.`;
    throw invalid('array_above_max_length', path, message);
  }
  return value;
}

/** Absent and null are the same for every optional field: real clients send nulls everywhere (clients.md §11.5). */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
