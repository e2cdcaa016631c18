import { parseArgs } from 'node:util';
import type { AgentServerOptions } from './agent-server-options.ts';
import { describeQuirks, parseQuirks } from './quirks.ts';

export interface AgentServerFlags {
  readonly help: boolean;
  /** Starts the Gemini endpoint double too; `modelUrl` is its URL where none was given. */
  readonly startsModel: boolean;
  readonly modelPort: number;
  readonly server: Omit<AgentServerOptions, 'modelUrl'> & { readonly modelUrl: string | null };
}

/** The command line. Throws an Error whose message says what is wrong. */
export function readFlags(args: readonly string[]): AgentServerFlags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '8730' },
      'model-url': { type: 'string' },
      'model-ca': { type: 'string' },
      'model-server': { type: 'boolean', default: false },
      'model-port': { type: 'string', default: '0' },
      proxy: { type: 'string' },
      'proxy-ca': { type: 'string' },
      csrf: { type: 'string' },
      token: { type: 'string', multiple: true },
      tls: { type: 'boolean', default: false },
      quirk: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  const { proxy, csrf, token } = values;
  const proxyCa = values['proxy-ca'];
  const modelCa = values['model-ca'];
  const modelUrl = values['model-url'] ?? null;
  if (!values.help && modelUrl === null && !values['model-server'])
    throw new Error('give --model-url URL or --model-server (see --help)');
  return {
    help: values.help,
    startsModel: values['model-server'],
    modelPort: readPort(values['model-port']),
    server: {
      modelUrl,
      port: readPort(values.port),
      quirks: parseQuirks(values.quirk),
      notes: { shopping: 'Bread, butter, and a lemon.', plan: 'Monday: write. Tuesday: walk.' },
      ...(proxy !== undefined && { proxy: { url: proxy, ...(proxyCa !== undefined && { caFile: proxyCa }) } }),
      ...(modelCa !== undefined && { modelCaFile: modelCa }),
      ...(csrf !== undefined && { csrf }),
      ...(token !== undefined && { tokens: token }),
      ...(values.tls && { tls: 'self-signed' as const }),
    },
  };
}

function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error(`not a port: ${text}`);
  return Number(text);
}

export const helpText = `npm run agent-server -- [flags]

A synthetic agent server (the Cascade family) for trying Antiphon's cascade backend without a real one.

  --port PORT          where it listens (default 8730; 0: a free one)
  --tls                https with a new self-signed certificate (h2 and http/1.1)
  --model-url URL      the Gemini-format endpoint it calls, or a reverse tap: http://127.0.0.1:8731
  --model-ca FILE      PEM file of that endpoint's authority
  --model-server       starts a Gemini-format endpoint beside it; with --model-url that URL is still the one that is called
  --model-port PORT    where that endpoint listens (default: a free one)
  --proxy URL          makes model calls through this proxy: http://user:pass@127.0.0.1:8732 (a forward tap)
  --proxy-ca FILE      PEM file of the proxy's authority (antiphon tap ca prints it)
  --csrf TEXT          the value x-codeium-csrf-token must have
  --token TEXT         a bearer token that is accepted (repeatable; without it none is needed)
  --quirk NAME[=VALUE] switches a quirk (repeatable)
  --help

quirks: ${describeQuirks()}
`;
