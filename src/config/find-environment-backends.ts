import { isLoopback, parseBaseUrl, parseSecret } from './parse-scalars.ts';
import type { BackendSettings, RemoteBackend, UpstreamTimeouts } from './settings.ts';
import type { Environment } from './substitute-variables.ts';

export interface EnvironmentSearch {
  readonly env: Environment;
  readonly timeouts: UpstreamTimeouts;
  /** What the configuration file has already. */
  readonly configured: readonly BackendSettings[];
  /** Names in the configuration file, also of backends that cannot be used yet. */
  readonly takenNames: ReadonlySet<string>;
  /** This gateway's own keys: clients keep them in `OPENAI_API_KEY`, and they must not be sent to anybody. */
  readonly isOwnKey: (key: string) => boolean;
  readonly ownPort: number;
}

export interface EnvironmentBackends {
  readonly backends: readonly BackendSettings[];
  /** What was found but is not used, and why; one sentence each. */
  readonly remarks: readonly string[];
}

const anthropicUrl = 'https://api.anthropic.com';
const openaiUrl = 'https://api.openai.com/v1';

/** Backends for the API keys that people have in their environment. A name or an address that the configuration has already is left to it. */
export function findEnvironmentBackends(search: EnvironmentSearch): EnvironmentBackends {
  const { env, configured, takenNames } = search;
  const backends: BackendSettings[] = [];
  const remarks: string[] = [];
  const gemini = parseSecret(env['GEMINI_API_KEY']);
  if (gemini !== undefined && !takenNames.has('gemini') && !configured.some(isGoogle)) {
    backends.push({ type: 'gemini', ...remote(search, 'gemini', 'GEMINI_API_KEY'), baseUrl: null, apiKey: gemini });
  }
  const openai = findOpenai(search);
  if (typeof openai === 'string') remarks.push(openai);
  else if (openai !== null) backends.push(openai);
  const anthropic = findAnthropic(search);
  if (typeof anthropic === 'string') remarks.push(anthropic);
  else if (anthropic !== null) backends.push(anthropic);
  return { backends, remarks };
}

function isGoogle(backend: BackendSettings): boolean {
  return (
    backend.type === 'gemini' &&
    (backend.baseUrl === null || new URL(backend.baseUrl).hostname === 'generativelanguage.googleapis.com')
  );
}

/** A key belongs to the address it was meant for, so `OPENAI_BASE_URL` decides where it may go. A text says why it goes nowhere. */
function findOpenai(search: EnvironmentSearch): BackendSettings | string | null {
  const { env, configured, takenNames, isOwnKey, ownPort } = search;
  const apiKey = parseSecret(env['OPENAI_API_KEY']);
  if (apiKey === undefined) return null;
  const written = env['OPENAI_BASE_URL']?.trim() ?? '';
  const baseUrl = written === '' ? openaiUrl : parseBaseUrl(written);
  if (isOwnKey(apiKey.reveal())) return 'OPENAI_API_KEY is a key of this gateway: it is not sent to OpenAI';
  if (baseUrl === undefined) return 'OPENAI_API_KEY is not used, because OPENAI_BASE_URL is not an http(s) address';
  const { hostname, port } = new URL(baseUrl);
  if (isLoopback(hostname) && Number(port) === ownPort)
    return 'OPENAI_API_KEY is not used, because OPENAI_BASE_URL is this gateway';
  if (takenNames.has('openai')) return null;
  if (configured.some((backend) => isOpenaiServer(backend, baseUrl))) return null;
  const vendor = baseUrl === openaiUrl ? 'openai' : null;
  return { type: 'chat', ...remote(search, 'openai', 'OPENAI_API_KEY'), baseUrl, apiKey, vendor, thinkTags: null };
}

/** Whether the configuration has that server already, in either of OpenAI's protocols. */
function isOpenaiServer(backend: BackendSettings, baseUrl: string): boolean {
  if (backend.type === 'responses') return sameServer(backend.baseUrl ?? openaiUrl, baseUrl);
  return backend.type === 'chat' && sameServer(backend.baseUrl, baseUrl);
}

/** As with OpenAI's: clients of the gateway carry its key and address in these variables. */
function findAnthropic(search: EnvironmentSearch): BackendSettings | string | null {
  const { env, configured, takenNames, isOwnKey, ownPort } = search;
  const apiKey = parseSecret(env['ANTHROPIC_API_KEY']);
  if (apiKey === undefined) return null;
  const written = env['ANTHROPIC_BASE_URL']?.trim() ?? '';
  const baseUrl = written === '' ? anthropicUrl : parseBaseUrl(written);
  if (isOwnKey(apiKey.reveal())) return 'ANTHROPIC_API_KEY is a key of this gateway: it is not sent to Anthropic';
  if (baseUrl === undefined) return 'ANTHROPIC_API_KEY is not used, because ANTHROPIC_BASE_URL is not an http(s) address';
  const { hostname, port } = new URL(baseUrl);
  if (isLoopback(hostname) && Number(port) === ownPort)
    return 'ANTHROPIC_API_KEY is not used, because ANTHROPIC_BASE_URL is this gateway';
  if (takenNames.has('anthropic')) return null;
  const isThere = (backend: BackendSettings): boolean =>
    backend.type === 'anthropic' && sameServer(backend.baseUrl ?? anthropicUrl, baseUrl);
  if (configured.some(isThere)) return null;
  return { type: 'anthropic', ...remote(search, 'anthropic', 'ANTHROPIC_API_KEY'), baseUrl, apiKey, promptCache: 'auto' };
}

/** Whether two addresses lead to the same server; the loopback names count as one. */
export function sameServer(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  return (
    a.protocol === b.protocol &&
    a.port === b.port &&
    (a.hostname === b.hostname || (isLoopback(a.hostname) && isLoopback(b.hostname)))
  );
}

function remote({ timeouts }: EnvironmentSearch, name: string, variable: string): RemoteBackend {
  return { name, origin: `from ${variable}`, headers: new Map(), caFile: null, timeouts };
}
