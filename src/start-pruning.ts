import type { RetentionSettings } from './config/settings.ts';
import type { ResponseStore } from './model/response-store.ts';

export interface Pruning {
  /** Ends it, after the removal that is running. */
  stop(): Promise<void>;
}

export interface PruningOptions {
  readonly retention: RetentionSettings;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Told when removing failed; the next round tries again. */
  readonly onTrouble: (thrown: unknown) => void;
}

const everyMs = 10 * 60_000;

/** Removes what is older or more than the settings allow: now, and every ten minutes. */
export function startPruning(store: ResponseStore, { retention, now, onTrouble }: PruningOptions): Pruning {
  const { maxAgeMs, maxBytes } = retention;
  if (maxAgeMs === null && maxBytes === null) return { stop: () => Promise.resolve() };

  async function prune(): Promise<void> {
    const olderThan = maxAgeMs === null ? null : Math.floor((now() - maxAgeMs) / 1_000);
    try {
      await store.pruneResponses({ olderThan, maxBytes });
    } catch (thrown) {
      onTrouble(thrown);
    }
  }

  let running = prune();
  const timer = setInterval(() => {
    running = running.then(prune);
  }, everyMs);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      return running;
    },
  };
}
