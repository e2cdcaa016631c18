import { parseCommandLine } from '../config/parse-command-line.ts';
import { SettingsError } from '../config/settings-error.ts';
import type { CommandDeps } from './command-deps.ts';

/** What `lint-capture` finds. */
interface Report {
  readonly faults: readonly {
    readonly rule: string;
    readonly severity: 'fault' | 'note';
    readonly event: number | null;
    readonly type: string;
    readonly words: string;
  }[];
  readonly events: number;
  readonly isBody: boolean;
}

/** So many faults of one rule are shown; a server that breaks it in every event would fill the screen. */
const mostOfOneRule = 10;

/** `antiphon lint FILE|-`: one line for each fault and a summary, on stdout. Returns how many faults there are; throws SettingsError when there is nothing to read. */
export async function lint({ sources, print, readInput }: CommandDeps, lintCapture: (text: string) => Report): Promise<number> {
  const { flags, faults: mistakes } = parseCommandLine(sources.argv);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  const path = flags.capture ?? '-';
  const text =
    path === '-' ? await readInput() : await sources.readFile(path).catch((thrown: unknown) => cannotRead(path, thrown));
  if (text === undefined) throw complaint(path, 'is not there');
  const report = lintCapture(text);
  if (report.isBody) throw complaint(path, 'is one JSON object and no event stream: ask for it with "stream": true');
  if (report.events === 0) throw complaint(path, 'holds no events');
  const shown = new Map<string, number>();
  for (const fault of report.faults) {
    const count = (shown.get(fault.rule) ?? 0) + 1;
    shown.set(fault.rule, count);
    if (count <= mostOfOneRule) print(describe(fault));
  }
  for (const [rule, count] of shown) if (count > mostOfOneRule) print(`${rule}  … and ${count - mostOfOneRule} more`);
  const count = report.faults.filter(({ severity }) => severity === 'fault').length;
  print(`${plural(count, 'fault')} / ${plural(report.events, 'event')}`);
  return count;
}

function complaint(path: string, message: string): SettingsError {
  return new SettingsError([{ source: 'the command line', path, message }]);
}

/** A folder, or a file of somebody else. */
function cannotRead(path: string, thrown: unknown): never {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown reason';
  throw complaint(path, `cannot be read (${code})`);
}

function describe({ rule, severity, event, type, words }: Report['faults'][number]): string {
  const place = event === null ? 'the stream' : `#${event}${type === '' ? '' : ` ${type}`}`;
  return `${rule}  ${severity === 'note' ? 'note: ' : ''}${place}: ${words}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
