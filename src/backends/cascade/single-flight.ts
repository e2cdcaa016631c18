/**
 * At most one `run` at a time: whoever asks while it is under way gets its outcome, a value or what it throws. A caller whose signal aborts gets the signal's reason; the
 * run goes on for the others.
 */
export function createSingleFlight<T>(run: () => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let flight: Promise<T> | undefined;
  return async (signal) => {
    signal.throwIfAborted();
    flight ??= run().finally(() => {
      flight = undefined;
    });
    return untilAborted(flight, signal);
  };
}

async function untilAborted<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  signal.addEventListener('abort', leave);
  try {
    await Promise.race([shared, left]);
    signal.throwIfAborted();
    return await shared;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
