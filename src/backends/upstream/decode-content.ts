import { constants, createBrotliDecompress, createInflate, createInflateRaw, createUnzip } from 'node:zlib';
import type { Transform } from 'node:stream';

/** Takes the bytes of a body in the order of arrival. */
export interface ByteSink {
  /** False: it is enough for now. Whoever said so calls back when there is room. */
  push(chunk: Uint8Array): boolean;
  end(): void;
  /** The source broke. What came before still goes on its way, `reason` comes after it. */
  fail(reason: unknown): void;
  /** Nobody wants the rest. */
  cancel(reason: unknown): void;
}

export interface DecodingOwner {
  /** There is room again after `push` said that there is none. */
  onRoom(): void;
  /** The bytes are not what `content-encoding` says. */
  onCorrupt(cause: Error): void;
}

export interface DecodingSink extends ByteSink {
  /** The target has room again. */
  resume(): void;
}

/** Whether `createDecodingSink` knows this `content-encoding`. */
export function isKnownEncoding(encoding: string): boolean {
  return ['gzip', 'x-gzip', 'deflate', 'br'].includes(encoding);
}

/**
 * Decompresses on the way into `target`. We ask for no compression (small events gain nothing), but some proxies compress all the same.
 * Back-pressure goes through, so that a bomb fills the target's capacity and not the memory.
 */
export function createDecodingSink(encoding: string, target: ByteSink, owner: DecodingOwner): DecodingSink {
  let decoder: Transform | undefined;
  let failure: { readonly reason: unknown } | undefined;

  function openDecoder(first: Uint8Array): Transform {
    const opened = createDecoder(encoding, first);
    opened.on('data', (chunk: Buffer) => {
      if (!target.push(chunk)) opened.pause();
    });
    opened.on('drain', () => {
      owner.onRoom();
    });
    opened.on('error', (cause) => {
      if (failure === undefined) owner.onCorrupt(cause);
      else target.fail(failure.reason);
    });
    return opened.on('end', () => {
      if (failure === undefined) target.end();
      else target.fail(failure.reason);
    });
  }

  return {
    push: (chunk) => (decoder ??= openDecoder(chunk)).write(chunk),
    end() {
      if (decoder === undefined) target.end();
      else decoder.end();
    },
    fail(reason) {
      failure = { reason };
      if (decoder === undefined) target.fail(reason);
      else decoder.end();
    },
    cancel(reason) {
      decoder?.destroy();
      target.cancel(reason);
    },
    resume() {
      decoder?.resume();
    },
  };
}

function createDecoder(encoding: string, first: Uint8Array): Transform {
  // A sync flush at the end delivers what a cut stream still held instead of throwing it away.
  if (encoding === 'br') {
    return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH });
  }
  const options = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
  if (encoding !== 'deflate') return createUnzip(options);
  // `deflate` means zlib (RFC 9110 §8.4.1.2), yet some servers send the bare stream: its first byte never has 8 in the low half.
  return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate(options) : createInflateRaw(options);
}
