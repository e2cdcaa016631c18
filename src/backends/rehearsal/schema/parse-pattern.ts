import { UnsupportedPattern, type PatternCursor } from './pattern-cursor.ts';
import { readAtomEscape, readClass, type CharacterSet } from './read-character-set.ts';

/** A JSON Schema `pattern` as far as it can be written and checked here: no look-around, no back-references, no Unicode properties. */
export type PatternNode =
  | { readonly type: 'characters'; readonly set: CharacterSet }
  | { readonly type: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly type: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly type: 'repeat'; readonly item: PatternNode; readonly min: number; readonly max: number }
  | { readonly type: 'start' }
  | { readonly type: 'end' };

const maxPatternLength = 500;
const anyCharacter: CharacterSet = { ranges: [[0x0a, 0x0a]], negated: true };

/** The pattern as a tree, or null when it uses what is not supported here. Never throws. */
export function parsePattern(text: string): PatternNode | null {
  if (text.length > maxPatternLength) return null;
  const cursor: PatternCursor = { text, at: 0 };
  try {
    const node = parseChoice(cursor);
    return cursor.at === text.length ? node : null;
  } catch (thrown) {
    if (thrown instanceof UnsupportedPattern) return null;
    throw thrown;
  }
}

function parseChoice(cursor: PatternCursor): PatternNode {
  const options = [parseSequence(cursor)];
  while (cursor.text[cursor.at] === '|') {
    cursor.at++;
    options.push(parseSequence(cursor));
  }
  const only = options[0];
  return options.length === 1 && only !== undefined ? only : { type: 'choice', options };
}

function parseSequence(cursor: PatternCursor): PatternNode {
  const items: PatternNode[] = [];
  for (;;) {
    const next = cursor.text[cursor.at];
    if (next === undefined || next === '|' || next === ')') return { type: 'sequence', items };
    items.push(parseRepeat(parseAtom(cursor), cursor));
  }
}

function parseAtom(cursor: PatternCursor): PatternNode {
  const point = cursor.text.codePointAt(cursor.at) ?? 0;
  const character = String.fromCodePoint(point);
  cursor.at += character.length;
  switch (character) {
    case '^':
      return { type: 'start' };
    case '$':
      return { type: 'end' };
    case '(':
      return parseGroup(cursor);
    case '[':
      return { type: 'characters', set: readClass(cursor) };
    case '\\':
      return { type: 'characters', set: readAtomEscape(cursor) };
    case '.':
      return { type: 'characters', set: anyCharacter };
    case '*':
    case '+':
    case '?':
    case '{':
      throw new UnsupportedPattern();
    default:
      return { type: 'characters', set: { ranges: [[point, point]], negated: false } };
  }
}

function parseGroup(cursor: PatternCursor): PatternNode {
  const prefix = /^\?(?::|<[A-Za-z]\w*>)/.exec(cursor.text.slice(cursor.at, cursor.at + 64))?.[0];
  if (prefix !== undefined) cursor.at += prefix.length;
  const node = parseChoice(cursor);
  if (cursor.text[cursor.at] !== ')') throw new UnsupportedPattern();
  cursor.at++;
  return node;
}

function parseRepeat(item: PatternNode, cursor: PatternCursor): PatternNode {
  const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(cursor.text.slice(cursor.at, cursor.at + 32))?.[0];
  if (quantifier === undefined) return item;
  cursor.at += quantifier.length;
  if (cursor.text[cursor.at] === '?') cursor.at++;
  const [min, max] = readBounds(quantifier);
  return { type: 'repeat', item, min, max };
}

function readBounds(quantifier: string): [number, number] {
  if (quantifier === '*') return [0, Infinity];
  if (quantifier === '+') return [1, Infinity];
  if (quantifier === '?') return [0, 1];
  const [min = '', max] = quantifier.slice(1, -1).split(',');
  if (max === undefined) return [Number(min), Number(min)];
  return [Number(min), max === '' ? Infinity : Number(max)];
}
