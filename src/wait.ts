import { setTimeout as waitFor } from 'node:timers/promises';

/** Resolves after that time (milliseconds), and rejects as soon as the signal aborts. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return waitFor(milliseconds, undefined, { signal });
}
