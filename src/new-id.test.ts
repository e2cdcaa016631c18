import { expect, test } from 'vitest';
import { createNewId } from './new-id.ts';

const newId = createNewId();

test('ids cannot be guessed and carry their prefix', () => {
  expect(newId('resp')).toMatch(/^resp_[0-9a-f]{48}$/);
  expect(newId('call')).toMatch(/^call_[A-Za-z0-9]{24}$/);
  const many = Array.from({ length: 2_000 }, (_, index) => newId(index % 2 === 0 ? 'msg' : 'call'));
  expect(new Set(many).size).toBe(many.length);
});

test('every letter of a call id comes about equally often', () => {
  const counts = new Map<string, number>();
  for (let round = 0; round < 10_000; round += 1) {
    for (const letter of newId('call').slice('call_'.length)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  const expected = (10_000 * 24) / 62;
  expect(counts.size).toBe(62);
  // Taking the remainder of every byte would be 13 standard deviations off.
  for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(7 * Math.sqrt(expected));
});
