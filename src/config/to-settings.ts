import { join } from 'node:path';
import type { Secret } from '../model/secret.ts';
import type { SettingsDocument } from './document-schema.ts';
import { findEnvironmentBackends, type EnvironmentBackends } from './find-environment-backends.ts';
import { isLoopback } from './parse-scalars.ts';
import { parseStoreUrl } from './parse-store-url.ts';
import { suspectVariables, type Overrides } from './read-overrides.ts';
import { resolvePath } from './resolve-path.ts';
import type { BackendSettings, RetentionSettings, ServerSettings, Settings, StoreSettings, TimeoutSettings } from './settings.ts';
import type { SettingsFault } from './settings-error.ts';
import type { Environment } from './substitute-variables.ts';
import { sendsSecretInClear, toBackendSettings } from './to-backend-settings.ts';
import { toModelSettings } from './to-model-settings.ts';
import { toRoutingSettings } from './to-routing-settings.ts';
import { checkTapPorts, toTapSettings, type CheckedTaps } from './to-tap-settings.ts';

export interface SettingsParts {
  readonly document: SettingsDocument;
  readonly overrides: Overrides;
  readonly env: Environment;
  /** Path of the configuration file, or null. */
  readonly file: string | null;
  /** Its text, or nothing. */
  readonly fileText: string;
  /** Where relative paths of flags and environment begin. */
  readonly workingDirectory: string;
  /** Where relative paths of the configuration file begin. */
  readonly fileDirectory: string;
  readonly homeDirectory: string;
}

const minute = 60_000;
const day = 24 * 60 * minute;
const gibibyte = 1_024 ** 3;

/** Checked parts → settings, with the defaults (docs/configuration.md). What can be seen wrong only now stands in `faults`. */
export function toSettings(parts: SettingsParts): { readonly settings: Settings; readonly faults: SettingsFault[] } {
  const { document, overrides, env, file } = parts;
  const dataDirectory = toDataDirectory(parts);
  const checked = toTaps(parts);
  const server = toServer(parts);
  const timeouts = toTimeouts(document);
  const configured = toConfiguredBackends(parts, timeouts);
  const discovery = overrides.discovery ?? document.discovery ?? true;
  const found = discovery
    ? findBackends(parts, { server, timeouts, configured: configured.backends })
    : { backends: [], remarks: [] };
  const backends = [...configured.backends, ...found.backends];
  const models = toModelSettings(document, { backends, discovery, source: file ?? '' });
  const settings: Settings = {
    configFile: file,
    dataDirectory,
    server,
    store: toStore(parts, dataDirectory),
    retention: toRetention(document),
    backends,
    taps: checked.taps,
    models: models.settings,
    routing: toRoutingSettings(document),
    timeouts,
    ...toSmallSections(parts),
    probesLocalServers: discovery,
    warnings: [...suspectVariables(env, parts.fileText), ...configured.warnings, ...checked.warnings, ...found.remarks],
  };
  const faults = [
    ...configured.faults,
    ...checked.faults,
    ...models.faults,
    ...checkTapPorts(checked.taps, server.port, file ?? ''),
    ...checkTotals(parts, timeouts),
    ...checkAdminKey(parts, server),
    ...checkExposure(parts, server),
  ];
  return { settings, faults };
}

/** What the section `taps` says; also for commands that need nothing else of the configuration. */
export function toTaps({ document, file, fileDirectory, homeDirectory }: SettingsParts): CheckedTaps {
  const resolveFile = (path: string): string => resolvePath(path, fileDirectory, homeDirectory);
  return toTapSettings(document.taps ?? {}, { source: file ?? '', resolveFile });
}

function findBackends(
  { env, document }: SettingsParts,
  { server, timeouts, configured }: { server: ServerSettings; timeouts: TimeoutSettings; configured: readonly BackendSettings[] },
): EnvironmentBackends {
  return findEnvironmentBackends({
    env,
    timeouts,
    configured,
    takenNames: new Set(Object.keys(document.backends ?? {})),
    isOwnKey: (key) => [...server.keys, server.adminKey].some((own) => own?.reveal() === key),
    ownPort: server.port,
  });
}

function toRetention({ store }: SettingsDocument): RetentionSettings {
  const { max_age: maxAge, max_bytes: maxBytes } = store?.retention ?? {};
  return {
    maxAgeMs: maxAge === undefined ? 30 * day : maxAge.limit,
    maxBytes: maxBytes === undefined ? gibibyte : maxBytes.limit,
  };
}

function toSmallSections({ document, overrides }: SettingsParts): Pick<Settings, 'keepAlive' | 'log' | 'envelopeKeys'> {
  const { keep_alive: keepAlive = {}, log = {}, envelope = {} } = document;
  return {
    keepAlive: { commentMs: keepAlive.comment ?? 15_000, eventMs: keepAlive.event ?? minute },
    log: { level: overrides.logLevel ?? log.level ?? 'info', content: log.content ?? false },
    envelopeKeys: envelope.keys ?? [],
  };
}

/** `--data`, else what the file says, else the place in the home directory. */
export function toDataDirectory({ document, overrides, workingDirectory, fileDirectory, homeDirectory }: SettingsParts): string {
  if (overrides.data !== null) return resolvePath(overrides.data, workingDirectory, homeDirectory);
  if (document.data !== undefined) return resolvePath(document.data, fileDirectory, homeDirectory);
  return join(homeDirectory, '.antiphon');
}

