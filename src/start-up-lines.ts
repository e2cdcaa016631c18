import type { CascadeSettings, Settings } from './config/settings.ts';
import { describeTaps } from './describe-taps.ts';
import type { RunningTap } from './run-taps.ts';

/** A backend as the start-up lines show it. */
export interface BackendReport {
  readonly name: string;
  readonly origin: string;
  /** Model ids it lists, or why it could not be asked. */
  readonly models: readonly string[] | { readonly trouble: string };
}

export interface StartUpReport {
  readonly url: string;
  readonly settings: Settings;
  readonly backends: readonly BackendReport[];
  readonly defaultModel: string | null;
  /** What is wrong with `models.default`, or null. */
  readonly defaultTrouble: string | null;
}

/** For a person who starts the gateway, perhaps for the first time: what was found, where things lie, and a command that shows an answer. */
export function toStartUpLines(report: StartUpReport): readonly string[] {
  const { settings, defaultModel, defaultTrouble } = report;
  const rows: [string, string][] = [
    ['config', settings.configFile ?? 'none (docs/configuration.md shows what could be in antiphon.yaml)'],
    ...describeBackends(report.backends, settings),
    ['default model', defaultModel ?? 'none: every request names its model (or set models.default)'],
    ...(defaultTrouble === null ? [] : [['', defaultTrouble] satisfies [string, string]]),
    ['responses', settings.store.type === 'memory' ? 'in memory, gone when the gateway stops' : settings.store.file],
    ['API keys', describeKeys(settings)],
    ...describeClients(report.url),
  ];
  const label = settings.server.keys.length === 0 ? 'Try it:' : 'Try it, with one of the keys in ANTIPHON_API_KEY:';
  return ['', ...rows.map(toLine), '', `  ${label}`, `  ${toCommand(report)}`, ''];
}

/** Printed before the gateway says that it listens: whoever waits for that line then knows the taps, and a password that was made for them. */
export function toTapLines(taps: readonly RunningTap[]): readonly string[] {
  return describeTaps(taps, 'the agent server').map((line, index) => toLine([index === 0 ? 'taps' : '', line]));
}

function toLine([name, text]: readonly [string, string]): string {
  return `  ${name.padEnd(14)}${text}`;
}

function describeBackends(backends: readonly BackendReport[], settings: Settings): [string, string][] {
  const width = Math.max(...backends.map(({ name }) => name.length)) + 2;
  const lines = backends.flatMap(({ name, origin, models }) => [
    `${name.padEnd(width)}${origin}${describeModels(models)}`,
    ...settings.backends.flatMap((backend) =>
      backend.type === 'cascade' && backend.name === name ? [`${' '.repeat(width)}${describeAgentServer(backend)}`] : [],
    ),
  ]);
  return lines.map((line, index) => [index === 0 ? 'backends' : '', line]);
}

/** A token that is missing shows already: without it the server does not list its models. */
function describeAgentServer({ baseUrl, tap }: CascadeSettings): string {
  const way = tap === null ? "without a tap: its model gets no client's tools" : `its model calls go through tap ${tap}`;
  return `agent server at ${baseUrl}; ${way}`;
}

function describeModels(models: BackendReport['models']): string {
  if ('trouble' in models) return `; it does not list its models: ${models.trouble}`;
  return models.length === 1 ? ', 1 model' : `, ${models.length} models`;
}

function describeKeys({ server }: Settings): string {
  const admin = server.adminKey === null ? '' : '; the admin key opens POST /v1/token';
  if (server.keys.length === 0) return `none are asked for, because only this machine can call${admin}`;
  return `${server.keys.length}${admin}`;
}

/** Some clients put the version behind the address by themselves. */
function describeClients(url: string): [string, string][] {
  return [
    ['clients', `OpenAI     base URL ${url}/v1 (Responses, chat completions)`],
    ['', `Anthropic  ANTHROPIC_BASE_URL=${url}`],
    ['', `Gemini     GOOGLE_GEMINI_BASE_URL=${url}`],
  ];
}

function toCommand(report: StartUpReport): string {
  const key = report.settings.server.keys.length === 0 ? '' : ' -H "Authorization: Bearer $ANTIPHON_API_KEY"';
  const body = JSON.stringify({ model: chooseExample(report), input: 'Say hello in one sentence.' });
  return `curl ${report.url}/v1/responses${key} -H 'Content-Type: application/json' -d '${body.replaceAll("'", `'\\''`)}'`;
}

/** Models that do not answer a chat. */
const otherTrades =
  /embed|rerank|whisper|transcri|moderation|\b(?:tts|audio|speech|realtime|live|image|imagen|dall-e|sora|veo|lyria|guard|aqa|robotics)\b/i;
const smallOnes = /\b(?:flash|mini|small|haiku)\b/i;

function newestFirst(one: string, other: string): number {
  return other.localeCompare(one, 'en', { numeric: true });
}

/** The default model, else a small one of a real backend, else the built-in one: the command has to work. */
export function chooseExample({ defaultModel, defaultTrouble, backends }: StartUpReport): string {
  if (defaultModel !== null && defaultTrouble === null) return defaultModel;
  for (const { name, models } of backends) {
    if (name === 'rehearsal' || 'trouble' in models) continue;
    const suited = models.filter((id) => !otherTrades.test(id)).sort(newestFirst);
    const chosen = suited.find((id) => smallOnes.test(id)) ?? suited[0];
    if (chosen !== undefined) return `${name}/${chosen}`;
  }
  return 'rehearsal/default';
}
