import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from './json.ts';
import { createRepeatedJsonParser } from './repeated-json.ts';

function expectSame(texts: readonly string[]): void {
  const parse = createRepeatedJsonParser();
  for (const text of texts) expect(parse(text)).toEqual(parseJson(text));
}

const chat = (content: unknown, index: unknown = 0): string =>
  JSON.stringify({ id: 'c1', choices: [{ index, delta: { content }, logprobs: null }], usage: null });

test.each<[string, readonly string[]]>([
  ['deltas of a stream', ['a', ' b', '', 'é\n"quoted" \\ 😀', '\u0000', 'c'].map((text) => chat(text))],
  ['a number too', [chat('a', 1), chat('b', 2), chat('c', 12), chat('d', 0)]],
  ['another kind of value', [chat('a'), chat('b'), chat(7), chat(null), chat(['c']), chat({ d: 1 }), chat('e')]],
  [
    'numbers that are none of their kind',
    [chat('a', 1), chat('b', 2), chat('c', -3), chat('d', 4.5), chat('e', 1e21), chat('f', 5)],
  ],
  [
    'numbers that are not JSON',
    [chat('a', 1), chat('b', 2), chat('c', 33).replace('33', '007'), chat('d', 33).replace('33', '3.')],
  ],
  ['a text that goes on', [chat('a'), chat('b'), `${chat('c')}x`, chat('d').slice(0, -1), chat('e')]],
  ['control characters', [chat('a'), chat('b'), chat('c').replace('"c"', '"\u0001"'), chat('d').replace('"d"', '"\n"')]],
  ['a string that does not end', [chat('a'), chat('b'), chat('c').replace('"c"', '"c\\"'), chat('d')]],
  ['a key that comes twice', ['{"a":"x","a":"y"}', '{"a":"z","a":"y"}', '{"a":"w","a":"y"}']],
  ['a key of a prototype', ['{"__proto__":{"a":"x"}}', '{"__proto__":{"a":"y"}}', '{"__proto__":{"a":"z"}}']],
  ['white space', ['{ "a" : [ "x" , 1 ] }', '{ "a" : [ "y" , 2 ] }', '{ "a" : [ "z" , 3 ] }', ' { "a" : [ "z" , 3 ] }']],
  ['no object at all', ['"a"', '"b"', '7', '[]', '']],
])('%s', (_name, texts) => {
  expectSame(texts);
});

test('values that were handed out do not change', () => {
  const parse = createRepeatedJsonParser();
  const texts = ['a', 'b', 'c', 'd'].map((text) => chat(text));
  const values = texts.map((text) => parse(text));
  expect(values).toEqual(texts.map((text) => parseJson(text)));
});

test('agrees with JSON.parse on streams of similar texts, also broken ones', () => {
  const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null));
  const shape = fc.constantFrom<(values: readonly unknown[]) => unknown>(
    ([a, b, c]) => ({ a, deep: [{ b, same: 'x' }], c }),
    ([a, b]) => ({ 'deep"key\\': { a, list: [1, b, 2] }, last: true }),
    ([a]) => [a, { a }],
    ([a, b, c]) => ({ a, b, c, d: a, e: b, f: c }),
  );
  const text = fc
    .tuple(shape, fc.array(leaf, { minLength: 3, maxLength: 3 }))
    .map(([build, values]) => JSON.stringify(build(values)));
  const broken = fc.tuple(text, fc.nat(), fc.constantFrom('', '"', '\\', '\u0007', '{', '0')).map(([whole, at, mark]) => {
    const place = at % (whole.length + 1);
    return whole.slice(0, place) + mark + whole.slice(place + 1);
  });
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: text }, broken), { maxLength: 12 }), (texts) => {
      expectSame(texts);
    }),
    { numRuns: 500 },
  );
});