function toServer({ document, overrides }: SettingsParts): ServerSettings {
  const server = document.server ?? {};
  return {
    // `[::1]` is how IPv6 stands in a URL; sockets want it bare.
    host: (overrides.host ?? server.host ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'),
    port: overrides.port ?? server.port ?? 8_720,
    ...toKeys(overrides, server),
    allowedHosts: server.allowed_hosts ?? [],
    allowedOrigins: server.allowed_origins ?? [],
    maxBodyBytes: server.max_body_bytes ?? 32 * 1_024 ** 2,
    shutdownMs: server.shutdown ?? 10_000,
  };
}

function toKeys(overrides: Overrides, { keys = [], admin_key: adminKey }: NonNullable<SettingsDocument['server']>) {
  const ofEnvironment = overrides.apiKey === null ? [] : [overrides.apiKey];
  return { keys: withoutTwins([...ofEnvironment, ...keys]), adminKey: overrides.adminKey ?? adminKey ?? null };
}

function withoutTwins(keys: readonly Secret[]): readonly Secret[] {
  return keys.filter((key, index) => keys.findIndex((other) => other.reveal() === key.reveal()) === index);
}

/** A thinking model may be silent for minutes, and a local one may read a long prompt for minutes, so patience is the default. */
function toTimeouts({ timeouts = {} }: SettingsDocument): TimeoutSettings {
  return {
    connectMs: timeouts.connect ?? 10_000,
    firstByteMs: timeouts.first_byte ?? 5 * minute,
    idleMs: timeouts.idle ?? 5 * minute,
    totalMs: timeouts.total ?? 30 * minute,
    maxTotalMs: timeouts.max_total ?? Math.max(120 * minute, timeouts.total ?? 0),
  };
}

function toStore(parts: SettingsParts, dataDirectory: string): StoreSettings {
  const { document, overrides, workingDirectory, fileDirectory, homeDirectory } = parts;
  const written = document.store?.url === undefined ? undefined : parseStoreUrl(document.store.url);
  const address = overrides.store ?? written;
  if (address?.type === 'memory') return { type: 'memory' };
  const base = overrides.store === null ? fileDirectory : workingDirectory;
  return {
    type: 'sqlite',
    file: address === undefined ? join(dataDirectory, 'antiphon.db') : resolvePath(address.path, base, homeDirectory),
    synchronous: document.store?.synchronous ?? 'normal',
    busyTimeoutMs: document.store?.busy_timeout ?? 10_000,
  };
}

function toConfiguredBackends(parts: SettingsParts, timeouts: TimeoutSettings) {
  const { file, fileDirectory, homeDirectory, document } = parts;
  const backends: BackendSettings[] = [];
  const faults: SettingsFault[] = [];
  const warnings: string[] = [];
  for (const [name, entry] of Object.entries(document.backends ?? {})) {
    const resolveFile = (path: string): string => resolvePath(path, fileDirectory, homeDirectory);
    const origin = `from ${file ?? 'the configuration'}`;
    const backend = toBackendSettings(entry, { name, origin, timeouts, resolveFile });
    if (name === 'rehearsal' && backend.type !== 'rehearsal') {
      faults.push({
        source: file ?? '',
        path: 'backends.rehearsal',
        message: 'is the name of the built-in backend: choose another one',
      });
    } else backends.push(backend);
    faults.push(...checkTapName(backend, Object.keys(document.taps ?? {}), file ?? ''));
    if (sendsSecretInClear(backend))
      warnings.push(`backends.${name}: its key crosses the network unencrypted, because base_url is http://`);
  }
  return { backends, faults, warnings };
}

function checkTapName(backend: BackendSettings, names: readonly string[], source: string): SettingsFault[] {
  if (backend.type !== 'cascade' || backend.tap === null || names.includes(backend.tap)) return [];
  const message =
    names.length === 0
      ? `must name an entry of taps, and there is none: add taps.${backend.tap}`
      : `must name an entry of taps: there are ${names.join(', ')}`;
  return [{ source, path: `backends.${backend.name}.tap`, message }];
}

function checkTotals({ file }: SettingsParts, { totalMs, maxTotalMs }: TimeoutSettings): SettingsFault[] {
  if (totalMs <= maxTotalMs) return [];
  return [{ source: file ?? '', path: 'timeouts.max_total', message: 'must not be shorter than timeouts.total' }];
}

/** The admin key opens what a client's key must not open. */
function checkAdminKey({ file, overrides }: SettingsParts, { keys, adminKey }: ServerSettings): SettingsFault[] {
  if (adminKey === null || !keys.some((key) => key.reveal() === adminKey.reveal())) return [];
  const message = 'is an API key of clients too (server.keys, ANTIPHON_API_KEY): choose another one';
  return overrides.adminKey === null
    ? [{ source: file ?? '', path: 'server.admin_key', message }]
    : [{ source: 'the environment', path: 'ANTIPHON_ADMIN_KEY', message }];
}

/** Fail closed (reliability.md X03): without keys nobody but this machine may call. */
function checkExposure({ file, overrides }: SettingsParts, { host, keys }: ServerSettings): SettingsFault[] {
  if (keys.length > 0 || isLoopback(host)) return [];
  return [
    {
      source: overrides.host === null ? (file ?? '') : 'the command line or ANTIPHON_HOST',
      path: 'server.host',
      message:
        `other machines can reach ${host}, but no API key is set: set ANTIPHON_API_KEY (for example to the output of \`openssl rand -hex 32\`), ` +
        'add server.keys to the configuration, or listen on 127.0.0.1',
    },
  ];
}
