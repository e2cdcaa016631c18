import { dirname, join } from 'node:path';
import type { SettingsDocument } from './document-schema.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { readOverrides, type Overrides } from './read-overrides.ts';
import { resolvePath } from './resolve-path.ts';
import type { Settings } from './settings.ts';
import { SettingsError, type SettingsFault } from './settings-error.ts';
import type { Environment } from './substitute-variables.ts';
import { toSettings } from './to-settings.ts';

/** Everything settings are made of; nothing is read behind its back. */
export interface SettingsSources {
  /** Arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly workingDirectory: string;
  readonly homeDirectory: string;
  /** The text of a file; undefined when there is none. Throws when it is there but cannot be read. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Settings from flags, environment and configuration file; the earlier one wins, defaults come last. Throws SettingsError with everything that is wrong, so that
 * nobody has to start five times to find five mistakes.
 */
export async function loadSettings(sources: SettingsSources): Promise<Settings> {
  const { env, workingDirectory, homeDirectory } = sources;
  const { flags, faults: flagFaults } = parseCommandLine(sources.argv);
  const faults: SettingsFault[] = [...flagFaults];
  const overrides = readOverrides(flags, env, (fault) => faults.push(fault));
  const file = await findConfigFile(sources, overrides, (fault) => faults.push(fault));
  const document = file === null ? {} : await readFileDocument(file, env, faults);
  if (faults.length > 0) throw new SettingsError(faults);
  const { settings, faults: lateFaults } = toSettings({
    document,
    overrides,
    env,
    file: file?.path ?? null,
    fileText: file?.text ?? '',
    workingDirectory,
    fileDirectory: file === null ? workingDirectory : dirname(file.path),
    homeDirectory,
  });
  lateFaults.push(...(await checkCaFiles(settings, sources)));
  if (lateFaults.length > 0) throw new SettingsError(lateFaults);
  return settings;
}

/** YAML and schema library are loaded only when there is a file: together they take a fifth of the time to start. */
async function readFileDocument(file: ConfigFile, env: Environment, faults: SettingsFault[]): Promise<SettingsDocument> {
  const { readDocument } = await import('./read-document.ts');
  try {
    return readDocument(file.text, file.path, env);
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    faults.push(...thrown.faults);
    return {};
  }
}

async function findConfigFile(
  { workingDirectory, homeDirectory, readFile }: SettingsSources,
  overrides: Overrides,
  addFault: (fault: SettingsFault) => void,
): Promise<ConfigFile | null> {
  const named = overrides.config === null ? null : resolvePath(overrides.config, workingDirectory, homeDirectory);
  const candidates =
    named === null ? [join(workingDirectory, 'antiphon.yaml'), join(homeDirectory, '.antiphon', 'antiphon.yaml')] : [named];
  for (const path of candidates) {
    try {
      const text = await readFile(path);
      if (text !== undefined) return { path, text };
      if (named !== null) addFault({ source: path, path: '', message: 'there is no such file' });
    } catch (thrown) {
      addFault({ source: path, path: '', message: `this file cannot be read (${reasonOf(thrown)})` });
      return null;
    }
  }
  return null;
}

/** A wrong path would otherwise show only at the first call, as a TLS error. */
async function checkCaFiles(settings: Settings, { readFile }: SettingsSources): Promise<SettingsFault[]> {
  const faults: SettingsFault[] = [];
  for (const backend of settings.backends) {
    if (backend.type === 'rehearsal' || backend.caFile === null) continue;
    const text = await readFile(backend.caFile).catch(() => undefined);
    if (text?.includes('-----BEGIN CERTIFICATE-----') === true) continue;
    const message = `${backend.caFile} ${text === undefined ? 'cannot be read' : 'holds no PEM certificate'}`;
    faults.push({ source: settings.configFile ?? '', path: `backends.${backend.name}.ca_file`, message });
  }
  return faults;
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
}
