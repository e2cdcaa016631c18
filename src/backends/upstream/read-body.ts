import { GatewayError } from '../../model/errors.ts';
import type { HttpFailure } from './map-http-error.ts';
import type { UpstreamAnswer } from './upstream-client.ts';

const maxFailureBytes = 64 * 1024;
/** The largest unstreamed answer, decompressed. */
const maxBodyBytes = 64 * 1024 * 1024;

/** A failed answer with at most 64 KiB of its body; what breaks while reading it is of no interest, except that the caller left (throws the signal's reason). */
export async function readFailure(answer: UpstreamAnswer, signal: AbortSignal): Promise<HttpFailure> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of answer.body) {
      pieces.push(piece);
      size += piece.length;
      if (size >= maxFailureBytes) break;
    }
  } catch {
    // The status alone says enough.
    signal.throwIfAborted();
  }
  const bytes = Buffer.concat(pieces, size).subarray(0, maxFailureBytes);
  return { status: answer.status, headers: answer.headers, body: bytes.toString('utf8') };
}

/** Reads all of a body that is not streamed. Beyond 64 MiB the socket is destroyed; throws `upstream_invalid_response` then or when it is not UTF-8. */
export async function readText(first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): Promise<string> {
  return decodeBody(await readBytes(first, rest));
}

/** The same, as bytes. */
export async function readBytes(first: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const pieces = [...first];
  let size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (let read = await rest.next(); read.done !== true; read = await rest.next()) {
    pieces.push(read.value);
    size += read.value.length;
    if (size <= maxBodyBytes) continue;
    await rest.return?.();
    throw new GatewayError('upstream_invalid_response', `The model server's answer is larger than ${maxBodyBytes} bytes.`);
  }
  return Buffer.concat(pieces, size);
}

/** Throws `upstream_invalid_response` when it is not UTF-8. */
export function decodeBody(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new GatewayError('upstream_invalid_response', "The model server's answer is not UTF-8.", { cause });
  }
}
