import { createDecodingSink, isKnownEncoding, type DecodingSink } from '../../backends/upstream/decode-content.ts';

/** Bytes of a body, decompressed, and when they came. */
export interface TimedPiece {
  readonly bytes: Uint8Array;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface CollectedBody {
  readonly pieces: readonly TimedPiece[];
  /** The source broke, its compression is corrupt, or not all of it is kept. */
  readonly isCut: boolean;
  /** Why not all of it is kept. */
  readonly note: string | null;
}

/** Bytes that many bodies may hold together. */
export interface MemoryBudget {
  /** False: there is no room for so many. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createMemoryBudget(capacity: number): MemoryBudget {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > capacity) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

export interface CollectorOptions {
  /** The `content-encoding`; one that is not known leaves the bytes as they are. */
  readonly encoding: string;
  /** Bytes of one body that are kept, decompressed. */
  readonly maxBytes: number;
  readonly budget: MemoryBudget;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Keeps the bytes of a body up to a limit; what comes after it is passed over. */
export class BodyCollector {
  /** Settles after `end` or `fail`; never rejects. */
  readonly whole: Promise<CollectedBody>;
  readonly #options: CollectorOptions;
  readonly #pieces: TimedPiece[] = [];
  readonly #decoder: DecodingSink | null;
  #resolve: (body: CollectedBody) => void = () => undefined;
  #size = 0;
  #note: string | null = null;
  #isOver = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.whole = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const encoding = options.encoding.trim().toLowerCase();
    this.#decoder = isKnownEncoding(encoding) ? this.#openDecoder(encoding) : null;
  }

  push(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return;
    if (this.#decoder === null) this.#keep(bytes);
    else this.#decoder.push(bytes);
  }

  end(): void {
    if (this.#decoder === null) this.#finish(false);
    else this.#decoder.end();
  }

  fail(): void {
    if (this.#decoder === null) this.#finish(true);
    else this.#decoder.fail(new Error('cut'));
  }

  /** The bytes are no longer needed. */
  release(): void {
    this.#options.budget.give(this.#size);
    this.#size = 0;
    this.#pieces.length = 0;
  }

  #openDecoder(encoding: string): DecodingSink {
    const target = {
      push: (chunk: Uint8Array) => {
        this.#keep(chunk);
        return true;
      },
      end: () => {
        this.#finish(false);
      },
      fail: () => {
        this.#finish(true);
      },
      cancel: () => undefined,
    };
    return createDecodingSink(encoding, target, {
      onRoom: () => undefined,
      onCorrupt: () => {
        this.#finish(true);
      },
    });
  }

  #keep(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { budget, maxBytes, now } = this.#options;
    const room = Math.min(bytes.length, maxBytes - this.#size);
    if (room > 0 && !budget.take(room)) {
      this.#stop(`cut after ${this.#size} bytes: too many answers at once`);
      return;
    }
    this.#size += room;
    // A copy: the piece may be a view into a far larger buffer, or one that is used again.
    if (room > 0) this.#pieces.push({ bytes: new Uint8Array(bytes.subarray(0, room)), at: now() });
    if (room < bytes.length) this.#stop(`cut after ${this.#size} bytes: longer than what is recorded`);
  }

  #stop(note: string): void {
    this.#note = note;
    this.#finish(true);
    this.#decoder?.cancel(new Error(note));
  }

  #finish(isCut: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#resolve({ pieces: this.#pieces, isCut, note: this.#note });
  }
}
