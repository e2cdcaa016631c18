import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';

/**
 * Finds out whose request it is. Returns the owner of everything it may see; throws `invalid_api_key` 401. `queryKey`: the key that stands in the URL, where one may stand there.
 */
export type Authenticate = (headers: IncomingHttpHeaders, queryKey: string | null) => string;

/**
 * Keys are compared as SHA-256 digests, every one of them, in constant time: neither the length nor the number of matching characters shows. Without keys everybody is `local`
 * (the gateway then listens on loopback only).
 */
export function createAuthenticate(keys: readonly Secret[]): Authenticate {
  if (keys.length === 0) return () => 'local';
  const digests = keys.map((key) => digestOf(key.reveal()));
  return (headers, queryKey) => {
    const tokens = readKeys(headers, queryKey);
    if (tokens.length === 0) {
      const message =
        "You didn't provide an API key. Send it in an Authorization header: 'Authorization: Bearer YOUR_KEY' (or 'x-api-key', 'x-goog-api-key'). The gateway's keys are set in 'server.keys'.";
      throw new GatewayError('invalid_api_key', message);
    }
    let owner: string | undefined;
    for (const digest of tokens.map(digestOf)) {
      for (const known of digests) if (timingSafeEqual(digest, known)) owner ??= known.toString('hex').slice(0, 32);
    }
    if (owner === undefined)
      throw new GatewayError(
        'invalid_api_key',
        "Incorrect API key provided. It must be one of the gateway's own keys ('server.keys'), not a model provider's.",
      );
    return owner;
  };
}

/** Every SDK has a header of its own for the key, and some send a second one with a placeholder. */
function readKeys(headers: IncomingHttpHeaders, queryKey: string | null): readonly string[] {
  const found = [readBearer(headers.authorization), headers['x-api-key'], headers['x-goog-api-key'], queryKey];
  return found.flatMap((key) => (typeof key === 'string' && key !== '' ? [key] : []));
}

/** The key of `Bearer KEY`. */
export function readBearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** What keys are compared by: all digests have one length. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
