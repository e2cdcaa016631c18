import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './sha256.ts';

const known = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

test('is the digest that everybody else computes', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      expect(sha256(text)).toBe(known(text));
    }),
  );
});

test('also where the padding needs a block of its own', () => {
  for (let length = 0; length < 200; length += 1) expect(sha256('x'.repeat(length))).toBe(known('x'.repeat(length)));
});
