import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../../test/scratch-folder.ts';
import { encodeNameConstraints } from './certificate-authority-constraints.ts';
import { openCertificateAuthority, type CertificateAuthority } from './certificate-authority.ts';

const scratch = scratchFolder();
const day = 24 * 60 * 60 * 1000;
let count = 0;

function newFolder(): string {
  return join(scratch, `data-${String(++count)}`, 'tap');
}

function open(directory: string, hosts: readonly string[], now = Date.now): Promise<CertificateAuthority> {
  return openCertificateAuthority({ directory, hosts, now });
}

/** What `openssl verify` says of a certificate: '' when it is content. */
function verify(authority: CertificateAuthority, leaf: string): string {
  const file = join(scratch, `leaf-${String(++count)}.pem`);
  writeFileSync(file, leaf);
  try {
    execFileSync('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', authority.certificateFile, file], {
      stdio: 'pipe',
    });
    return '';
  } catch (thrown) {
    return String((thrown as { stderr?: Buffer }).stderr);
  }
}

function describeCertificate(pem: string): string {
  return execFileSync('openssl', ['x509', '-noout', '-text'], { input: pem }).toString();
}

test('it is an authority for the hosts alone, for at most a year, and lies where nobody else can read its key', async () => {
  const directory = newFolder();
  const authority = await open(directory, ['api.test:8443', '127.0.0.1', '[::1]:443']);
  expect(authority.certificateFile).toBe(join(directory, 'ca.pem'));
  expect(readFileSync(authority.certificateFile, 'utf8')).toBe(authority.certificate);
  expect(authority.renewal).toBe(null);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, 'ca-key.pem')).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory).sort()).toEqual(['ca-key.pem', 'ca.pem']);
  const text = describeCertificate(authority.certificate);
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  expect(text).toMatch(/Key Usage: critical\s+Certificate Sign\n/);
  expect(text).toMatch(
    /Name Constraints: critical\s+Permitted:\s+DNS:api.test\s+IP:127.0.0.1\/255.255.255.255\s+IP:0:0:0:0:0:0:0:1\/(FFFF:?){8}\s/,
  );
  expect(text).toContain('ASN1 OID: prime256v1');
  const { validFrom, validTo } = new X509Certificate(authority.certificate);
  expect(Date.parse(validTo) - Date.parse(validFrom)).toBeLessThanOrEqual(365 * day);
});

describe('openssl accepts leaves of the hosts and no others', () => {
  const cases: readonly [hosts: readonly string[], good: readonly string[], bad: readonly string[]][] = [
    [['api.test'], ['api.test', 'API.test'], ['other.test', 'xapi.test', '127.0.0.1', '::1']],
    [['127.0.0.1'], ['127.0.0.1'], ['127.0.0.2', 'api.test', 'localhost', '::1']],
    [['2001:db8::1:0:2'], ['2001:db8::1:0:2'], ['2001:db8::1:0:3', '127.0.0.1', 'api.test']],
    [
      ['a.test', 'localhost:1', '10.0.0.1', '::1'],
      ['a.test', 'localhost', '10.0.0.1', '::1'],
      ['b.test', '10.0.0.2', '::2'],
    ],
  ];
  test.each(cases)('%j', async (hosts, good, bad) => {
    const authority = await open(newFolder(), hosts);
    for (const host of good) expect(verify(authority, (await authority.issueLeaf(host)).cert), host).toBe('');
    for (const host of bad)
      expect(verify(authority, (await authority.issueLeaf(host)).cert), host).toMatch(/(permitted|excluded) subtree violation/);
  });

  test('nor those of another installation', async () => {
    const [one, other] = await Promise.all([open(newFolder(), ['api.test']), open(newFolder(), ['api.test'])]);
    expect(verify(one, (await other.issueLeaf('api.test')).cert)).toMatch(/unable to get local issuer certificate/);
    expect(new X509Certificate(one.certificate).subject).not.toBe(new X509Certificate(other.certificate).subject);
  });
});

test('it needs hosts, and they must be hosts', () => {
  expect(() => encodeNameConstraints([])).toThrow(/without hosts/);
  expect(() => encodeNameConstraints(['a b'])).toThrow(/'a b'/);
});

describe('a leaf', () => {
  test('is made once for a host, and anew before it ends', async () => {
    let now = Date.now();
    const authority = await open(newFolder(), ['api.test', 'b.test'], () => now);
    const first = await authority.issueLeaf('api.test');
    expect(await authority.issueLeaf('API.TEST')).toBe(first);
    const other = await authority.issueLeaf('b.test');
    expect(other.cert).not.toBe(first.cert);
    expect(other.key).toBe(first.key);
    const end = Date.parse(new X509Certificate(first.cert).validTo);
    expect(end - now).toBeLessThanOrEqual(47 * day);
    now = end - day;
    const second = await authority.issueLeaf('api.test');
    expect(Date.parse(new X509Certificate(second.cert).validTo)).toBeGreaterThan(end);
    expect(new X509Certificate(second.cert).serialNumber).not.toBe(new X509Certificate(first.cert).serialNumber);
  });

  test('never outlives its authority', async () => {
    let now = Date.now();
    const authority = await open(newFolder(), ['api.test'], () => now);
    now = Date.parse(new X509Certificate(authority.certificate).validTo) - day;
    const { cert } = await authority.issueLeaf('api.test');
    expect(Date.parse(new X509Certificate(cert).validTo)).toBe(now + day);
  });
});

