import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backOffMs } from './back-off.ts';
import { RetryBudget } from './retry-budget.ts';

function take(budget: RetryBudget, times: number, now: number): number {
  let taken = 0;
  for (let at = 0; at < times; at += 1) if (budget.takeRetry(now)) taken += 1;
  return taken;
}

test('five retries are always there, and a share of the requests', () => {
  const budget = new RetryBudget(0.2);
  expect(take(budget, 100, 0)).toBe(5);
  for (let at = 0; at < 50; at += 1) budget.noteRequest(0);
  expect(take(budget, 100, 0)).toBe(10);
});

test('what is older than the window does not count any more', () => {
  const budget = new RetryBudget(0.2);
  for (let at = 0; at < 50; at += 1) budget.noteRequest(0);
  expect(take(budget, 100, 10_000)).toBe(15);
  expect(take(budget, 100, 30_000)).toBe(0);
  expect(take(budget, 100, 40_000)).toBe(5);
});

test('a share of nothing is nothing', () => {
  expect(take(new RetryBudget(0), 10, 0)).toBe(0);
});

test('in any traffic: within a window never more than the share and the floor', () => {
  const step = fc.record({ after: fc.nat(4_000), requests: fc.nat(20), retries: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (steps, share) => {
      const budget = new RetryBudget(share);
      const seen: { at: number; requests: number; retries: number }[] = [];
      let now = 0;
      for (const { after, requests, retries } of steps) {
        now += after;
        for (let at = 0; at < requests; at += 1) budget.noteRequest(now);
        seen.push({ at: now, requests, retries: take(budget, retries, now) });
        // The window moves in tenths, between 27 and 30 seconds; the oldest retry in it leant on requests as old again.
        const retried = seen.filter(({ at }) => now - at < 27_000).reduce((sum, one) => sum + one.retries, 0);
        const requested = seen.filter(({ at }) => now - at < 60_000).reduce((sum, one) => sum + one.requests, 0);
        expect(retried).toBeLessThanOrEqual(6 + share * requested);
      }
    }),
  );
});

test('waits are doubled up to a limit, spread over their upper half, and never undercut what the server asked for', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 200].map((retry) => backOffMs(retry, { retryAfter: null, random: 0 }));
  expect(waits).toEqual([125, 250, 500, 1_000, 2_000, 2_000, 2_000, 2_000]);
  expect(backOffMs(1, { retryAfter: null, random: 0.999 })).toBe(250);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.nat(5),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (retry, retryAfter, random) => {
        const wait = backOffMs(retry, { retryAfter, random });
        expect(wait).toBeGreaterThanOrEqual(retryAfter * 1_000);
        expect(wait).toBeLessThanOrEqual(retryAfter * 1_000 + 2_000);
      },
    ),
  );
});
