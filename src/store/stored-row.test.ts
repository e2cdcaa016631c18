import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleStored } from '../../test/stored-samples.ts';
import { decodeStored, encodeKey, encodeStored } from './stored-row.ts';

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

test('a key is plain text that a database keeps, and no two ids share one', () => {
  expect(encodeKey('resp_0123-abc')).toBe('resp_0123-abc');
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      const key = encodeKey(a);
      // eslint would call a control character in a pattern a mistake.
      expect(Array.from(key).every((sign) => sign >= ' ')).toBe(true);
      expect(Buffer.from(key, 'utf8').toString('utf8')).toBe(key);
      expect(key === encodeKey(b)).toBe(a === b);
    }),
  );
});

test('any JSON survives as text', () => {
  fc.assert(
    fc.property(fc.jsonValue(), anyText, anyText, (value, id, events) => {
      const stored = sampleStored({
        id,
        owner: id,
        input: [{ id, type: 'message', value }],
        states: Object.fromEntries([[id, events]]),
        events,
      });
      const plain = JSON.parse(JSON.stringify(stored)) as unknown;
      expect(decodeStored(encodeStored(stored))).toEqual(plain);
    }),
  );
});
