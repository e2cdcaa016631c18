import { nearestName } from '../lib/nearest-name.ts';
import type { Secret } from '../model/secret.ts';
import type { Flags } from './parse-command-line.ts';
import { parsePort, parseSecret, parseYesOrNo } from './parse-scalars.ts';
import { parseStoreUrl, storeUrlForm, type StoreAddress } from './parse-store-url.ts';
import { logLevels, type LogSettings } from './settings.ts';
import type { SettingsFault } from './settings-error.ts';
import type { Environment } from './substitute-variables.ts';

/** What flags and environment say; both stand above the configuration file. Null = not said. */
export interface Overrides {
  readonly config: string | null;
  readonly data: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly apiKey: Secret | null;
  readonly adminKey: Secret | null;
  readonly store: StoreAddress | null;
  readonly logLevel: LogSettings['level'] | null;
  readonly discovery: boolean | null;
}

const keyForm = 'ASCII without white space or control characters in it';

type AddFault = (fault: SettingsFault) => void;

/** Flags before environment. An empty variable counts as not set, except for a key: whoever sets that wants a locked door. */
export function readOverrides(flags: Flags, env: Environment, addFault: AddFault): Overrides {
  function read<T>(
    flag: string | undefined,
    variable: string,
    parse: (written: string) => T | undefined,
    expected: string,
  ): T | null {
    const written = (flag ?? env[variable] ?? '').trim();
    if (written === '') return null;
    const parsed = parse(written);
    if (parsed !== undefined) return parsed;
    addFault(
      flag === undefined
        ? { source: 'the environment', path: variable, message: `must be ${expected}` }
        : {
            source: 'the command line',
            path: `--${variable.replace('ANTIPHON_', '').toLowerCase()}`,
            message: `must be ${expected}`,
          },
    );
    return null;
  }
  const asWritten = (written: string): string => written;
  return {
    config: read(flags.config, 'ANTIPHON_CONFIG', asWritten, 'a path'),
    data: read(flags.data, 'ANTIPHON_DATA', asWritten, 'a path'),
    host: read(flags.host, 'ANTIPHON_HOST', asWritten, 'an address'),
    port: read(flags.port, 'ANTIPHON_PORT', parsePort, 'a port from 1 to 65535, or 0 for any free one'),
    apiKey: readApiKey(env, addFault),
    adminKey: read(undefined, 'ANTIPHON_ADMIN_KEY', parseSecret, keyForm),
    store: read(undefined, 'ANTIPHON_STORE_URL', parseStoreUrl, storeUrlForm),
    logLevel: read(undefined, 'ANTIPHON_LOG_LEVEL', parseLogLevel, `one of ${logLevels.join(', ')}`),
    discovery: read(undefined, 'ANTIPHON_DISCOVERY', parseYesOrNo, '1 or 0'),
  };
}

function readApiKey(env: Environment, addFault: AddFault): Secret | null {
  const written = env['ANTIPHON_API_KEY'];
  if (written === undefined) return null;
  const key = parseSecret(written);
  if (key !== undefined) return key;
  const message = written.trim() === '' ? 'is set but empty: give it a value, or unset it' : `must be ${keyForm}`;
  addFault({ source: 'the environment', path: 'ANTIPHON_API_KEY', message });
  return null;
}

function parseLogLevel(written: string): LogSettings['level'] | undefined {
  return logLevels.find((level) => level === written.toLowerCase());
}

const variables = ['CONFIG', 'DATA', 'HOST', 'PORT', 'API_KEY', 'ADMIN_KEY', 'STORE_URL', 'LOG_LEVEL', 'DISCOVERY'].map(
  (name) => `ANTIPHON_${name}`,
);

/** Variables that are nearly one of ours and that the file does not name: a mistyped `ANTIPHON_API_KEY` would otherwise leave the door open without a word. */
export function suspectVariables(env: Environment, fileText: string): readonly string[] {
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('ANTIPHON_') || variables.includes(name) || fileText.includes(name)) return [];
    const meant = nearestName(
      name.slice('ANTIPHON_'.length),
      variables.map((variable) => variable.slice('ANTIPHON_'.length)),
    );
    return meant === undefined ? [] : [`${name} is not a variable of this gateway; did you mean ANTIPHON_${meant}?`];
  });
}
