/** Random numbers that come again with the same seed. */
export interface SeededRandom {
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
  /** True so often out of a hundred. */
  percent(share: number): boolean;
}

/** A 32-bit counter scattered by multiplications: good enough to mix up the order of things. */
export function createSeededRandom(seed: number): SeededRandom {
  let count = seed >>> 0;

  function below(limit: number): number {
    count = (count + 0x9e3779b9) >>> 0;
    let value = Math.imul(count ^ (count >>> 16), 0x45d9f3b);
    value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
    return ((value ^ (value >>> 16)) >>> 0) % limit;
  }

  return {
    below,
    pick(list) {
      const found = list[below(list.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
    percent: (share) => below(100) < share,
  };
}
