import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { isAbsent, parseObject } from '../parse/parse-value.ts';
import { invalidType } from '../parse/request-error.ts';

/** A value of the client's body, and where it stands there, in the client's own spelling. */
export interface Member {
  readonly value: unknown;
  readonly path: string;
}

/** The members of an object under their camelCase names. Google takes every field in snake_case too; null counts as absent. */
export class Members implements Iterable<readonly [name: string, member: Member]> {
  readonly path: string;
  readonly #members = new Map<string, Member>();

  constructor(object: JsonObject, path: string) {
    this.path = path;
    for (const [key, value] of Object.entries(object)) {
      if (!isAbsent(value)) this.#members.set(toCamelCase(key), { value, path: joinPath(path, key) });
    }
  }

  get size(): number {
    return this.#members.size;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** The member, or one without a value at the place where it is missing. */
  get(name: string): Member {
    return this.#members.get(name) ?? { value: undefined, path: joinPath(this.path, name) };
  }

  [Symbol.iterator](): Iterator<readonly [string, Member]> {
    return this.#members.entries();
  }
}

/** Throws `invalid_type` when it is no object. */
export function readMembers({ value, path }: Member): Members {
  return new Members(parseObject(value, path), path);
}

/** A repeated field. Google takes a single member without its brackets, and its own documentation writes it so. Throws `invalid_type`. */
export function readList({ value, path }: Member): readonly Member[] {
  if (Array.isArray(value)) return value.map((member: unknown, at) => ({ value: member, path: `${path}[${String(at)}]` }));
  if (isJsonObject(value) || typeof value === 'string') return [{ value, path }];
  throw invalidType(path, 'an array', value);
}

/** What `readList` reads; nothing where there is none. For bodies that have been read already. */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isAbsent(value) ? [] : [value];
}

/** The members of an object; null when it is none. */
export function membersOf(value: unknown): Members | null {
  return isJsonObject(value) ? new Members(value, '') : null;
}

/** A member that is a text; empty when it is none. */
export function wordOf(members: Members, name: string): string {
  const { value } = members.get(name);
  return typeof value === 'string' ? value : '';
}

function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function toCamelCase(key: string): string {
  return key.includes('_') ? key.replace(/(?<=.)_+([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase()) : key;
}
