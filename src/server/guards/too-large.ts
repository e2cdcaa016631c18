import { GatewayError } from '../../model/errors.ts';

/** The 413 of a body over the cap; `maxBytes` counts decompressed bytes. */
export function tooLarge(maxBytes: number): GatewayError {
  const mebibytes = String(Math.floor(maxBytes / 1024 / 1024));
  return new GatewayError(
    'request_too_large',
    `The request body is larger than this gateway accepts (${mebibytes} MiB after decompression).`,
  );
}
