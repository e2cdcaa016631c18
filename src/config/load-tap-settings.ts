import { readFileParts, type SettingsSources } from './load-settings.ts';
import { checkFiles } from './check-files.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { parseListen, type ListenAddress } from './parse-host.ts';
import { isLoopback, parseBaseUrl } from './parse-scalars.ts';
import { resolvePath } from './resolve-path.ts';
import { SettingsError, type SettingsFault } from './settings-error.ts';
import type { TapSettings } from './settings.ts';
import { defaultTapListen, isExposed, toAuthorityHosts } from './to-tap-settings.ts';
import { toDataDirectory, toTaps } from './to-settings.ts';

/** What the taps need of the configuration. */
export interface TapCommandSettings {
  /** The configuration file that was read, or null. */
  readonly configFile: string | null;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly taps: readonly TapSettings[];
  /** Hosts of all configured forward taps, also of those that do not run: they have one certificate authority in common. */
  readonly authorityHosts: readonly string[];
}

export interface RecordSettings extends TapCommandSettings {
  /** Absolute path of the folder that the exchanges are written to. */
  readonly recording: string;
}

export interface ReplaySettings extends ListenAddress {
  /** Absolute path of the folder with the exchanges. */
  readonly recording: string;
  readonly timing: 'original' | 'none';
}

/**
 * For commands that run no gateway: only `data` and `taps` of the file are looked at, so that variables of backends need not be set. Throws SettingsError with
 * everything that is wrong.
 */
export async function loadTapSettings(sources: SettingsSources): Promise<TapCommandSettings> {
  const { parts, refuse } = await readFileParts(sources, ['data', 'taps']);
  const { taps, faults } = toTaps(parts);
  refuse([...faults, ...(await checkFiles({ backends: [], taps, configFile: parts.file }, sources.readFile))]);
  return { configFile: parts.file, dataDirectory: toDataDirectory(parts), taps, authorityHosts: toAuthorityHosts(taps) };
}

/** For `antiphon tap --record DIR`: the configured taps, one of them, or the one that `--upstream` makes up. Throws SettingsError. */
export async function loadRecordSettings(sources: SettingsSources): Promise<RecordSettings> {
  const { flags, faults } = parseCommandLine(sources.argv);
  if (faults.length > 0) throw new SettingsError(faults);
  const { workingDirectory, homeDirectory } = sources;
  const recording = resolvePath(flags.record ?? '.', workingDirectory, homeDirectory);
  const listen = flags.listen === undefined ? null : readListen(flags.listen);
  if (flags.upstream !== undefined) {
    const tap = makeTap(flags.upstream, listen ?? defaultTapListen);
    const { parts } = await readFileParts(withoutFile(sources), []);
    return { configFile: null, dataDirectory: toDataDirectory(parts), authorityHosts: [], recording, taps: [tap] };
  }
  const loaded = await loadTapSettings(sources);
  const chosen = chooseTaps(loaded, flags.tap);
  return { ...loaded, recording, taps: listen === null ? chosen : [moveTap(chosen, listen)] };
}

function withoutFile(sources: SettingsSources): SettingsSources {
  return { ...sources, env: { ...sources.env, ANTIPHON_CONFIG: undefined }, readFile: () => Promise.resolve(undefined) };
}

/** For `antiphon replay DIR`. Throws SettingsError. */
export function toReplaySettings({
  argv,
  workingDirectory,
  homeDirectory,
}: Pick<SettingsSources, 'argv' | 'workingDirectory' | 'homeDirectory'>): ReplaySettings {
  const { flags, faults } = parseCommandLine(argv);
  if (faults.length > 0) throw new SettingsError(faults);
  const { timing = 'none' } = flags;
  if (timing !== 'original' && timing !== 'none') throw wrongFlag('--timing', 'must be original or none');
  const { host, port } = flags.listen === undefined ? { host: '127.0.0.1', port: 8_722 } : readListen(flags.listen);
  if (!isLoopback(host)) throw wrongFlag('--listen', 'must be loopback: a replayed recording asks for no key');
  return { recording: resolvePath(flags.folder ?? '.', workingDirectory, homeDirectory), host, port, timing };
}

function makeTap(written: string, { host, port }: ListenAddress): TapSettings {
  const upstream = parseBaseUrl(written);
  if (upstream === undefined)
    throw wrongFlag('--upstream', 'must be an http:// or https:// address without user name, password, ? and #');
  const tap = {
    name: 'record',
    mode: 'reverse',
    host,
    port,
    upstream,
    upstreamCaFile: null,
    hosts: [],
    credential: null,
  } as const;
  return moveTap([tap], { host, port });
}

function chooseTaps({ taps, configFile }: TapCommandSettings, name: string | undefined): readonly TapSettings[] {
  if (taps.length === 0) {
    const message = 'there is no tap to record with: add one, or give --upstream URL of a model API';
    throw new SettingsError([{ source: configFile ?? 'no configuration file', path: 'taps', message }]);
  }
  if (name === undefined) return taps;
  const chosen = taps.filter((tap) => tap.name === name);
  if (chosen.length === 0)
    throw wrongFlag('--tap', `must name an entry of taps: there are ${taps.map((tap) => tap.name).join(', ')}`);
  return chosen;
}

function moveTap(taps: readonly TapSettings[], { host, port }: ListenAddress): TapSettings {
  const [tap, ...others] = taps;
  if (tap === undefined || others.length > 0) throw wrongFlag('--listen', 'is for one tap: say with --tap NAME which one');
  const moved = { ...tap, host, port };
  if (isExposed(moved))
    throw wrongFlag('--listen', `other machines can reach ${host}, and this tap has no password: listen on 127.0.0.1`);
  return moved;
}

function readListen(written: string): ListenAddress {
  const address = parseListen(written);
  if (address === undefined)
    throw wrongFlag('--listen', 'must be an address and a port such as 127.0.0.1:8721, or a port alone (0: any free one)');
  return address;
}

function wrongFlag(path: string, message: string): SettingsError {
  const fault: SettingsFault = { source: 'the command line', path, message };
  return new SettingsError([fault]);
}
