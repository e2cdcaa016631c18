/** One message of a Connect stream. */
export interface Envelope {
  /** Bit 0: compressed, bit 1: end of the stream. */
  readonly flags: number;
  readonly payload: Uint8Array;
}

const headerBytes = 5;

/** One message with its header: flags, length in four bytes (big-endian), UTF-8 text (backends.md A.1). */
export function encodeEnvelope(text: string, flags = 0): Uint8Array {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(flags, 0);
  header.writeUInt32BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

/** Takes messages out of a stream of bytes that may be cut anywhere. */
export class EnvelopeDecoder {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** `maxBytes`: cap of one payload. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether nothing of a further message has come: where a stream may end. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** The messages that are complete with these bytes. Throws a RangeError, at its header already, for a payload larger than the cap. */
  push(bytes: Uint8Array): readonly Envelope[] {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    const envelopes: Envelope[] = [];
    for (let size = this.#messageSize(); size !== null && this.#size >= size; size = this.#messageSize()) {
      const message = this.#take(size);
      envelopes.push({ flags: message.readUInt8(0), payload: message.subarray(headerBytes) });
    }
    return envelopes;
  }

  /** Bytes of the first message with its header; null when its header is not there yet. */
  #messageSize(): number | null {
    if (this.#size < headerBytes) return null;
    const [first] = this.#pieces;
    const length = (first !== undefined && first.length >= headerBytes ? toBuffer(first) : this.#join()).readUInt32BE(1);
    if (length > this.#maxBytes) throw new RangeError(`a message of ${length} bytes; ${this.#maxBytes} are allowed`);
    return headerBytes + length;
  }

  #take(size: number): Buffer {
    const all = this.#join();
    const rest = all.subarray(size);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return all.subarray(0, size);
  }

  /** What is here as one piece; copied only when it is several. */
  #join(): Buffer {
    const [first] = this.#pieces;
    const all = this.#pieces.length === 1 && first !== undefined ? toBuffer(first) : Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [all];
    return all;
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
