/** What the queue tells the one who fills it. */
export interface ByteQueueOwner {
  /** The reader has come and there is nothing: from now on the model server keeps it waiting. */
  onWait(): void;
  /** The reader has taken everything after the queue had been full. */
  onDrained(): void;
  /** The reader goes before the end: free the source. */
  onStopped(): void;
}

type Read = IteratorResult<Uint8Array, undefined>;

/**
 * Bytes on their way from a source that pushes to a reader that pulls. What came between two reads (an HTTP library reports every HTTP chunk of a socket read by itself)
 * is handed over as one piece, so that the reader works once per read of the socket. A failure is thrown after everything that came before it has been read.
 */
export class ByteQueue implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #owner: ByteQueueOwner;
  readonly #capacity: number;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #wasFull = false;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #failure: unknown;
  #waiter: { resolve(read: Read): void; reject(reason: unknown): void } | null = null;
  #isFlushing = false;

  /** `capacity`: bytes from which `push` answers that it is enough for now. */
  constructor(capacity: number, owner: ByteQueueOwner) {
    this.#capacity = capacity;
    this.#owner = owner;
  }

  /** Whether a reader stands there with empty hands. */
  get isAwaited(): boolean {
    return this.#waiter !== null;
  }

  /** Adds bytes. False: the reader is behind, stop until `onDrained`. */
  push(chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || chunk.length === 0) return true;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#waiter !== null && !this.#isFlushing) {
      // Runs when the source has reported all it has, so that the reader gets it together.
      this.#isFlushing = true;
      queueMicrotask(() => {
        this.#flush();
      });
    }
    this.#wasFull ||= this.#size >= this.#capacity;
    return !this.#wasFull;
  }

  /** The source is complete. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#flush();
  }

  /** The source broke: the reader gets what is here, then `reason`. */
  fail(reason: unknown): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#failure = reason;
    this.#flush();
  }

  /** Nobody wants the rest: drops what is here; a reader gets `reason` at once. */
  cancel(reason: unknown): void {
    if (this.#state !== 'open') return;
    this.#chunks = [];
    this.#size = 0;
    this.#state = 'failed';
    this.#failure = reason;
    this.#flush();
  }

  next(): Promise<Read> {
    if (this.#size > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#state === 'ended') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      if (this.#state === 'failed') this.#flush();
      else this.#owner.onWait();
    });
  }

  return(): Promise<Read> {
    const wasOpen = this.#state === 'open';
    this.#state = 'ended';
    this.#chunks = [];
    this.#size = 0;
    this.#flush();
    if (wasOpen) this.#owner.onStopped();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #flush(): void {
    this.#isFlushing = false;
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    if (this.#size > 0) {
      waiter.resolve({ done: false, value: this.#take() });
    } else if (this.#state === 'failed') {
      this.#state = 'ended';
      waiter.reject(this.#failure);
    } else {
      waiter.resolve({ done: true, value: undefined });
    }
  }

  #take(): Uint8Array {
    const chunks = this.#chunks;
    const [only] = chunks;
    const all = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, this.#size);
    this.#chunks = [];
    this.#size = 0;
    if (this.#wasFull) {
      this.#wasFull = false;
      this.#owner.onDrained();
    }
    return all;
  }
}
