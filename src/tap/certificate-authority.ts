import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { GatewayError } from '../model/errors.ts';
import { encodeNameConstraints } from './certificate-authority-constraints.ts';
import {
  hasCode,
  loadAuthorityKey,
  openAuthorityFolder,
  replaceFile,
  toAuthorityFiles,
  writeOnce,
  type AuthorityFiles,
} from './certificate-authority-files.ts';
import type { Leaf } from './http/tunnel.ts';

/** Signs certificates for the hosts whose TLS a forward tap ends. */
export interface CertificateAuthority {
  /** PEM file that the agent server must be told to trust: `<directory>/ca.pem`. */
  readonly certificateFile: string;
  /** PEM. */
  readonly certificate: string;
  /** Why the certificate was made anew although there was one; null: it was not. Whoever trusts the old one must be told. */
  readonly renewal: string | null;
  /** A certificate for a host name or address, the same one until it must be renewed. */
  issueLeaf(host: string): Promise<Leaf>;
}

export interface CertificateAuthorityOptions {
  /** Absolute path; made when missing. */
  readonly directory: string;
  /** `host` or `host:port`: the only ones that the authority is good for. */
  readonly hosts: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const day = 24 * 60 * 60 * 1000;
/** A little less than a year, and beginning an hour ago: clocks differ. */
const authorityDays = 364;
const authorityRenewalDays = 30;
/** Some programs refuse certificates of more than 47 days. */
const leafDays = 30;
const leafRenewalDays = 10;
const clockSkew = 60 * 60 * 1000;

/**
 * Loads the authority from its folder, and makes what is missing, about to end, or not for exactly these hosts. The key stays, so programs that trust an older certificate go on trusting
 * what it permits. Throws GatewayError `storage_unavailable` when others could read or replace folder or key, or the folder cannot be used; its message says what to do.
 */
export async function openCertificateAuthority(options: CertificateAuthorityOptions): Promise<CertificateAuthority> {
  const { directory, hosts, now } = options;
  const nameConstraints = encodeNameConstraints(hosts);
  const files = toAuthorityFiles(directory);
  const { key, certificate, renewal } = await loadAuthority(files, { nameConstraints, now: now() }).catch((thrown: unknown) => {
    throw toFolderError(thrown, directory);
  });
  const end = Date.parse(new X509Certificate(certificate).validTo);
  const leaves = new LeafCache({ key, end, now });
  return { certificateFile: files.certificateFile, certificate, renewal, issueLeaf: (host) => leaves.get(host) };
}

async function loadAuthority(
  files: AuthorityFiles,
  wanted: Omit<WantedCertificate, 'key'>,
): Promise<Pick<CertificateAuthority, 'certificate' | 'renewal'> & { readonly key: KeyObject }> {
  await openAuthorityFolder(files.directory);
  const key = await loadAuthorityKey(files);
  return { key, ...(await loadCertificate(files, { key, ...wanted })) };
}

/** A system's error as something a person can act on. */
function toFolderError(thrown: unknown, directory: string): unknown {
  if (!(thrown instanceof Error) || !('syscall' in thrown) || !('code' in thrown)) return thrown;
  const message = `${directory} cannot be made, read or written (${String(thrown.code)}): choose another data folder with --data`;
  return new GatewayError('storage_unavailable', message, { cause: thrown });
}

interface WantedCertificate {
  readonly key: KeyObject;
  readonly nameConstraints: Uint8Array;
  readonly now: number;
}

async function loadCertificate(
  { certificateFile }: AuthorityFiles,
  wanted: WantedCertificate,
): Promise<Pick<CertificateAuthority, 'certificate' | 'renewal'>> {
  const known = await readCertificate(certificateFile);
  const fault = known === null ? null : findCertificateFault(known, wanted);
  if (known !== null && fault === null) return { certificate: known, renewal: null };
  const { issueAuthority } = await import('./certificate-authority-issuer.ts');
  const validity = { from: wanted.now - clockSkew, to: wanted.now - clockSkew + authorityDays * day };
  const fresh = await issueAuthority(wanted.key, wanted.nameConstraints, validity);
  if (fault === null) {
    // Another process may be as far as we are; then its certificate is everybody's.
    if (await writeOnce(certificateFile, fresh, 0o644)) return { certificate: fresh, renewal: null };
    const others = await readCertificate(certificateFile);
    if (others !== null && findCertificateFault(others, wanted) === null) return { certificate: others, renewal: null };
  }
  await replaceFile(certificateFile, fresh, 0o644);
  return { certificate: fresh, renewal: fault };
}

async function readCertificate(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return null;
    throw thrown;
  }
}

/** Why the certificate cannot be used any more; null: it can. */
function findCertificateFault(pem: string, { key, nameConstraints, now }: WantedCertificate): string | null {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return 'it could not be read';
  }
  if (!certificate.ca || !certificate.checkPrivateKey(key)) return 'it did not belong to its key';
  const start = Date.parse(certificate.validFrom);
  const end = Date.parse(certificate.validTo);
  if (end - now < authorityRenewalDays * day) return `it ends on ${new Date(end).toISOString().slice(0, 10)}`;
  if (start > now) return 'it is not valid yet';
  // The whole extension as it would be written: nothing else in a certificate of ours has these bytes.
  return certificate.raw.includes(Buffer.from(nameConstraints)) ? null : 'it was for other hosts';
}

interface LeafIssuer {
  readonly key: KeyObject;
  /** When the authority's own certificate ends. */
  readonly end: number;
  readonly now: () => number;
}

/** One certificate for each host, all with the same key, which is never written anywhere. */
class LeafCache {
  readonly #issuer: LeafIssuer;
  readonly #leaves = new Map<string, { readonly leaf: Promise<Leaf>; readonly renewAt: number }>();
  #leafKey: Promise<string> | null = null;

  constructor(issuer: LeafIssuer) {
    this.#issuer = issuer;
  }

  get(host: string): Promise<Leaf> {
    const name = host.toLowerCase();
    const { now, end } = this.#issuer;
    const known = this.#leaves.get(name);
    if (known !== undefined && now() < known.renewAt) return known.leaf;
    const to = Math.min(now() + leafDays * day, end);
    const leaf = this.#issue(name, to);
    this.#leaves.set(name, { leaf, renewAt: now() + (leafDays - leafRenewalDays) * day });
    leaf.catch(() => this.#leaves.delete(name));
    return leaf;
  }

  async #issue(host: string, to: number): Promise<Leaf> {
    const { issueServer } = await import('./certificate-authority-issuer.ts');
    const key = await (this.#leafKey ??= createLeafKey());
    const keys = { authority: this.#issuer.key, leaf: createPrivateKey(key) };
    return { key, cert: await issueServer(keys, host, { from: this.#issuer.now() - clockSkew, to }) };
  }
}

async function createLeafKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
