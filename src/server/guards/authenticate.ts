import { createHash, timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';

/** Finds out whose request it is. Returns the owner of everything it may see; throws `invalid_api_key` 401. */
export type Authenticate = (authorization: string | undefined) => string;

/**
 * Keys are compared as SHA-256 digests, every one of them, in constant time: neither the length nor the number of matching characters shows. Without keys everybody is `local`
 * (the gateway then listens on loopback only).
 */
export function createAuthenticate(keys: readonly Secret[]): Authenticate {
  if (keys.length === 0) return () => 'local';
  const digests = keys.map((key) => digestOf(key.reveal()));
  return (authorization) => {
    const token = readBearer(authorization);
    if (token === undefined) {
      const message =
        "You didn't provide an API key. Send it in an Authorization header: 'Authorization: Bearer YOUR_KEY'. The gateway's keys are set in 'server.keys'.";
      throw new GatewayError('invalid_api_key', message);
    }
    const digest = digestOf(token);
    let owner: string | undefined;
    for (const known of digests) if (timingSafeEqual(digest, known)) owner = known.toString('hex').slice(0, 32);
    if (owner === undefined)
      throw new GatewayError(
        'invalid_api_key',
        "Incorrect API key provided. It must be one of the gateway's own keys ('server.keys'), not a model provider's.",
      );
    return owner;
  };
}

/** The key of `Bearer KEY`. */
export function readBearer(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

/** What keys are compared by: all digests have one length. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
