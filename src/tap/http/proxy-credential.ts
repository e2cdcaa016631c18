import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../model/secret.ts';

/** Whether a `Proxy-Authorization` header carries the credential (`user:password`). Takes the same time wherever they differ. */
export function isProxyAuthorized(header: string | undefined, credential: Secret): boolean {
  const [, given] = /^basic +([a-z0-9+/_=-]+) *$/i.exec(header ?? '') ?? [];
  return given !== undefined && timingSafeEqual(digest(Buffer.from(given, 'base64')), digest(Buffer.from(credential.reveal())));
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
