import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** An authority of our own and what it signs, made with the `openssl` binary in a temporary folder. */
export interface TestAuthority {
  /** PEM file of the authority. */
  readonly caFile: string;
  /** Signed by the authority for this subjectAltName: `IP:127.0.0.1`, `DNS:localhost`. Negative days: expired. */
  issue(subjectAltName: string, days?: number): TestCertificate;
  selfSigned(subjectAltName: string): TestCertificate;
  remove(): void;
}

export function createTestAuthority(): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-certificates-'));
  let count = 0;
  const run = (...args: string[]): unknown => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority', '-days', '2');

  return {
    caFile: join(folder, 'ca.pem'),
    issue(subjectAltName, days = 2) {
      const name = `issued-${String(++count)}`;
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${subjectAltName}\n`);
      run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=test');
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
      run(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        ...authority,
        '-out',
        `${name}.pem`,
        '-days',
        String(days),
        '-extfile',
        `${name}.ext`,
      );
      return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
    },
    selfSigned(subjectAltName) {
      const name = `self-${String(++count)}`;
      const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${subjectAltName}`, '-days', '2'];
      run('req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.pem`, ...subject);
      return { key: read(`${name}.key`), cert: read(`${name}.pem`) };
    },
    remove() {
      rmSync(folder, { recursive: true });
    },
  };
}
