import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCount, readEnumSuffix, readList, readMap, readMessage, readText } from './read-proto.ts';

const statuses = { 0: 'UNSPECIFIED', 1: 'IDLE', 2: 'RUNNING' };
const prefix = 'CASCADE_RUN_STATUS_';

describe('readCount', () => {
  test.each([
    [7, 7],
    ['2380', 2380],
    [' 5 ', 5],
    [undefined, 0],
    [null, 0],
    ['', 0],
    [-1, 0],
    ['-1', 0],
    [1.5, 0],
    ['1e3', 0],
    [Number.NaN, 0],
    ['99999999999999999999', 0],
    [{}, 0],
  ])('%j is %d', (value, count) => {
    expect(readCount(value)).toBe(count);
  });

  test('an int64 reads the same as number and as string', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (count) => {
        expect(readCount(String(count))).toBe(count);
        expect(readCount(count)).toBe(count);
      }),
    );
  });
});

describe('readEnumSuffix', () => {
  test.each([
    ['CASCADE_RUN_STATUS_RUNNING', 'RUNNING'],
    ['RUNNING', 'RUNNING'],
    ['running', 'RUNNING'],
    [2, 'RUNNING'],
    ['2', 'RUNNING'],
    [0, 'UNSPECIFIED'],
    [undefined, 'UNSPECIFIED'],
    [null, 'UNSPECIFIED'],
    ['', 'UNSPECIFIED'],
    [77, 'UNKNOWN'],
    [-1, 'UNKNOWN'],
    [{}, 'UNKNOWN'],
    ['CASCADE_RUN_STATUS_NEWER', 'NEWER'],
  ])('%j is %s', (value, name) => {
    expect(readEnumSuffix(value, prefix, statuses)).toBe(name);
  });

  test('an enum whose first member has another name, and one whose numbers nobody knows', () => {
    expect(readEnumSuffix(undefined, '', { 0: 'NONE' })).toBe('NONE');
    expect(readEnumSuffix(0, '', {})).toBe('UNSPECIFIED');
    expect(readEnumSuffix(3, '', {})).toBe('UNKNOWN');
  });
});

test('whatever comes, nothing throws and the types hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(readCount(value)).toBeGreaterThanOrEqual(0);
      expect(typeof readEnumSuffix(value, prefix, statuses)).toBe('string');
      expect(typeof readText(value)).toBe('string');
      expect(Array.isArray(readList(value))).toBe(true);
      expect(typeof readMessage(value)).toBe('object');
      for (const [key] of readMap(value)) expect(typeof key).toBe('string');
    }),
  );
});

test('maps come as objects and as lists of key and value', () => {
  expect(readMap({ a: 1, b: null })).toEqual([
    ['a', 1],
    ['b', null],
  ]);
  expect(readMap([{ key: 'a', value: 1 }, null, { value: 2 }, { key: 3 }])).toEqual([
    ['a', 1],
    ['3', undefined],
  ]);
  expect(readMap('a')).toEqual([]);
});

test('null elements of a list keep their place', () => {
  expect(readList([null, 1])).toEqual([null, 1]);
  expect(readList(null)).toEqual([]);
});
