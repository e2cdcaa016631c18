import { expect, test } from 'vitest';
import { nearestName } from './nearest-name.ts';

test.each([
  ['prot', ['host', 'port', 'keys'], 'port'],
  ['allowed_host', ['allowed_hosts', 'allowed_origins'], 'allowed_hosts'],
  ['Gemini/gemini-3-flsh', ['gemini/gemini-3-flash', 'gemini/gemini-3-pro'], 'gemini/gemini-3-flash'],
  ['a', ['b'], 'b'],
  ['key', ['keys', 'host'], 'keys'],
  ['', [], undefined],
  ['entirely-different', ['port', 'host'], undefined],
])('%s among %j is %s', (written, names, meant) => {
  expect(nearestName(written, names)).toBe(meant);
});
