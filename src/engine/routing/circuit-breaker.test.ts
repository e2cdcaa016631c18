import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CircuitBreaker, type BreakerPass } from './circuit-breaker.ts';

const settings = { failures: 3, windowMs: 1_000, cooldownMs: 500 };

function enter(breaker: CircuitBreaker, now: number): BreakerPass {
  const pass = breaker.enter(now);
  if (pass === null) throw new Error(`nobody is let through at ${String(now)}`);
  return pass;
}

function fail(breaker: CircuitBreaker, ...times: readonly number[]): void {
  for (const now of times) enter(breaker, now).settle('ill', now);
}

describe('circuit breaker', () => {
  test('opens at the third failure in a row, and rests', () => {
    const breaker = new CircuitBreaker(settings);
    fail(breaker, 0, 10);
    expect([breaker.state(20), breaker.restMs(20)]).toEqual(['closed', 0]);
    fail(breaker, 20);
    expect([breaker.state(20), breaker.enter(519), breaker.restMs(120)]).toEqual(['open', null, 400]);
    expect(breaker.state(520)).toBe('half-open');
  });

  test('a success between, or too much time, begins the count anew', () => {
    const breaker = new CircuitBreaker(settings);
    fail(breaker, 0, 1);
    enter(breaker, 2).settle('well', 2);
    fail(breaker, 3, 4);
    expect(breaker.state(5)).toBe('closed');
    fail(breaker, 1_003);
    expect(breaker.state(1_003)).toBe('closed');
    fail(breaker, 1_003);
    expect(breaker.state(1_003)).toBe('open');
  });

  test('half-open lets one through; its success closes, its failure opens again', () => {
    const breaker = new CircuitBreaker(settings);
    fail(breaker, 0, 0, 0);
    const trial = enter(breaker, 500);
    expect([breaker.enter(500), breaker.enter(999), breaker.restMs(600)]).toEqual([null, null, 400]);
    trial.settle('ill', 700);
    expect([breaker.state(1_199), breaker.state(1_200)]).toEqual(['open', 'half-open']);
    enter(breaker, 1_200).settle('well', 1_300);
    expect([breaker.state(1_300), breaker.restMs(1_300)]).toEqual(['closed', 0]);
    fail(breaker, 1_301, 1_302);
    expect(breaker.state(1_303)).toBe('closed');
  });

  test('a trial nobody waited for says nothing; one that hangs locks nobody out for long', () => {
    const breaker = new CircuitBreaker(settings);
    fail(breaker, 0, 0, 0);
    enter(breaker, 500).settle('unknown', 501);
    const hanging = enter(breaker, 502);
    expect(breaker.enter(1_001)).toBeNull();
    enter(breaker, 1_002).settle('well', 1_003);
    expect(breaker.state(1_003)).toBe('closed');
    hanging.settle('ill', 9_000);
    expect(breaker.state(9_000)).toBe('closed');
    fail(breaker, 9_000, 9_000);
    expect(breaker.state(9_000)).toBe('closed');
  });

  test('what was let through before it opened neither closes it nor keeps it open', () => {
    const breaker = new CircuitBreaker(settings);
    const [early, late] = [enter(breaker, 0), enter(breaker, 0)];
    fail(breaker, 1, 2, 3);
    early.settle('well', 4);
    late.settle('ill', 400);
    expect([breaker.state(502), breaker.state(503)]).toEqual(['open', 'half-open']);
  });

  test('whatever happens: it never stays shut for longer than a cooldown, and opens only after enough failures', () => {
    const step = fc.record({ after: fc.nat(700), outcome: fc.constantFrom('well', 'ill', 'unknown', 'hangs') });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const breaker = new CircuitBreaker(settings);
        let now = 0;
        let failures = 0;
        for (const { after, outcome } of steps) {
          now += after;
          expect(breaker.restMs(now)).toBeLessThanOrEqual(settings.cooldownMs);
          const pass = breaker.enter(now);
          if (pass === null) {
            expect(failures).toBeGreaterThanOrEqual(settings.failures);
            continue;
          }
          if (outcome === 'hangs') continue;
          pass.settle(outcome === 'well' || outcome === 'ill' ? outcome : 'unknown', now);
          if (outcome === 'ill') failures += 1;
          if (outcome === 'well') failures = 0;
        }
        expect(breaker.enter(now + settings.cooldownMs)).not.toBeNull();
      }),
    );
  });
});
