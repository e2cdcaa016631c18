/** More than this many are not remembered: the one not seen for longest goes. */
const maxEntries = 10_000;

/** Which target each session had last, for so long as it keeps coming. Times in milliseconds; memory is bounded. */
export class Affinity {
  readonly #maxAgeMs: number;
  readonly #maxEntries: number;
  /** The one not seen for longest comes first. */
  readonly #known = new Map<string, { readonly target: string; readonly seenAt: number }>();

  constructor(maxAgeMs: number, limit: number = maxEntries) {
    this.#maxAgeMs = maxAgeMs;
    this.#maxEntries = limit;
  }

  get size(): number {
    return this.#known.size;
  }

  /** The target of that session. */
  find(session: string, now: number): string | undefined {
    const known = this.#known.get(session);
    return known === undefined || now - known.seenAt >= this.#maxAgeMs ? undefined : known.target;
  }

  remember(session: string, target: string, now: number): void {
    this.#known.delete(session);
    this.#known.set(session, { target, seenAt: now });
    for (const [oldest, { seenAt }] of this.#known) {
      if (this.#known.size <= this.#maxEntries && now - seenAt < this.#maxAgeMs) return;
      this.#known.delete(oldest);
    }
  }
}
