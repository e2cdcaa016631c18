import type { RunningTap } from './run-taps.ts';

/** For a person: where each tap is and how `program` (`the agent server`) gets to it; the first line of each tap begins with its name. A configured password is never shown, a generated one only here. */
export function describeTaps(taps: readonly RunningTap[], program: string): readonly string[] {
  const width = Math.max(0, ...taps.map(({ name }) => name.length)) + 2;
  return taps.flatMap((tap) =>
    describeTap(tap, program).map((line, index) => `${(index === 0 ? tap.name : '').padEnd(width)}${line}`),
  );
}

function describeTap(tap: RunningTap, program: string): string[] {
  const { mode, url, upstream, hosts } = tap;
  if (mode === 'reverse') return [`reverse, ${url} -> ${upstream ?? ''}`, `set the model base URL of ${program} to ${url}`];
  const target = upstream === null ? '' : `, calls go to ${upstream}`;
  return [`forward, ${url}, leads to ${hosts.join(', ')} only${target}`, ...describeProxy(tap), ...describeCertificate(tap)];
}

function describeProxy({ name, url, credential, isCredentialGenerated }: RunningTap): string[] {
  if (!isCredentialGenerated || credential === null)
    return [`HTTPS_PROXY=${withUser(url, 'USER:PASSWORD')} as in taps.${name}.credential, percent-encoded`];
  const [user = '', ...rest] = credential.reveal().split(':');
  const shown = [user, rest.join(':')].map(encodeURIComponent).join(':');
  return [`HTTPS_PROXY=${withUser(url, shown)} (new at each start, unless taps.${name}.credential is set)`];
}

function describeCertificate({ certificateFile, certificateRenewal }: RunningTap): string[] {
  const line = `SSL_CERT_FILE=${certificateFile ?? ''} (Node: NODE_EXTRA_CA_CERTS)`;
  return certificateRenewal === null ? [line] : [line, `that certificate was made anew, because ${certificateRenewal}`];
}

function withUser(url: string, user: string): string {
  return url.replace('://', `://${user}@`);
}
