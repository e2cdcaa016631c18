import 'reflect-metadata';
import { createHash, createPublicKey, randomBytes, webcrypto, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { nameConstraintsOid } from './certificate-authority-constraints.ts';

// Loading this file costs a good part of a second: only who makes certificates imports it, and late.

/** From when to when, in milliseconds since 1970. */
export interface Validity {
  readonly from: number;
  readonly to: number;
}

const serverAuthentication = '1.3.6.1.5.5.7.3.1';
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** The certificate of the authority itself, PEM: for no other hosts than the constraints permit, for nothing but servers, with no authorities below it. */
export async function issueAuthority(key: KeyObject, nameConstraints: Uint8Array, validity: Validity): Promise<string> {
  const publicKey = await importPublicKey(key);
  const name = authorityName(key);
  const certificate = await X509CertificateGenerator.create(
    {
      ...common(validity),
      subject: name,
      issuer: name,
      publicKey,
      signingKey: await importPrivateKey(key),
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
        new ExtendedKeyUsageExtension([serverAuthentication]),
        new Extension(nameConstraintsOid, true, nameConstraints),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString('pem')}\n`;
}

/** A certificate for one host, PEM. `leafKey`: whose key it certifies. */
export async function issueServer(
  keys: { authority: KeyObject; leaf: KeyObject },
  host: string,
  validity: Validity,
): Promise<string> {
  const certificate = await X509CertificateGenerator.create(
    {
      ...common(validity),
      // Not the issuer's name: such a certificate would count as issued by itself, and name constraints would not hold for it.
      subject: 'CN=Antiphon tap',
      issuer: authorityName(keys.authority),
      publicKey: await importPublicKey(keys.leaf),
      signingKey: await importPrivateKey(keys.authority),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([serverAuthentication]),
        new SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }]),
        await AuthorityKeyIdentifierExtension.create(await importPublicKey(keys.authority), false, webcrypto),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString('pem')}\n`;
}

function common({ from, to }: Validity) {
  return {
    serialNumber: toSerialNumber(randomBytes(16)),
    notBefore: new Date(from),
    notAfter: new Date(to),
    signingAlgorithm: signing,
  };
}

/** Positive, and without zeros in front (RFC 5280 §4.1.2.2). */
function toSerialNumber(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

/** From the key: of two certificates with the same key each is as good as the other, and two installations never have the same name. */
function authorityName(key: KeyObject): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return `CN=Antiphon tap CA ${createHash('sha256').update(spki).digest('hex').slice(0, 16)}`;
}

function importPublicKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return webcrypto.subtle.importKey('spki', spki, curve, true, ['verify']);
}

function importPrivateKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), curve, false, ['sign']);
}
