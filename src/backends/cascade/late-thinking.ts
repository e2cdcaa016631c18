export interface LateThinkingOptions {
  readonly now: () => number;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Called when it is time to look again. */
  readonly onTime: () => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** A summary of the thinking has been seen to come 120 ms after the end of the run; nobody should wait much longer for nothing. */
const usualMs = 600;
/** The model is writing it right now. */
const longestMs = 3_000;

/** How long the end of a turn waits for thinking text that comes after everything else. */
export class LateThinking {
  readonly #options: LateThinkingOptions;
  #begunAt = -Infinity;

  constructor(options: LateThinkingOptions) {
    this.#options = options;
  }

  /** The turn is over but for its thinking. */
  begin(): void {
    const { now, wait, onTime, signal } = this.#options;
    this.#begunAt = now();
    for (const milliseconds of [usualMs, longestMs]) void wait(milliseconds, signal).then(onTime, onTime);
  }

  /** Whether it is worth waiting. `isBeingMade`: a model call that may bring it runs now. */
  mayCome(isBeingMade: boolean): boolean {
    return this.#options.now() - this.#begunAt < (isBeingMade ? longestMs : usualMs);
  }
}
