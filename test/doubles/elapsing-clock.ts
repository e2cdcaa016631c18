/** Time for the calls to an agent server: it passes for a wait only when the test names that wait's length. */
export interface ElapsingClock {
  readonly now: () => number;
  /** Rejects when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The middle of [0, 1). */
  readonly random: () => number;
  /** Lengths of all waits that were begun. */
  readonly waits: readonly number[];
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
export function createElapsingClock(): ElapsingClock {
  let time = Date.UTC(2026, 0, 1);
  const waits: number[] = [];
  const pending = new Set<Wait>();
  const onWait: (() => void)[] = [];

  return {
    now: () => time,
    random: () => 0.5,
    waits,
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
        for (const wake of onWait.splice(0)) wake();
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
