import { expect, test } from 'vitest';
import { countDeviations } from './deviation-count.ts';

const passed = { state: 'pass' };
const all = Array.from({ length: 24 }, (_, at) => ({ name: `2.${String(at + 1)} something`, result: passed }));

test('a deviation is over when all tests that cite it have passed', () => {
  expect(countDeviations([{ name: 'a group', tasks: all }])).toBe('deviations: 0 of 24 left');
  expect(countDeviations([...all, { name: '2.3 2.7 both', result: { state: 'fail' } }])).toBe(
    'deviations: 2 of 24 left: 2.3, 2.7',
  );
});

test('one that no test cites, or whose test did not run, is left', () => {
  const some = all.slice(1).map((task, at) => (at === 22 ? { name: task.name } : task));
  expect(countDeviations(some)).toBe('deviations: 2 of 24 left: 2.1, 2.24');
});
