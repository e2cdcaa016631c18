import { parseArgs } from 'node:util';
import { nearestName } from '../lib/nearest-name.ts';
import type { SettingsFault } from './settings-error.ts';

export interface CommandLine {
  readonly command: Command | 'help' | 'version';
  readonly flags: Flags;
  readonly faults: readonly SettingsFault[];
}

type Command = keyof typeof commands;

/** What the command line says about settings; absent = not said. */
export interface Flags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  /** A question to ask once it runs. */
  readonly ask?: string;
  /** Where `tap --record` writes. */
  readonly record?: string;
  readonly tap?: string;
  readonly upstream?: string;
  readonly listen?: string;
  readonly timing?: string;
  /** What stands after `replay`. */
  readonly folder?: string;
  /** What stands after `lint`: a path, or `-` for stdin. */
  readonly capture?: string;
}

const options = {
  config: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  ask: { type: 'string' },
  record: { type: 'string' },
  tap: { type: 'string' },
  upstream: { type: 'string' },
  listen: { type: 'string' },
  timing: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

interface CommandEntry {
  /** How it begins; `serve` may be left out. */
  readonly words: readonly string[];
  readonly flags: readonly (keyof typeof options)[];
  /** What must be there besides: a flag, or one word more. */
  readonly needs?: { readonly flag: keyof typeof options; readonly message: string } | { readonly word: string };
}

const commands = {
  serve: { words: ['serve'], flags: ['config', 'host', 'port', 'data', 'ask'] },
  'tap-ca': { words: ['tap', 'ca'], flags: ['config', 'data'] },
  'tap-record': {
    words: ['tap'],
    flags: ['record', 'config', 'data', 'tap', 'upstream', 'listen'],
    needs: { flag: 'record', message: 'needs `ca` or --record DIR after it' },
  },
  replay: { words: ['replay'], flags: ['listen', 'timing'], needs: { word: 'the folder of a recording' } },
  lint: { words: ['lint'], flags: [], needs: { word: 'a captured event stream (a file, or - for stdin)' } },
} as const satisfies Record<string, CommandEntry>;

export const usage = `Usage: antiphon [serve] [--config FILE] [--host HOST] [--port N] [--data DIR] [--ask TEXT]
       antiphon tap ca [--config FILE] [--data DIR]
       antiphon tap --record DIR [--config FILE] [--data DIR] [--tap NAME] [--listen HOST:PORT]
       antiphon tap --record DIR --upstream URL [--listen HOST:PORT]
       antiphon replay DIR [--listen HOST:PORT] [--timing original|none]
       antiphon lint FILE|-

A gateway: clients of OpenAI (Responses, chat completions), Anthropic and Gemini talk to any model server.

  --config FILE   configuration (default: ./antiphon.yaml, else ~/.antiphon/antiphon.yaml, else none)
  --host HOST     address to listen on (default: 127.0.0.1; any other than loopback needs an API key)
  --port N        port to listen on (default: 8720; 0: any free one)
  --data DIR      folder for what must outlive the process (default: ~/.antiphon)
  --ask TEXT      ask the default model this once the gateway runs, and show the answer
  --version       print the version
  --help          print this text

tap ca            prints where the certificate authority of the forward taps is; makes it when there is none yet
tap --record DIR  runs the configured taps without a gateway and writes every model call into DIR, secrets blanked
  --tap NAME      only this one
  --upstream URL  a tap in front of this model API, without any configuration
  --listen H:P    where that one tap listens (default: as configured, else 127.0.0.1:8721)
replay DIR        serves a recording as if it were the model API
  --listen H:P    where it listens (default: 127.0.0.1:8722; loopback only)
  --timing WHICH  original: each piece after the time it took; none: at once (default)
lint FILE|-       checks a captured stream of a Responses server against the event grammar (docs/lint.md); exit code 1 when it has faults

Environment: ANTIPHON_CONFIG, ANTIPHON_HOST, ANTIPHON_PORT, ANTIPHON_DATA, ANTIPHON_API_KEY, ANTIPHON_ADMIN_KEY,
ANTIPHON_STORE_URL, ANTIPHON_LOG_LEVEL, ANTIPHON_DISCOVERY, and for backends GEMINI_API_KEY
(GOOGLE_GEMINI_BASE_URL), OPENAI_API_KEY (OPENAI_BASE_URL) and ANTHROPIC_API_KEY (ANTHROPIC_BASE_URL).
Every setting is explained in docs/configuration.md.
`;

/** Where a fault lies: an argument and what is wrong with it. */
type Complaint = readonly [path: string, message: string];

/** What was written, before anybody asks what it is for. */
interface Words {
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  /** Flags as they were written, also those without a value. */
  readonly mentioned: ReadonlyMap<string, string>;
  readonly complaints: readonly Complaint[];
  readonly asks: 'help' | 'version' | null;
}

/** Arguments after the program's name. Never throws: what is wrong stands in `faults`. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { words, flags, mentioned, complaints, asks } = readWords(argv);
  const command = findCommand(words);
  const rest = words.slice(commands[command].words.length);
  const isKnown = words.length === 0 || words[0] === commands[command].words[0];
  const all = isKnown
    ? [...complaints, ...checkFlags(command, mentioned), ...checkWords(command, rest)]
    : [
        ...complaints,
        [words[0] ?? '', 'is not a command: there are serve, tap ca, tap --record DIR, replay DIR, lint FILE'] as const,
      ];
  const [word] = rest;
  return {
    command: asks ?? command,
    flags: { ...flags, ...toWordFlag(command, word) },
    faults: all.map(([path, message]) => ({ source: 'the command line', path, message })),
  };
}

/** The one word that a command takes, under its name. */
function toWordFlag(command: Command, word: string | undefined): Pick<Flags, 'folder' | 'capture'> {
  if (word === undefined) return {};
  if (command === 'replay') return { folder: word };
  return command === 'lint' ? { capture: word } : {};
}

function readWords(argv: readonly string[]): Words {
  // Not strict, because the strict parser stops at the first mistake and speaks to programmers.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const words: string[] = [];
  const flags: Record<string, string> = {};
  const mentioned = new Map<string, string>();
  const complaints: Complaint[] = [];
  let asks: Words['asks'] = null;
  // What stands after a mistyped flag is its value, not a second mistake.
  let valueOfUnknown = -1;
  for (const token of tokens) {
    if (token.kind === 'positional' && token.index !== valueOfUnknown) words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (name === 'help' || name === 'version') asks = name;
    else if (!isFlag(name)) {
      complaints.push([rawName, suggestFlag(name)]);
      if (value === undefined) valueOfUnknown = token.index + 1;
    } else {
      mentioned.set(name, rawName);
      if (value === undefined || value === '' || value.startsWith('--')) complaints.push([rawName, 'needs a value after it']);
      else flags[name] = value;
    }
  }
  return { words, flags, mentioned, complaints, asks };
}

/** The one with the most words in common; `serve` when there is none. */
function findCommand(words: readonly string[]): Command {
  const names: readonly Command[] = ['tap-ca', 'tap-record', 'replay', 'lint'];
  return names.find((name) => commands[name].words.every((word, at) => words[at] === word)) ?? 'serve';
}

function checkFlags(command: Command, mentioned: ReadonlyMap<string, string>): Complaint[] {
  const { words, flags, needs }: CommandEntry = commands[command];
  const known: readonly string[] = flags;
  const foreign = [...mentioned].filter(([name]) => !known.includes(name));
  const takes = flags.length === 0 ? 'no flags' : flags.map((flag) => `--${flag}`).join(', ');
  const complaints = foreign.map(([, raw]): Complaint => [
    raw,
    `does not belong to \`antiphon ${words.join(' ')}\`: that takes ${takes}`,
  ]);
  if (needs !== undefined && 'flag' in needs && !mentioned.has(needs.flag)) complaints.push([words.join(' '), needs.message]);
  return [...complaints, ...checkUpstream(mentioned)];
}

/** A tap that is made up on the command line is not one of the configuration. */
function checkUpstream(mentioned: ReadonlyMap<string, string>): Complaint[] {
  if (!mentioned.has('upstream')) return [];
  return ['config', 'tap'].flatMap((name): Complaint[] => {
    const raw = mentioned.get(name);
    return raw === undefined
      ? []
      : [[raw, 'does not go together with --upstream, which needs no configuration: give one of them']];
  });
}

function checkWords(command: Command, rest: readonly string[]): Complaint[] {
  const { words, needs }: CommandEntry = commands[command];
  const wanted = needs !== undefined && 'word' in needs ? 1 : 0;
  const name = words.join(' ');
  if (wanted === 1 && rest.length === 0 && needs !== undefined && 'word' in needs)
    return [[name, `needs ${needs.word} after it`]];
  return rest
    .slice(wanted)
    .map((word): Complaint => [word, `is not understood after \`antiphon ${name}\`: --help shows what can stand there`]);
}

function isFlag(name: string): boolean {
  return Object.hasOwn(options, name);
}

function suggestFlag(name: string): string {
  const meant = nearestName(name, Object.keys(options));
  return meant === undefined ? 'is not a known flag: --help lists them' : `is not a known flag: did you mean --${meant}?`;
}
