import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliDecompress, inflate, inflateRaw, unzip } from 'node:zlib';

/** Compressed and decompressed. */
const maxBodyBytes = 64 * 1024 * 1024;

const decoders = {
  unzip: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(unzip),
  inflate: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate),
  inflateRaw: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw),
  brotli: promisify<Uint8Array, { maxOutputLength: number }, Buffer>(brotliDecompress),
};

/** All bytes of a request's body; null when there are more than `maxBodyBytes`. Throws when the caller leaves before its end. */
export async function readCallBody(body: Readable): Promise<Uint8Array | null> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // Not destroyed at the break: that would close the connection before there is an answer.
  for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxBodyBytes) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

/** What became of a compressed body. `corrupt`: it is not what its encoding says. */
export type DecodedBody =
  { readonly type: 'decoded'; readonly body: Uint8Array } | { readonly type: 'corrupt' } | { readonly type: 'too-large' };

/** Decompresses a body whose encoding `isKnownEncoding`, or that has none (''). */
export async function decodeCallBody(body: Uint8Array, encoding: string): Promise<DecodedBody> {
  if (encoding === '' || body.length === 0) return { type: 'decoded', body };
  try {
    return { type: 'decoded', body: await findDecoder(body, encoding)(body, { maxOutputLength: maxBodyBytes }) };
  } catch (thrown) {
    const isTooLarge = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';
    return { type: isTooLarge ? 'too-large' : 'corrupt' };
  }
}

function findDecoder([first = 0]: Uint8Array, encoding: string): (typeof decoders)['unzip'] {
  if (encoding === 'br') return decoders.brotli;
  if (encoding !== 'deflate') return decoders.unzip;
  // `deflate` means zlib (RFC 9110 §8.4.1.2), yet some programs send the bare stream: its first byte never has 8 in the low half.
  return (first & 0x0f) === 8 ? decoders.inflate : decoders.inflateRaw;
}
