import { GatewayError } from '../../model/errors.ts';

/** How long a complete answer may take to end its HTTP message before its socket is given up. */
const releaseMs = 100;

/** The body of a turn: read with a short grace once the model is done, and let go in the way that suits the end. */
export class TurnSource {
  readonly #body: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #graceMs: number;
  #unread: Uint8Array[] = [];
  #grace: Promise<'over'> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isReleased = false;

  constructor(body: AsyncIterator<Uint8Array>, signal: AbortSignal, graceMs: number) {
    this.#body = body;
    this.#signal = signal;
    this.#graceMs = graceMs;
  }

  /** Puts back what was read to find out what it is. */
  unread(pieces: readonly Uint8Array[]): void {
    this.#unread = [...pieces];
  }

  /** The next bytes. For a `settled` turn the end of the grace and any break of the connection are the end too: nothing of the answer is missing. */
  read(settled: boolean): Promise<IteratorResult<Uint8Array>> {
    const value = this.#unread.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    return settled ? this.#readSettled() : this.#body.next();
  }

  /** Whatever else the message brings behind a complete answer. Nobody waits long for it: silence and a break of the connection are the end. */
  readTail(): Promise<IteratorResult<Uint8Array>> {
    return this.#readWithin(releaseMs);
  }

  /**
   * The answer is complete. The socket stays usable when the message ends now (it nearly always does, in the same read), so that the next call needs no new connection;
   * a server that keeps it open loses it. Nobody waits for this.
   */
  release(): void {
    this.#isReleased = true;
    const body = this.#body;
    const timer = setTimeout(() => void body.return?.(), releaseMs);
    const settle = (): void => {
      clearTimeout(timer);
      void body.return?.();
    };
    body.next().then(settle, settle);
  }

  /** Destroys the socket of an answer that was not read to its end. */
  close(): void {
    clearTimeout(this.#timer);
    if (!this.#isReleased) void this.#body.return?.();
  }

  #readSettled(): Promise<IteratorResult<Uint8Array>> {
    this.#grace ??= new Promise((resolve) => {
      this.#timer = setTimeout(resolve, this.#graceMs, 'over');
    });
    return this.#readUntil(this.#grace);
  }

  async #readWithin(milliseconds: number): Promise<IteratorResult<Uint8Array>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'over'>((resolve) => {
      timer = setTimeout(resolve, milliseconds, 'over');
    });
    try {
      return await this.#readUntil(late);
    } finally {
      clearTimeout(timer);
    }
  }

  async #readUntil(late: Promise<'over'>): Promise<IteratorResult<Uint8Array>> {
    try {
      const read = await Promise.race([this.#body.next(), late]);
      return read === 'over' ? { done: true, value: undefined } : read;
    } catch (thrown) {
      this.#signal.throwIfAborted();
      if (thrown instanceof GatewayError) return { done: true, value: undefined };
      throw thrown;
    }
  }
}
