import { expect, test } from 'vitest';
import { medianOf, percentileOf } from './statistics.ts';

test('the median is the middle, whatever the order', () => {
  expect(medianOf([9, 1, 5])).toBe(5);
  expect(medianOf([4, 1, 3, 2])).toBe(2.5);
  expect(medianOf([])).toBeNaN();
});

test('a percentile is a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentileOf(hundred, 0.5)).toBe(50);
  expect(percentileOf(hundred, 0.99)).toBe(99);
  expect(percentileOf([7], 0.99)).toBe(7);
  expect(percentileOf([], 0.5)).toBeNaN();
});
