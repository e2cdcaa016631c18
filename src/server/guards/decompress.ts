import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { Readable } from 'node:stream';
import { GatewayError } from '../../model/errors.ts';
import { tooLarge } from './too-large.ts';
import { ZstdFrameCheck } from './zstd-frame-check.ts';

/**
 * Pieces of the body as the client meant them. `coding` is the request's `content-encoding`, lower case; unknown ones are a 415. Whoever reads them counts them too; `maxBytes` only bounds
 * what one piece of input can blow up to.
 */
export function decompress(body: Readable, coding: string, maxBytes: number): AsyncIterable<Uint8Array> {
  switch (coding) {
    case '':
    case 'identity':
      return keepOpen(body);
    case 'gzip':
    case 'x-gzip':
      return piped(body, createGunzip());
    case 'deflate':
      return piped(body, createInflate());
    case 'br':
      return piped(body, createBrotliDecompress());
    case 'zstd':
      return decompressZstd(body, maxBytes);
    default:
      throw new GatewayError(
        'unsupported_media_type',
        `The content encoding '${coding.slice(0, 40)}' is not supported. Use gzip, br, deflate or zstd, one of them.`,
      );
  }
}

/** Its pieces. Whoever stops reading does not destroy it: with a request that would close the connection before there is an answer. */
function keepOpen(body: Readable): AsyncIterable<Uint8Array> {
  // The cast: the requests of Node's HTTP server bring nothing but buffers.
  return body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

async function* piped(body: Readable, decoder: NodeJS.ReadWriteStream & AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const fail = (error: Error): void => void decoder.emit('error', error);
  body.once('error', fail);
  try {
    for await (const piece of body.pipe(decoder)) yield piece as Uint8Array;
  } catch (cause) {
    throw corrupt(cause);
  } finally {
    body.off('error', fail);
    body.unpipe(decoder);
  }
}

/** Node 20 has no zstd of its own. A few hundred bytes can hold many megabytes that come out at once, so the cap is checked where they come out. */
async function* decompressZstd(body: Readable, maxBytes: number): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  let size = 0;
  const decoder = new Decompress((piece) => {
    size += piece.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    ready.push(piece);
  });
  const frames = new ZstdFrameCheck();
  for await (const chunk of keepOpen(body)) {
    frames.check(chunk);
    push(decoder, chunk, false);
    yield* ready.splice(0);
  }
  push(decoder, new Uint8Array(0), true);
  yield* ready.splice(0);
}

function push(decoder: Decompress, bytes: Uint8Array, isLast: boolean): void {
  try {
    decoder.push(bytes, isLast);
  } catch (cause) {
    throw cause instanceof GatewayError ? cause : corrupt(cause);
  }
}

function corrupt(cause: unknown): GatewayError {
  return new GatewayError(
    'invalid_value',
    'The request body could not be decompressed: it does not match its content-encoding.',
    { cause },
  );
}
