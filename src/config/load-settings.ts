import { dirname, join } from 'node:path';
import { checkFiles } from './check-files.ts';
import { parseCommandLine } from './parse-command-line.ts';
import type { DocumentSource, LocatedDocument } from './read-document.ts';
import { readOverrides, type Overrides } from './read-overrides.ts';
import { resolvePath } from './resolve-path.ts';
import type { Settings } from './settings.ts';
import { SettingsError, type SettingsFault } from './settings-error.ts';
import type { Environment } from './substitute-variables.ts';
import { toSettings, type SettingsParts } from './to-settings.ts';

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
  const { parts, refuse } = await readFileParts(sources, null);
  const { settings, faults } = toSettings(parts);
  refuse([...faults, ...(await checkFiles(settings, sources.readFile))]);
  return settings;
}

export interface ReadParts {
  readonly parts: SettingsParts;
  /** Throws SettingsError with these faults, if there are any; those of the configuration file get their lines. */
  readonly refuse: (faults: readonly SettingsFault[]) => void;
}

/** What flags, environment and those sections of the file (null: all) say, before it becomes settings. Throws SettingsError with everything that is wrong with it. */
export async function readFileParts(sources: SettingsSources, sections: readonly string[] | null): Promise<ReadParts> {
  const { env, workingDirectory, homeDirectory } = sources;
  const { flags, faults: flagFaults } = parseCommandLine(sources.argv);
  const faults: SettingsFault[] = [...flagFaults];
  const overrides = readOverrides(flags, env, (fault) => faults.push(fault));
  const file = await findConfigFile(sources, overrides, (fault) => faults.push(fault));
  const { document, locate } = file === null ? nothing : await readFileDocument(file, { env, sections }, faults);
  if (faults.length > 0) throw new SettingsError(faults);
  const parts: SettingsParts = {
    document,
    overrides,
    env,
    file: file?.path ?? null,
    fileText: file?.text ?? '',
    workingDirectory,
    fileDirectory: file === null ? workingDirectory : dirname(file.path),
    homeDirectory,
  };
  const withLine = (fault: SettingsFault): SettingsFault =>
    fault.source === file?.path ? { ...fault, source: locate(fault.path) } : fault;
  return {
    parts,
    refuse(found) {
      if (found.length > 0) throw new SettingsError(found.map(withLine));
    },
  };
}

/** Without a file. */
const nothing: LocatedDocument = { document: {}, locate: () => '' };

/** YAML and schema library are loaded only when there is a file: together they take a fifth of the time to start. */
async function readFileDocument(
  { path, text }: ConfigFile,
  wanted: Pick<DocumentSource, 'env' | 'sections'>,
  faults: SettingsFault[],
): Promise<LocatedDocument> {
  const { readDocument } = await import('./read-document.ts');
  try {
    return readDocument({ yaml: text, file: path, ...wanted });
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    faults.push(...thrown.faults);
    return nothing;
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

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
}
