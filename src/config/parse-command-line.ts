import { parseArgs } from 'node:util';
import { nearestName } from '../lib/nearest-name.ts';
import type { SettingsFault } from './settings-error.ts';

export interface CommandLine {
  readonly command: 'serve' | 'help' | 'version';
  readonly flags: Flags;
  readonly faults: readonly SettingsFault[];
}

/** What the command line says about settings; absent = not said. */
export interface Flags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  /** A question to ask once it runs. */
  readonly ask?: string;
}

const options = {
  config: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  ask: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

export const usage = `Usage: antiphon [serve] [--config FILE] [--host HOST] [--port N] [--data DIR] [--ask TEXT]

Speaks the OpenAI Responses API in front of any model backend.

  --config FILE   configuration (default: ./antiphon.yaml, else ~/.antiphon/antiphon.yaml, else none)
  --host HOST     address to listen on (default: 127.0.0.1; any other than loopback needs an API key)
  --port N        port to listen on (default: 8720; 0: any free one)
  --data DIR      folder for what must outlive the process (default: ~/.antiphon)
  --ask TEXT      ask the default model this once the gateway runs, and show the answer
  --version       print the version
  --help          print this text

Environment: ANTIPHON_CONFIG, ANTIPHON_HOST, ANTIPHON_PORT, ANTIPHON_DATA, ANTIPHON_API_KEY, ANTIPHON_STORE_URL,
ANTIPHON_LOG_LEVEL, ANTIPHON_DISCOVERY, and for backends GEMINI_API_KEY and OPENAI_API_KEY.
Every setting is explained in docs/configuration.md.
`;

/** Arguments after the program's name. Never throws: what is wrong stands in `faults`. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  // Not strict, because the strict parser stops at the first mistake and speaks to programmers.
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const faults: SettingsFault[] = [];
  const flags: Record<string, string> = {};
  let command: CommandLine['command'] = 'serve';
  const complain = (path: string, message: string): number => faults.push({ source: 'the command line', path, message });
  for (const token of tokens) {
    if (token.kind === 'positional' && token.value !== 'serve')
      complain(token.value, 'is not understood: only `serve` can stand here');
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'version') command = token.name;
    else if (!(token.name in options)) complain(token.rawName, suggestFlag(token.name));
    else if (token.value === undefined || token.value === '' || token.value.startsWith('--'))
      complain(token.rawName, 'needs a value after it');
    else flags[token.name] = token.value;
  }
  return { command, flags, faults };
}

function suggestFlag(name: string): string {
  const meant = nearestName(name, Object.keys(options));
  return meant === undefined ? 'is not a known flag: --help lists them' : `is not a known flag: did you mean --${meant}?`;
}
