import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUtf8Decoder } from './utf8-decoder.ts';

const encoder = new TextEncoder();

/** The pieces of `bytes` between the cuts, which may repeat. */
function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...cuts.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

function decode(pieces: readonly Uint8Array[]): string {
  const decoder = createUtf8Decoder();
  const text = pieces.map((piece) => decoder.push(piece)).join('');
  decoder.end();
  return text;
}

test('text survives any cut, also inside code points and with byte order marks in the middle', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat(), { maxLength: 8 }), (raw, cuts) => {
      const text = `x${raw}`;
      expect(decode(cut(encoder.encode(text), cuts))).toBe(text);
    }),
  );
});

test('arbitrary bytes are accepted or refused exactly as the streaming TextDecoder does', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
      let expected: string | null = null;
      try {
        expected = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch {
        expect(() => decode(cut(bytes, cuts))).toThrow(TypeError);
        return;
      }
      expect(decode(cut(bytes, cuts))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test('only a leading byte order mark is dropped, also when it comes in pieces', () => {
  const bytes = encoder.encode('\uFEFFa\uFEFFb');
  for (let place = 0; place <= bytes.length; place++) expect(decode(cut(bytes, [place]))).toBe('a\uFEFFb');
});

test('an open code point at the end is an error', () => {
  const decoder = createUtf8Decoder();
  expect(decoder.push(encoder.encode('é').subarray(0, 1))).toBe('');
  expect(() => {
    decoder.end();
  }).toThrow(TypeError);
});
