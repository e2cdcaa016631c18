/** One piece of an answer's body, exactly as it came. */
export interface RawFrame {
  /** With everything that stands between it and the frame before. */
  readonly bytes: Uint8Array;
  /** Where the frame itself begins; a separator in front of it is not its own. */
  readonly start: number;
  /** The text that should be JSON; null: the frame has none. */
  readonly json: string | null;
}

/**
 * How the chunks of an answer stand in its body. Synchronous and without I/O. `split` parts the body wherever its reads were cut, always into the same frames; `join` puts it together
 * again, and gives the input when every frame is passed.
 */
export interface FrameFormat {
  /** The next bytes of the body. Throws FrameTooLargeError when one frame does not end. */
  split(bytes: Uint8Array): readonly RawFrame[];
  /** The body is over: what is still open. Called exactly once. */
  splitEnd(): readonly RawFrame[];
  /** The bytes of the frame; with other JSON in the same framing; without the frame (null). Every frame must be joined, in order. */
  join(frame: RawFrame, change: FrameChange): Uint8Array;
  /** More JSON texts, and what closes the body. Called exactly once. */
  joinEnd(more: readonly string[]): Uint8Array;
}

/** `pass`: as it came. `leave-out`: nothing of it. Else the JSON text that replaces its own. */
export type FrameChange =
  { readonly type: 'pass' } | { readonly type: 'leave-out' } | { readonly type: 'replace'; readonly json: string };

/** A frame that is larger than we are willing to hold. */
export class FrameTooLargeError extends Error {
  override readonly name = 'FrameTooLargeError';

  constructor(maxBytes: number) {
    super(`one frame of the answer is larger than ${String(maxBytes)} bytes`);
  }
}

/** Bytes that wait for the end of their frame. */
export class PendingBytes {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Throws FrameTooLargeError. */
  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) throw new FrameTooLargeError(this.#maxBytes);
  }

  /** All of them, in one piece; none are left. */
  take(): Uint8Array {
    const all = joinBytes(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    return all;
  }
}

/** One array of bytes; the only piece itself when there is just one. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The text of bytes, as the agent server will read them: what is not UTF-8 becomes U+FFFD. A byte order mark in front is dropped. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const decoder = new TextDecoder();
const utf8 = new TextEncoder();

/** UTF-8 of a text. */
export function encodeText(text: string): Uint8Array {
  return utf8.encode(text);
}
