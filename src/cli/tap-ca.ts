import { loadTapSettings } from '../config/load-tap-settings.ts';
import { openTapAuthority } from '../run-taps.ts';
import type { CommandDeps } from './command-deps.ts';

/**
 * `antiphon tap ca`: the path of the forward taps' certificate authority on stdout and nothing else there, so that a shell can use it; made when it is not there yet. Throws SettingsError when
 * the configuration is wrong or has no forward tap.
 */
export async function printTapCa({ sources, now, print, complain }: CommandDeps): Promise<void> {
  const settings = await loadTapSettings(sources);
  const { certificateFile, renewal } = await openTapAuthority(settings, now);
  print(certificateFile);
  if (renewal !== null) complain(`it was made anew, because ${renewal}`);
  complain(`this authority signs for ${settings.authorityHosts.join(', ')} only. Let one process trust it, and no system store:`);
  complain(`SSL_CERT_FILE=${certificateFile} (Node: NODE_EXTRA_CA_CERTS, Python's requests: REQUESTS_CA_BUNDLE)`);
}
