/** `open`: nobody is let through. `half-open`: one is, to see whether it works again. */
export type BreakerState = 'closed' | 'half-open' | 'open';

export interface BreakerSettings {
  /** So many failures in a row open it … */
  readonly failures: number;
  /** … when they lie within this time (milliseconds). */
  readonly windowMs: number;
  /** How long it stays open (milliseconds). */
  readonly cooldownMs: number;
}

/** How a call that was let through ended. `unknown`: nobody waited for it. */
export type CallOutcome = 'well' | 'ill' | 'unknown';

/** A call that was let through. Must be settled, once. */
export interface BreakerPass {
  settle(outcome: CallOutcome, now: number): void;
}

/** One backend's circuit breaker. It has no clock: `now` is milliseconds of any clock that does not go back. */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  /** Of the failures since the last success. */
  #failedAt: number[] = [];
  #openUntil: number | null = null;
  /** While it is tried out: until when nobody else is let through. A trial call that hangs must not lock everybody out. */
  #triedUntil: number | null = null;
  /** Counts openings and closings: what was let through before one says nothing about what came after. */
  #epoch = 0;

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  state(now: number): BreakerState {
    if (this.#openUntil === null) return 'closed';
    return now < this.#openUntil ? 'open' : 'half-open';
  }

  /** Null: not now. */
  enter(now: number): BreakerPass | null {
    const state = this.state(now);
    if (state === 'open' || (state === 'half-open' && now < (this.#triedUntil ?? -Infinity))) return null;
    if (state === 'half-open') this.#triedUntil = now + this.#settings.cooldownMs;
    const epoch = this.#epoch;
    return {
      settle: (outcome, at) => {
        if (epoch === this.#epoch) this.#settle(outcome, at);
      },
    };
  }

  /** How long it will let nobody through (milliseconds); 0 when it would now. */
  restMs(now: number): number {
    return Math.max(0, (this.#openUntil ?? now) - now, (this.#triedUntil ?? now) - now);
  }

  #settle(outcome: CallOutcome, now: number): void {
    this.#triedUntil = null;
    if (outcome === 'unknown') return;
    if (outcome === 'well') {
      this.#failedAt = [];
      if (this.#openUntil !== null) this.#turn(null);
      return;
    }
    const { failures, windowMs, cooldownMs } = this.#settings;
    this.#failedAt = [...this.#failedAt.filter((at) => now - at < windowMs), now];
    if (this.#openUntil !== null || this.#failedAt.length >= failures) this.#turn(now + cooldownMs);
  }

  #turn(openUntil: number | null): void {
    this.#epoch += 1;
    this.#failedAt = [];
    this.#openUntil = openUntil;
  }
}
