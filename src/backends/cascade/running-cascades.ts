/** The cascades that a turn is at work in, and what is still going on after turns have ended. One for each backend. */
export class RunningCascades {
  readonly #claimed = new Set<string>();
  readonly #pending = new Set<Promise<void>>();

  /**
   * True: the cascade is the caller's until `release`. Nobody waits for one that is taken: however its turn ends, the cascade will not stand any more where the second turn
   * would go on.
   */
  claim(cascadeId: string): boolean {
    if (this.#claimed.has(cascadeId)) return false;
    this.#claimed.add(cascadeId);
    return true;
  }

  release(cascadeId: string): void {
    this.#claimed.delete(cascadeId);
  }

  /** Keeps count of work that nobody waits for. It must not reject. */
  track(work: Promise<void>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  /** Resolves when nothing tracked is left. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}
