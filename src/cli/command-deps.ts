import type { SettingsSources } from '../config/load-settings.ts';

/** What a command may use of the process. */
export interface CommandDeps {
  readonly sources: SettingsSources;
  readonly version: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** One line for programs and people, on stdout. */
  readonly print: (line: string) => void;
  /** Part of a line, on stdout. */
  readonly write: (text: string) => void;
  /** All of stdin. */
  readonly readInput: () => Promise<string>;
  /** One line for people, on stderr. */
  readonly complain: (line: string) => void;
  /** The first signal calls `close` and ends the process when that is done; the second one ends it at once. */
  readonly closeOnSignals: (close: () => Promise<void>) => void;
}
