import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../model/secret.ts';

/** Whether a `Proxy-Authorization` header carries the credential (`user:password`). Takes the same time wherever they differ. */
export function isProxyAuthorized(header: string | undefined, credential: Secret): boolean {
  const [, given] = /^basic +([a-z0-9+/]+=*) *$/i.exec(header ?? '') ?? [];
  return given !== undefined && timingSafeEqual(digest(given), digest(Buffer.from(credential.reveal()).toString('base64')));
}

/** Of one length, as the comparison needs it. Some programs leave the padding out. */
function digest(base64: string): Uint8Array {
  return createHash('sha256').update(base64.replace(/=+$/, '')).digest();
}
