import { GatewayError } from '../../model/errors.ts';

/** RFC 8878 §3.1.1.1.2 recommends that everybody supports this window and nobody demands more. */
const maxWindow = 8 * 1024 * 1024;
/** The decoder moves its whole window with every block, however short: some tens of kilobytes of empty blocks would hold the process for minutes. */
const maxMovedBytes = 4 * 1024 ** 3;
const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;

/** Looks at the frame and block headers of a zstd body before the decoder does, and refuses what would cost it far more than the body is worth. Throws GatewayError `invalid_value`. */
export class ZstdFrameCheck {
  #unread: Uint8Array = new Uint8Array(0);
  /** Bytes until the next header. */
  #skip = 0;
  #expects: 'frame' | 'block' = 'frame';
  #window = 0;
  #checksumBytes = 0;
  #moved = 0;

  /** The next piece of the body. */
  check(piece: Uint8Array): void {
    const bytes = Buffer.concat([this.#unread, piece]);
    let at = 0;
    while (at + this.#skip < bytes.length) {
      at += this.#skip;
      this.#skip = 0;
      const rest = bytes.subarray(at);
      const size = this.#expects === 'frame' ? this.#readFrameHeader(rest) : this.#readBlockHeader(rest);
      if (size === null) {
        this.#unread = rest;
        return;
      }
      at += size;
    }
    this.#skip -= bytes.length - at;
    this.#unread = new Uint8Array(0);
  }

  /** Its length, or null when there is more of it to come. */
  #readFrameHeader(bytes: Buffer): number | null {
    if (bytes.length < 8) return null;
    const magic = bytes.readUInt32LE(0);
    if (magic !== frameMagic) {
      if (magic >>> 4 !== skippableMagic >>> 4) throw refused('it is no zstd');
      this.#skip = bytes.readUInt32LE(4);
      return 8;
    }
    const descriptor = bytes.readUInt8(4);
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
    const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const sizeAt = (isSingleSegment ? 5 : 6) + dictionaryBytes;
    if (bytes.length < sizeAt + sizeBytes) return null;
    this.#window = isSingleSegment ? readContentSize(bytes, sizeAt, sizeBytes) : readWindow(bytes.readUInt8(5));
    if (this.#window > maxWindow) throw refused('its window is larger than 8 MiB');
    this.#checksumBytes = (descriptor & 4) === 0 ? 0 : 4;
    this.#expects = 'block';
    return sizeAt + sizeBytes;
  }

  #readBlockHeader(bytes: Buffer): number | null {
    if (bytes.length < 3) return null;
    const header = bytes.readUIntLE(0, 3);
    const isRepeatedByte = ((header >> 1) & 3) === 1;
    this.#skip = isRepeatedByte ? 1 : header >> 3;
    if ((header & 1) === 1) {
      this.#skip += this.#checksumBytes;
      this.#expects = 'frame';
    }
    this.#moved += this.#window;
    if (this.#moved > maxMovedBytes) throw refused('it consists of too many small blocks');
    return 3;
  }
}

function readWindow(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function readContentSize(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function refused(reason: string): GatewayError {
  return new GatewayError('invalid_value', `The request body could not be decompressed: ${reason}.`);
}
