/** Time that passes only when a test says so. */
export interface ManualClock {
  readonly now: () => number;
  /** Rejects when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The middle of [0, 1). */
  readonly random: () => number;
  /** Lengths of all waits that were begun. */
  readonly waits: readonly number[];
  /** Lengths of the waits that go on. */
  readonly pending: readonly number[];
  /** Waits (really) until somebody waits for exactly that long, and lets that time pass for all who do. */
  elapse(milliseconds: number): Promise<void>;
  /** Moves `now` only. */
  advance(milliseconds: number): void;
}

interface Wait {
  readonly milliseconds: number;
  readonly resolve: () => void;
}

/** A clock that stands at the first second of 2026. */
export function createManualClock(): ManualClock {
  let time = Date.UTC(2026, 0, 1);
  const waits: number[] = [];
  const pending = new Set<Wait>();
  const onWait: (() => void)[] = [];

  function noteWait(): void {
    for (const wake of onWait.splice(0)) wake();
  }

  return {
    now: () => time,
    random: () => 0.5,
    waits,
    get pending() {
      return [...pending].map(({ milliseconds }) => milliseconds);
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => {
          pending.delete(entry);
          reject(new Error('the wait was broken off'));
        };
        const entry = {
          milliseconds,
          resolve: () => {
            signal.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        waits.push(milliseconds);
        if (signal.aborted) {
          onAbort();
          return;
        }
        signal.addEventListener('abort', onAbort);
        pending.add(entry);
        noteWait();
      }),
    async elapse(milliseconds) {
      const due = (): Wait[] => [...pending].filter((entry) => entry.milliseconds === milliseconds);
      while (due().length === 0) await new Promise<void>((resolve) => onWait.push(resolve));
      time += milliseconds;
      for (const entry of due()) {
        pending.delete(entry);
        entry.resolve();
      }
    },
    advance(milliseconds) {
      time += milliseconds;
    },
  };
}