describe('the next start', () => {
  test('finds what is there', async () => {
    const directory = newFolder();
    const first = await open(directory, ['a.test', 'b.test']);
    const second = await open(directory, ['b.test', 'a.test:443']);
    expect(second.certificate).toBe(first.certificate);
    expect(second.renewal).toBe(null);
    expect(verify(first, (await second.issueLeaf('a.test')).cert)).toBe('');
  });

  test.each([
    ['about to end', ['a.test'], 340, /it ends on/],
    ['at an end', ['a.test'], 400, /it ends on/],
    ['for fewer hosts', ['a.test', 'b.test'], 0, /other hosts/],
    ['for more hosts', ['b.test'], 0, /other hosts/],
  ])('makes one anew that is %s, with the same key, and says so', async (_name, hosts, days, reason) => {
    const directory = newFolder();
    const now = Date.now();
    const first = await open(directory, _name === 'for more hosts' ? ['a.test', 'b.test'] : ['a.test'], () => now);
    const second = await open(directory, hosts, () => now + days * day);
    expect(second.renewal).toMatch(reason);
    expect(second.certificate).not.toBe(first.certificate);
    expect(readFileSync(second.certificateFile, 'utf8')).toBe(second.certificate);
    const keys = [first, second].map(({ certificate }) =>
      new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }),
    );
    expect(keys[0]).toBe(keys[1]);
  });

  test('makes one anew that is broken, missing, or of another key', async () => {
    const directory = newFolder();
    const first = await open(directory, ['a.test']);
    writeFileSync(first.certificateFile, 'nonsense');
    expect((await open(directory, ['a.test'])).renewal).toMatch(/could not be read/);
    rmSync(join(directory, 'ca-key.pem'));
    expect((await open(directory, ['a.test'])).renewal).toMatch(/did not belong to its key/);
    rmSync(first.certificateFile);
    const last = await open(directory, ['a.test']);
    expect(last.renewal).toBe(null);
    expect(verify(last, (await last.issueLeaf('a.test')).cert)).toBe('');
  });
});

test('several starts at once end up with one authority', async () => {
  const directory = newFolder();
  const all = await Promise.all(Array.from({ length: 8 }, () => open(directory, ['a.test'])));
  expect(new Set(all.map(({ certificate }) => certificate)).size).toBe(1);
  expect(readdirSync(directory).sort()).toEqual(['ca-key.pem', 'ca.pem']);
  for (const authority of all) expect(verify(authority, (await authority.issueLeaf('a.test')).cert)).toBe('');
});

describe('it does not start', () => {
  async function refusal(directory: string): Promise<unknown> {
    const error = await open(directory, ['a.test']).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    return error;
  }

  test.each([0o640, 0o604, 0o620])('with a key of mode %o', async (mode) => {
    const directory = newFolder();
    await open(directory, ['a.test']);
    chmodSync(join(directory, 'ca-key.pem'), mode);
    const message = `${join(directory, 'ca-key.pem')} can be read or changed by others: run \`chmod 600 ${join(directory, 'ca-key.pem')}\``;
    expect(await refusal(directory)).toMatchObject({ code: 'storage_unavailable', message });
  });

  test.each([0o750, 0o705, 0o770])('in a folder of mode %o', async (mode) => {
    const directory = newFolder();
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, mode);
    expect(await refusal(directory)).toMatchObject({ message: expect.stringContaining(`chmod 700 ${directory}`) as string });
    expect(existsSync(join(directory, 'ca-key.pem'))).toBe(false);
  });

  test('with a key or a folder that is a link, or a key that is none', async () => {
    const directory = newFolder();
    await open(directory, ['a.test']);
    const key = join(directory, 'ca-key.pem');
    writeFileSync(key, 'nonsense');
    expect(await refusal(directory)).toMatchObject({ message: expect.stringContaining('holds no P-256 key') as string });
    rmSync(key);
    symlinkSync('/dev/null', key);
    expect(await refusal(directory)).toMatchObject({ message: `${key} is not a file` });
    const link = `${directory}-link`;
    symlinkSync(directory, link);
    expect(await refusal(link)).toMatchObject({ message: expect.stringContaining('is not a folder') as string });
    expect(await refusal(join(key, 'below'))).toMatchObject({ message: expect.stringContaining('ENOTDIR') as string });
  });
});
