/** One thing that is wrong with the configuration, in words that say how to put it right. Never the value of a secret. */
export interface SettingsFault {
  /** Where it was written: `/home/me/antiphon.yaml:12`, `the environment`, `the command line`. */
  readonly source: string;
  /** `backends.local.base_url`, `ANTIPHON_PORT`, `--port`; empty when the whole source is meant. */
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with the configuration, at once. The message has one line for each fault. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly faults: readonly SettingsFault[];

  constructor(faults: readonly SettingsFault[]) {
    super(faults.map(formatFault).join('\n'));
    this.faults = faults;
  }
}

function formatFault({ source, path, message }: SettingsFault): string {
  return path === '' ? `${source}: ${message}` : `${source}: ${path}: ${message}`;
}
