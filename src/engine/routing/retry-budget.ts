const windowMs = 30_000;
const slots = 10;

/** Retries that are always allowed within a window: somebody who is alone here would otherwise never have one. */
const floor = 5;

/**
 * How many retries a backend may get: a share of its requests in the last half minute, and five. In an outage all requests fail, and without a limit every one of them would come several times.
 * Times in milliseconds; memory is constant.
 */
export class RetryBudget {
  readonly #share: number;
  readonly #requests = new SlidingCount();
  readonly #retries = new SlidingCount();

  /** `share`: 0.2 = one retry for five requests; 0: none at all. */
  constructor(share: number) {
    this.#share = share;
  }

  /** A request that is no retry. */
  noteRequest(now: number): void {
    this.#requests.add(now);
  }

  /** Takes one retry; false: there is none left. */
  takeRetry(now: number): boolean {
    if (this.#share <= 0 || this.#retries.count(now) >= floor + this.#share * this.#requests.count(now)) return false;
    this.#retries.add(now);
    return true;
  }
}

/** How often something happened in the last window, to a tenth of the window. */
class SlidingCount {
  readonly #counts = new Array<number>(slots).fill(0);
  readonly #ticks = new Array<number>(slots).fill(-Infinity);

  add(now: number): void {
    const tick = toTick(now);
    const slot = tick % slots;
    if (this.#ticks[slot] !== tick) this.#counts[slot] = 0;
    this.#ticks[slot] = tick;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  count(now: number): number {
    const oldest = toTick(now) - slots;
    return this.#counts.reduce((sum, count, slot) => ((this.#ticks[slot] ?? -Infinity) > oldest ? sum + count : sum), 0);
  }
}

function toTick(now: number): number {
  return Math.floor(now / (windowMs / slots));
}
