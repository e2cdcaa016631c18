import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../../model/errors.ts';
import type { Secret } from '../../model/secret.ts';
import { digestOf, readBearer } from './authenticate.ts';

/** Lets only the admin key through; throws `invalid_api_key` 401 for everything else, also for a key of a client. */
export type CheckAdminKey = (authorization: string | undefined) => void;

/** Compared as `createAuthenticate` does it: as digests, in constant time. */
export function createCheckAdminKey(adminKey: Secret): CheckAdminKey {
  const digest = digestOf(adminKey.reveal());
  return (authorization) => {
    const token = readBearer(authorization);
    if (token !== undefined && timingSafeEqual(digestOf(token), digest)) return;
    const message =
      "This route needs the gateway's admin key ('server.admin_key') in an Authorization header: 'Authorization: Bearer ADMIN_KEY'. An API key does not open it.";
    throw new GatewayError('invalid_api_key', message);
  };
}
