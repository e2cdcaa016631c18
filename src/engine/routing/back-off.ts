const firstMs = 250;
const longestMs = 4_000;

/**
 * Milliseconds before the `retry`-th try again (from 1) of one target: doubled each time, at most 4 s, the upper half of it by chance, so that those who failed together do not come back together. `retryAfter`
 * (seconds, what the server asked for) is never undercut. `random`: in [0, 1).
 */
export function backOffMs(retry: number, { retryAfter, random }: { retryAfter: number | null; random: number }): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(retry - 1, 16));
  const jitter = (whole / 2) * random;
  return Math.round(retryAfter === null ? whole / 2 + jitter : retryAfter * 1000 + jitter);
}

/** Nobody waits longer than this before a retry: a server that asks for more is left to the next request. */
export const longestRetryAfterSeconds = 5;
