import { IsolationClient } from './isolation-client.ts';
import type { ModelWatch } from './model-watch.ts';
import { createSeededRandom } from './seeded-random.ts';

export interface IsolationOptions {
  readonly url: string;
  readonly keys: readonly string[];
  readonly watch: ModelWatch;
  readonly clients: number;
  readonly turns: number;
  readonly seed: number;
  /** Begin nothing more once something has crossed (default false). */
  readonly stopsAtCrossing?: boolean;
  /** Told after every turn. */
  readonly onTurn?: (turns: number) => void;
}

export interface IsolationReport {
  readonly turns: number;
  /** Turns with anything of another client in them, and model requests with the words of several clients. */
  readonly crossed: number;
  /** The turn with which the first crossing was seen, counted from 1; null: none. */
  readonly firstCrossing: number | null;
  /** Everything that was wrong, in words. */
  readonly words: readonly string[];
  /** Turns with anything else wrong. */
  readonly faulty: number;
}

/** That many clients at once, each going on as soon as its last turn is over, until all turns have been begun. */
export async function runIsolation(options: IsolationOptions): Promise<IsolationReport> {
  const { url, keys, watch, seed, turns: budget, stopsAtCrossing = false, onTurn } = options;
  const words: string[] = [];
  let [begun, turns, crossed, faulty] = [0, 0, 0, 0];
  let firstCrossing: number | null = null;
  const [crossedBefore, markedBefore] = [watch.crossed.length, watch.marked.length];
  const crossings = (): number => crossed + watch.crossed.length - crossedBefore;

  async function runClient(number: number): Promise<void> {
    const client = new IsolationClient({
      ...{ number, url, watch },
      key: keys[number % keys.length] ?? '',
      random: createSeededRandom(seed * 1000 + number),
      onBegin() {
        begun += 1;
      },
      onTurn(verdict) {
        turns += 1;
        if (verdict.crossed.length > 0) crossed += 1;
        else if (verdict.faults.length > 0) faulty += 1;
        for (const word of [...verdict.crossed, ...verdict.faults]) words.push(`client ${String(number)}: ${word}`);
        if (crossings() > 0) firstCrossing ??= turns;
        onTurn?.(turns);
      },
    });
    while (begun < budget && !(stopsAtCrossing && crossings() > 0)) await client.runExchange();
  }

  await Promise.all(Array.from({ length: options.clients }, (_, number) => runClient(number)));
  words.push(...watch.crossed.slice(crossedBefore), ...watch.marked.slice(markedBefore));
  const marked = watch.marked.length - markedBefore;
  return { turns, crossed: crossings(), firstCrossing, words, faulty: faulty + marked };
}

/** API keys; some clients share one. */
export function createKeys(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `sk-isolation-${String(at).padStart(3, '0')}-0123456789abcdef`);
}
