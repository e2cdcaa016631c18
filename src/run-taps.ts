import { randomBytes } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { describeListenError } from './config/describe-start-error.ts';
import type { RecordSettings, ReplaySettings, TapCommandSettings } from './config/load-tap-settings.ts';
import type { TapSettings } from './config/settings.ts';
import { SettingsError } from './config/settings-error.ts';
import { toAuthorityHosts } from './config/to-tap-settings.ts';
import { Secret } from './model/secret.ts';
import type { CertificateAuthority } from './tap/certificate-authority.ts';
import type { Intercept } from './tap/model-call.ts';
import type { ExchangeRecorder } from './tap/recorded-exchange.ts';
import type { ReplayServer } from './tap/replay-server.ts';
import type { TapServer } from './tap/tap-server.ts';
import { toPasswordSecrets } from './to-password-secrets.ts';

/** A tap that listens, for a person and for the start-up lines. */
export interface RunningTap {
  readonly name: string;
  readonly mode: TapSettings['mode'];
  /** `http://127.0.0.1:8721` */
  readonly url: string;
  readonly upstream: string | null;
  readonly hosts: readonly string[];
  /** `user:password` that it asks for; null in reverse mode. */
  readonly credential: Secret | null;
  /** Made up at this start: nobody knows it who is not told. */
  readonly isCredentialGenerated: boolean;
  /** Absolute path of the certificate that the agent server has to trust; null in reverse mode. */
  readonly certificateFile: string | null;
  /** Why that certificate was made anew at this start; null: it was not, or there was none. */
  readonly certificateRenewal: string | null;
}

export interface RunningTaps {
  readonly taps: readonly RunningTap[];
  /** Breaks off what still runs through them, and ends the recording. May be called twice. */
  close(): Promise<void>;
}

export interface TapsOptions {
  /** Its folder `tap` holds the certificate authority of forward taps. */
  readonly dataDirectory: string;
  /** What is done with the model calls of the tap of that name; asked once for each. */
  readonly intercept: (tapName: string) => Intercept;
  /** Opens what the taps write into; it must never write down the secrets it is given: their passwords, also those made up at this start. Null: nothing is written. */
  readonly openRecorder: ((secrets: readonly Secret[]) => Promise<ExchangeRecorder>) | null;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly onTrouble: (thrown: unknown) => void;
  /** What the certificate authority signs for, when other taps than these have it in common. */
  readonly authorityHosts?: readonly string[];
}

/** Starts all of them or none. Rejects with SettingsError when one cannot listen, with the authority's GatewayError, and with what kept the recorder from opening. The code of TLS is loaded only for forward taps. */
export async function startTaps(configured: readonly TapSettings[], options: TapsOptions): Promise<RunningTaps> {
  const { startTapServer } = await import('./tap/tap-server.ts');
  const needsAuthority = configured.some(({ mode }) => mode === 'forward');
  const hosts = options.authorityHosts ?? toAuthorityHosts(configured);
  const authority = needsAuthority ? await openAuthority(options.dataDirectory, hosts, options.now) : null;
  const taps = configured.map(withCredential);
  const recorder = (await options.openRecorder?.(taps.flatMap(({ credential }) => toPasswordSecrets(credential)))) ?? null;
  const servers: TapServer[] = [];
  const running: RunningTap[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await recorder?.close();
  };
  try {
    for (const settings of taps) {
      const { intercept, onTrouble } = options;
      const own = settings.mode === 'forward' ? authority : null;
      const server = await startTapServer({
        ...{ settings, recorder, onTrouble },
        authority: own,
        intercept: intercept(settings.name),
      });
      servers.push(server);
      running.push(toRunningTap(settings, server.url, own));
    }
  } catch (thrown) {
    await close();
    throw toStartFault(thrown, `taps.${taps[running.length]?.name ?? ''}.listen`);
  }
  return { taps: running, close };
}

/** A tap with everything it needs to start. */
interface ReadyTap extends TapSettings {
  readonly isCredentialGenerated: boolean;
}

