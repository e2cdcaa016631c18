import { setTimeout as delay } from 'node:timers/promises';
import { isBusy } from './sqlite-failure.ts';

const longestPauseMs = 50;

/**
 * Does the work again while another process has the database locked, for at most that many milliseconds. SQLite's own busy wait would hold the thread, and
 * reads, which the lock does not hinder, would wait behind it.
 */
export async function retryWhileBusy<T>(work: () => Promise<T>, patienceMs: number): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let pauseMs = 2; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (thrown) {
      const restMs = deadline - performance.now();
      if (!isBusy(thrown) || restMs <= 0) throw thrown;
      await delay(Math.min(pauseMs, restMs));
    }
  }
}
