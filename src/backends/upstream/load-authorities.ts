import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/**
 * Trusts Node's own authorities, those of `NODE_EXTRA_CA_CERTS`, which Node itself leaves out as soon as it is given any other, and those of the PEM file. Costs some
 * milliseconds: build it once. Throws when `caFile` cannot be read.
 */
export function loadAuthorities(caFile: string): SecureContext {
  return createSecureContext({ ca: [...rootCertificates, ...readExtraAuthorities(), readFileSync(caFile, 'utf8')] });
}

/** What cannot be read is passed over: Node has warned of it at its start. */
function readExtraAuthorities(): readonly string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'] ?? '';
  if (file === '') return [];
  try {
    const authorities = readFileSync(file, 'utf8');
    createSecureContext({ ca: authorities });
    return [authorities];
  } catch {
    return [];
  }
}
