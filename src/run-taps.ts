import { randomBytes } from 'node:crypto';
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
  /** Breaks off what still runs through them. May be called twice. */
  close(): Promise<void>;
}

export interface TapsOptions {
  /** Its folder `tap` holds the certificate authority of forward taps. */
  readonly dataDirectory: string;
  /** What is done with the model calls of the tap of that name. */
  readonly intercept: (tapName: string) => Intercept;
  readonly recorder: ExchangeRecorder | null;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly onTrouble: (thrown: unknown) => void;
  /** What the certificate authority signs for, when other taps than these have it in common. */
  readonly authorityHosts?: readonly string[];
}

/** Starts all of them or none. Rejects with SettingsError when one cannot listen, and with the authority's GatewayError. The code of TLS is loaded only for forward taps. */
export async function startTaps(taps: readonly TapSettings[], options: TapsOptions): Promise<RunningTaps> {
  const { startTapServer } = await import('./tap/tap-server.ts');
  const needsAuthority = taps.some(({ mode }) => mode === 'forward');
  const hosts = options.authorityHosts ?? toAuthorityHosts(taps);
  const authority = needsAuthority ? await openAuthority(options.dataDirectory, hosts, options.now) : null;
  const servers: TapServer[] = [];
  const running: RunningTap[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    for (const settings of taps) {
      const { intercept, recorder, onTrouble } = options;
      const own = settings.mode === 'forward' ? authority : null;
      const server = await startTapServer({
        ...{ settings, recorder, onTrouble, randomBytes },
        authority: own,
        intercept: intercept(settings.name),
      });
      servers.push(server);
      running.push(toRunningTap(settings, server, own));
    }
  } catch (thrown) {
    await close();
    throw toStartFault(thrown, `taps.${taps[running.length]?.name ?? ''}.listen`);
  }
  return { taps: running, close };
}

function toRunningTap(settings: TapSettings, { url, credential }: TapServer, authority: CertificateAuthority | null): RunningTap {
  const { name, mode, upstream, hosts } = settings;
  return {
    ...{ name, mode, url, upstream, hosts },
    credential: credential === null ? null : new Secret(credential),
    isCredentialGenerated: mode === 'forward' && settings.credential === null,
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
    const message = 'there is no tap with `mode: forward`; a certificate authority is made only for the hosts of such a tap';
    throw new SettingsError([{ source: configFile ?? 'no configuration file', path: 'taps', message }]);
  }
  return openAuthority(dataDirectory, authorityHosts, now);
}

async function openAuthority(dataDirectory: string, hosts: readonly string[], now: () => number): Promise<CertificateAuthority> {
  const { openCertificateAuthority } = await import('./tap/certificate-authority.ts');
  return openCertificateAuthority({ directory: join(dataDirectory, 'tap'), hosts, now });
}

/** Taps that only write down what goes through them. Rejects when one cannot listen, or the folder of the recording cannot be made. */
export async function startRecordingTaps(
  { taps, recording, dataDirectory, authorityHosts }: RecordSettings,
  { now, onTrouble }: Pick<TapsOptions, 'now' | 'onTrouble'>,
): Promise<RunningTaps> {
  const { openExchangeRecorder } = await import('./tap/exchange-recorder.ts');
  const secrets = taps.flatMap(({ credential }) => (credential === null ? [] : [credential, toPassword(credential)]));
  const recorder = await openExchangeRecorder({ directory: recording, secrets, now, onTrouble }).catch((thrown: unknown) => {
    throw toFolderFault(thrown, '--record', `${recording} cannot be made or written to`);
  });
  const intercept: Intercept = () => ({ type: 'pass' });
  try {
    const options = { dataDirectory, authorityHosts, recorder, now, onTrouble, intercept: () => intercept };
    const running = await startTaps(taps, options);
    return {
      taps: running.taps,
      async close() {
        await running.close();
        await recorder.close();
      },
    };
  } catch (thrown) {
    await recorder.close();
    throw thrown;
  }
}

/** Programs repeat the password alone, too. */
function toPassword(credential: Secret): Secret {
  const written = credential.reveal();
  return new Secret(written.slice(written.indexOf(':') + 1));
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
