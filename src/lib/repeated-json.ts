import { isJsonObject, parseJson } from './json.ts';

/** A string or a number inside a JSON text. */
interface Literal {
  readonly from: number;
  /** Behind its last character. */
  readonly to: number;
  /** The keys and indices that lead to it. */
  readonly path: readonly (string | number)[];
}

/** The text between the places that change, and what they held when it was learned. */
interface Template {
  readonly value: unknown;
  /** One more than there are places. */
  readonly pieces: readonly string[];
  readonly paths: readonly (readonly (string | number)[])[];
}

/** More places, and the text would be read slower than JSON.parse does. */
const mostPlaces = 4;
/** A text that is longer is not one of many. */
const longestText = 4096;

/**
 * Parses JSON texts most of which say what the one before said, but for a few strings and numbers, as the deltas of a stream do. Those are read by comparing with the last one, which takes a third of the time of
 * JSON.parse; the values are equal to what JSON.parse makes of them, and share the parts that did not change. Nobody may change a value. `undefined`: not JSON.
 */
export function createRepeatedJsonParser(): (text: string) => unknown {
  let template: Template | null = null;
  let last: Parsed | null = null;
  /** Learning costs more than parsing: it has to be worth it. */
  let credit = 8;

  return (text) => {
    if (template !== null) {
      const value = readRepeated(text, template);
      if (value !== undefined) {
        credit = Math.min(credit + 1, 64);
        return value;
      }
    }
    const value = parseJson(text);
    const parsed = isJsonObject(value) && text.length <= longestText ? { text, value } : null;
    if (parsed !== null && last !== null && credit > 0) {
      template = learn(parsed, last);
      credit -= template === null ? 2 : 1;
    }
    last = parsed;
    return value;
  };
}

/** Undefined: the text differs in other places too. */
function readRepeated(text: string, { value, pieces, paths }: Template): unknown {
  if (!text.startsWith(pieces[0] ?? '')) return undefined;
  let at = pieces[0]?.length ?? 0;
  let read = value;
  for (const [index, path] of paths.entries()) {
    const to = endOfLiteral(text, at);
    const next = pieces[index + 1] ?? '';
    if (to === -1 || !text.startsWith(next, to)) return undefined;
    const literal = readLiteral(text, at, to);
    if (literal === undefined) return undefined;
    read = replace(read, path, literal);
    at = to + next.length;
  }
  return at === text.length ? read : undefined;
}

const quote = 0x22;
const backslash = 0x5c;

/** -1: neither a string nor a number begins here. */
function endOfLiteral(text: string, from: number): number {
  if (text.charCodeAt(from) === quote) return endOfString(text, from);
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at === from ? -1 : at;
}

function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return -1;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Undefined: not valid. */
function readLiteral(text: string, from: number, to: number): unknown {
  const isString = text.charCodeAt(from) === quote;
  return isString && isPlain(text, from + 1, to - 1) ? text.slice(from + 1, to - 1) : parseJson(text.slice(from, to));
}

/** Whether the text stands for itself: no escapes, and nothing that would have to be one. */
function isPlain(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code === backslash || code < 0x20) return false;
  }
  return true;
}

/** The value with another one at the place; everything beside the way to it is shared. */
function replace(value: unknown, path: readonly (string | number)[], literal: unknown, depth = 0): unknown {
  const step = path[depth];
  if (step === undefined) return literal;
  if (Array.isArray(value)) {
    const copy: unknown[] = value.slice();
    copy[Number(step)] = replace(copy[Number(step)], path, literal, depth + 1);
    return copy;
  }
  return isJsonObject(value) ? { ...value, [step]: replace(value[step], path, literal, depth + 1) } : value;
}

interface Parsed {
  readonly text: string;
  readonly value: unknown;
}

/** What two texts have in common; null when they differ in more than a few strings and numbers, or in none. */
function learn(parsed: Parsed, before: Parsed): Template | null {
  const [literals, others] = [findLiterals(parsed.text), findLiterals(before.text)];
  if (literals === null || others === null || !haveSameFrame(between(parsed.text, literals), between(before.text, others)))
    return null;
  const changed = literals.filter((literal, index) => said(parsed.text, literal) !== said(before.text, others[index]));
  if (changed.length === 0 || changed.length > mostPlaces) return null;
  return { value: parsed.value, pieces: between(parsed.text, changed), paths: changed.map(({ path }) => path) };
}

function said(text: string, literal: Literal | undefined): string | undefined {
  return literal === undefined ? undefined : text.slice(literal.from, literal.to);
}

/** The text around the literals: one piece more than there are of them. */
function between(text: string, literals: readonly Literal[]): readonly string[] {
  return [...literals, undefined].map((literal, index) => text.slice(literals[index - 1]?.to ?? 0, literal?.from));
}

function haveSameFrame(pieces: readonly string[], others: readonly string[]): boolean {
  return pieces.length === others.length && pieces.every((piece, index) => piece === others[index]);
}

/** All strings and numbers of a valid JSON text, in order; null when an object has a key twice. */
function findLiterals(text: string): readonly Literal[] | null {
  const found: Literal[] = [];
  const twins: string[] = [];
  let at = 0;

  const skipSpace = (): void => {
    while (/\s/.test(text.charAt(at))) at += 1;
  };
  const readString = (): string => {
    const from = at;
    at = endOfString(text, at);
    return text.slice(from, at);
  };

  function readValue(path: Literal['path']): void {
    skipSpace();
    const [first, from] = [text.charAt(at), at];
    if (first === '{') readMembers(path);
    else if (first === '[') readElements(path);
    else if (first === '"') {
      readString();
      found.push({ from, to: at, path });
    } else {
      while (/[\w.+-]/.test(text.charAt(at))) at += 1;
      if (/[\d-]/.test(first)) found.push({ from, to: at, path });
    }
    skipSpace();
  }

  function readMembers(path: Literal['path']): void {
    const keys = new Set<string>();
    at += 1;
    skipSpace();
    while (text.charAt(at) !== '}') {
      const key = String(parseJson(readString()));
      if (keys.has(key)) twins.push(key);
      keys.add(key);
      skipSpace();
      at += 1;
      readValue([...path, key]);
      if (text.charAt(at) === ',') at += 1;
      skipSpace();
    }
    at += 1;
  }

  function readElements(path: Literal['path']): void {
    at += 1;
    skipSpace();
    for (let index = 0; text.charAt(at) !== ']'; index += 1) {
      readValue([...path, index]);
      if (text.charAt(at) === ',') at += 1;
    }
    at += 1;
  }

  readValue([]);
  return twins.length > 0 ? null : found;
}
