import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../model/errors.ts';
import { checkJsonShape } from './check-json-shape.ts';
import { decompress } from './decompress.ts';
import { tooLarge } from './too-large.ts';

/** A JSON text and what it says. */
export interface JsonSource {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}

/**
 * The parsed JSON body: content type, declared length, decompression under a cap, byte pre-scan, UTF-8, JSON – in this order, so that nothing costly happens to a body that is refused. An empty
 * body is `undefined`. Errors: 415, 413, 400 (protocol.md §1.8).
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  return (await readJsonSource(request, maxBytes)).value;
}

/** The same, with the bytes that were parsed. */
export async function readJsonSource(request: IncomingMessage, maxBytes: number): Promise<JsonSource> {
  const { headers } = request;
  if (
    headers['content-length'] === '0' ||
    (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
  )
    return { value: undefined, bytes: new Uint8Array(0) };
  checkContentType(headers['content-type']);
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await readAll(decompress(request, (headers['content-encoding'] ?? '').trim().toLowerCase(), maxBytes), maxBytes);
  checkJsonShape(bytes);
  return { value: parse(bytes), bytes };
}

function checkContentType(contentType: string | undefined): void {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  const got = contentType === undefined ? 'none was sent' : `got '${contentType.slice(0, 80)}'`;
  throw new GatewayError('unsupported_media_type', `The request body must have the content type 'application/json'; ${got}.`);
}

async function readAll(pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    read.push(piece);
  }
  return read.length === 1 && read[0] !== undefined ? read[0] : Buffer.concat(read, size);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    const message =
      'We could not parse the JSON body of your request. The gateway expects a JSON object in UTF-8; check for a missing quote, comma or bracket.';
    throw new GatewayError('invalid_json', message, { cause });
  }
}
