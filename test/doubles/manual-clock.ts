/** Time that passes only when a test says so. */
export class ManualClock {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly resolve: () => void }[] = [];

  readonly now = (): number => this.#now;

  readonly wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      this.#timers.push({ at: this.#now + milliseconds, resolve });
      signal.addEventListener('abort', () => {
        resolve();
      });
    });

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { resolve } of due) resolve();
  }
}
