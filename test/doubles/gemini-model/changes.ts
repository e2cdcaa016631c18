/** Lets tests and loops wait for a condition instead of a time: whoever changes something calls `changed`. */
export interface Changes {
  changed(): void;
  /** Resolves as soon as the condition holds; it is asked after every change. */
  until(isReached: () => boolean): Promise<void>;
}

export function createChanges(): Changes {
  let waiting: (() => void)[] = [];
  return {
    changed() {
      const all = waiting;
      waiting = [];
      for (const wake of all) wake();
    },
    async until(isReached) {
      while (!isReached()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
