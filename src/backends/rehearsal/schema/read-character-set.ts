import { UnsupportedPattern, type PatternCursor } from './pattern-cursor.ts';

type Range = readonly [from: number, to: number];

/** Code points in (or, negated, outside of) the ranges. */
export interface CharacterSet {
  readonly ranges: readonly Range[];
  readonly negated: boolean;
}

const lastPoint = 0x10ffff;
const digits: Range[] = [[0x30, 0x39]];
const wordCharacters: Range[] = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
// prettier-ignore
const spaces: Range[] = [[0x09, 0x0d], [0x20, 0x20], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff]];
const shorthands: { readonly [letter: string]: readonly Range[] | undefined } = {
  d: digits,
  w: wordCharacters,
  s: spaces,
  D: complement(digits),
  W: complement(wordCharacters),
  S: complement(spaces),
};
const controls: { readonly [letter: string]: number | undefined } = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b, 0: 0 };

/** Whether the set holds this code point. */
export function isInSet(set: CharacterSet, point: number): boolean {
  return set.ranges.some(([from, to]) => point >= from && point <= to) !== set.negated;
}

/** The part of an escape behind the backslash, outside of a class. */
export function readAtomEscape(cursor: PatternCursor): CharacterSet {
  return { ranges: readEscape(cursor), negated: false };
}

/** A class behind its `[`, up to and including the `]`. */
export function readClass(cursor: PatternCursor): CharacterSet {
  const negated = cursor.text[cursor.at] === '^';
  if (negated) cursor.at++;
  const ranges: Range[] = [];
  while (cursor.text[cursor.at] !== ']') {
    const first = readClassMember(cursor);
    const isRange = cursor.text[cursor.at] === '-' && cursor.text[cursor.at + 1] !== ']';
    ranges.push(...(isRange ? [readRangeFrom(first, cursor)] : first));
  }
  cursor.at++;
  return { ranges, negated };
}

/** The range that begins with what was just read; the cursor stands on its `-`. */
function readRangeFrom(first: readonly Range[], cursor: PatternCursor): Range {
  cursor.at++;
  const from = singlePoint(first);
  const to = singlePoint(readClassMember(cursor));
  if (to < from) throw new UnsupportedPattern();
  return [from, to];
}

function singlePoint(ranges: readonly Range[]): number {
  const [only, ...others] = ranges;
  if (only === undefined || only[0] !== only[1] || others.length > 0) throw new UnsupportedPattern();
  return only[0];
}

function readClassMember(cursor: PatternCursor): readonly Range[] {
  const point = cursor.text.codePointAt(cursor.at);
  if (point === undefined) throw new UnsupportedPattern();
  const character = String.fromCodePoint(point);
  cursor.at += character.length;
  if (character !== '\\') return [[point, point]];
  if (cursor.text[cursor.at] !== 'b') return readEscape(cursor);
  cursor.at++;
  return [[0x08, 0x08]];
}

function readEscape(cursor: PatternCursor): readonly Range[] {
  const hex = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|u\{([\da-fA-F]{1,6})\})/.exec(cursor.text.slice(cursor.at, cursor.at + 10));
  if (hex !== null) {
    cursor.at += hex[0].length;
    const point = Number.parseInt(hex.slice(1).join(''), 16);
    if (point > lastPoint) throw new UnsupportedPattern();
    return [[point, point]];
  }
  const letter = cursor.text[cursor.at] ?? '';
  cursor.at++;
  const point = controls[letter] ?? (/^[!-/:-@[-`{-~ ]$/.test(letter) ? letter.charCodeAt(0) : undefined);
  const ranges = shorthands[letter] ?? (point === undefined ? undefined : [[point, point] as const]);
  // A letter or digit that is no known escape is a back-reference, an assertion or a Unicode property.
  if (ranges === undefined) throw new UnsupportedPattern();
  return ranges;
}

function complement(ranges: readonly Range[]): Range[] {
  const outside: Range[] = [];
  let next = 0;
  for (const [from, to] of ranges) {
    if (from > next) outside.push([next, from - 1]);
    next = to + 1;
  }
  outside.push([next, lastPoint]);
  return outside;
}
