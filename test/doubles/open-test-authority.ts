import { openCertificateAuthority, type CertificateAuthority } from '../../src/tap/certificate-authority.ts';
import { scratchFolder } from '../scratch-folder.ts';

/** A certificate authority for these hosts, in a folder that is gone when the tests of the file are over. */
export function openTestAuthority(hosts: readonly string[] = ['api.test']): Promise<CertificateAuthority> {
  return openCertificateAuthority({ directory: `${scratchFolder()}/tap`, hosts, now: Date.now });
}