/** A forward tap whose password nobody chose gets one for this process: it never runs without. */
function withCredential(tap: TapSettings): ReadyTap {
  if (tap.mode === 'reverse' || tap.credential !== null) return { ...tap, isCredentialGenerated: false };
  const credential = new Secret(`antiphon:${randomBytes(24).toString('base64url')}`);
  return { ...tap, credential, isCredentialGenerated: true };
}

function toRunningTap(tap: ReadyTap, url: string, authority: CertificateAuthority | null): RunningTap {
  const { name, mode, upstream, hosts, credential, isCredentialGenerated } = tap;
  return {
    ...{ name, mode, url, upstream, hosts, isCredentialGenerated },
    credential: mode === 'forward' ? credential : null,
    certificateFile: authority?.certificateFile ?? null,
    certificateRenewal: authority?.renewal ?? null,
  };
}

/** The certificate authority of the configured forward taps; made when it is not there yet. Rejects with SettingsError when there is no such tap, with the authority's GatewayError when its folder is not ours alone. */
export async function openTapAuthority(
  { configFile, dataDirectory, authorityHosts }: TapCommandSettings,
  now: () => number,
): Promise<Pick<CertificateAuthority, 'certificateFile' | 'renewal'>> {
  if (authorityHosts.length === 0) {
    const message =
      'there is no tap with `mode: forward`: add one, or name the file that has it with --config (a certificate authority is made for the hosts of such taps only)';
    throw new SettingsError([{ source: configFile ?? 'no configuration file', path: 'taps', message }]);
  }
  return openAuthority(dataDirectory, authorityHosts, now);
}

async function openAuthority(dataDirectory: string, hosts: readonly string[], now: () => number): Promise<CertificateAuthority> {
  const { openCertificateAuthority } = await import('./tap/certificate-authority.ts');
  return openCertificateAuthority({ directory: join(dataDirectory, 'tap'), hosts, now });
}

/** Taps that only write down what goes through them. Rejects when one cannot listen, or the folder of the recording cannot be made or written to. */
export async function startRecordingTaps(
  { taps, recording, dataDirectory, authorityHosts }: RecordSettings,
  { now, onTrouble }: Pick<TapsOptions, 'now' | 'onTrouble'>,
): Promise<RunningTaps> {
  const { openExchangeRecorder } = await import('./tap/exchange-recorder.ts');
  const openRecorder = async (secrets: readonly Secret[]): Promise<ExchangeRecorder> => {
    try {
      const recorder = await openExchangeRecorder({ directory: recording, secrets, now, onTrouble });
      await access(recording, constants.W_OK | constants.X_OK);
      return recorder;
    } catch (thrown) {
      throw toFolderFault(thrown, '--record', `${recording} cannot be made or written to`);
    }
  };
  const intercept: Intercept = () => ({ type: 'pass' });
  return startTaps(taps, { dataDirectory, authorityHosts, openRecorder, now, onTrouble, intercept: () => intercept });
}

/** A recording as an upstream. Rejects when the folder cannot be read, or it cannot listen. */
export async function startReplay({ recording, host, port, timing }: ReplaySettings): Promise<ReplayServer> {
  const { startReplayServer } = await import('./tap/replay-server.ts');
  try {
    return await startReplayServer({ directory: recording, host, port, timing });
  } catch (thrown) {
    throw toStartFault(toFolderFault(thrown, 'replay', `${recording} cannot be read`), '--listen');
  }
}

/** A socket's error as what is wrong with a setting; everything else as it is. */
function toStartFault(thrown: unknown, setting: string): unknown {
  const sentence = describeListenError(thrown, { port: setting, host: setting });
  return sentence === null ? thrown : new SettingsError([{ source: setting, path: '', message: sentence }]);
}

const folderCodes: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'EACCES', 'EEXIST', 'EPERM', 'EROFS', 'ENOSPC'];

/** A folder's error as what is wrong with an argument; everything else as it is. */
function toFolderFault(thrown: unknown, path: string, sentence: string): unknown {
  // A socket has an address, a folder has a path.
  if (!(thrown instanceof Error && 'code' in thrown && 'path' in thrown && folderCodes.includes(thrown.code))) return thrown;
  return new SettingsError([{ source: 'the command line', path, message: `${sentence} (${String(thrown.code)})` }]);
}
