import { expect, test } from 'vitest';
import { parseRetryAfter } from './parse-retry-after.ts';

const now = Date.parse('2026-11-22T12:00:00Z');

test.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': ' 1.2 ' }, 2],
  [{ 'retry-after-ms': '1500' }, 2],
  [{ 'retry-after-ms': '250', 'retry-after': '9' }, 1],
  [{ 'retry-after-ms': 'x', 'retry-after': '9' }, 9],
  [{ 'retry-after': 'Sun, 22 Nov 2026 12:01:30 GMT' }, 90],
  [{ 'retry-after': 'Sunday, 22-Nov-26 12:01:30 GMT' }, 90],
  [{ 'retry-after': '1e9' }, 86_400],
  [{ 'retry-after': '1000000000' }, 86_400],
  [{ 'retry-after': 'Sun, 22 Nov 2099 12:00:00 GMT' }, 86_400],
  [{ 'retry-after': 'Sun, 22 Nov 2020 12:00:00 GMT' }, undefined],
  [{ 'retry-after': '-1' }, undefined],
  [{ 'retry-after-ms': '-1' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': 'Soon, really' }, undefined],
  [{ 'retry-after': 'NaN' }, undefined],
  [{ 'retry-after': '' }, undefined],
  [{ 'retry-after': '2099-01-01' }, undefined],
  [{ 'retry-after': '2026' }, 2026],
  [{}, undefined],
])('%j → %s', (headers, seconds) => {
  expect(parseRetryAfter(headers as Record<string, string>, now)).toBe(seconds);
});
