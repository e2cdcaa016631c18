import type { Secret } from '../model/secret.ts';
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
  /** This gateway's own keys: clients keep them in `OPENAI_API_KEY` and its like, and they must not be sent to anybody. */
  readonly isOwnKey: (key: string) => boolean;
  readonly ownPort: number;
}

export interface EnvironmentBackends {
  readonly backends: readonly BackendSettings[];
  /** What was found but is not used, and why; one sentence each. */
  readonly remarks: readonly string[];
}

const geminiUrl = 'https://generativelanguage.googleapis.com';
const anthropicUrl = 'https://api.anthropic.com';
const openaiUrl = 'https://api.openai.com/v1';

/** Backends for the API keys that people have in their environment. A name or an address that the configuration has already is left to it. */
export function findEnvironmentBackends(search: EnvironmentSearch): EnvironmentBackends {
  const found = [findGemini(search), findOpenai(search), findAnthropic(search)];
  return {
    backends: found.filter((backend) => backend !== null && typeof backend !== 'string'),
    remarks: found.filter((remark) => typeof remark === 'string'),
  };
}

/** Variables in which the clients of a provider keep their key and its address. */
interface ProviderVariables {
  readonly key: string;
  readonly url: string;
  /** Where the key goes without the second one. */
  readonly defaultUrl: string;
  readonly owner: string;
}

interface FoundKey {
  readonly apiKey: Secret;
  readonly baseUrl: string;
}

/**
 * A key belongs to the address it was meant for, so the variable of the address decides where it may go. Clients of this gateway carry its own key and address in the same variables. A text says why a key
 * goes nowhere; null: there is none.
 */
function findKey({ env, isOwnKey, ownPort }: EnvironmentSearch, variables: ProviderVariables): FoundKey | string | null {
  const { key, url, defaultUrl, owner } = variables;
  const apiKey = parseSecret(env[key]);
  if (apiKey === undefined) return null;
  const written = env[url]?.trim() ?? '';
  const baseUrl = written === '' ? defaultUrl : parseBaseUrl(written);
  if (isOwnKey(apiKey.reveal())) return `${key} is a key of this gateway: it is not sent to ${owner}`;
  if (baseUrl === undefined) return `${key} is not used, because ${url} is not an http(s) address`;
  const { hostname, port } = new URL(baseUrl);
  if (isLoopback(hostname) && Number(port) === ownPort) return `${key} is not used, because ${url} is this gateway`;
  return { apiKey, baseUrl };
}

function findGemini(search: EnvironmentSearch): BackendSettings | string | null {
  const variables = { key: 'GEMINI_API_KEY', url: 'GOOGLE_GEMINI_BASE_URL', defaultUrl: geminiUrl, owner: 'Google' };
  const found = findKey(search, variables);
  if (found === null || typeof found === 'string') return found;
  const { apiKey, baseUrl } = found;
  const isThere = (backend: BackendSettings): boolean =>
    backend.type === 'gemini' && sameServer(backend.baseUrl ?? geminiUrl, baseUrl);
  if (search.takenNames.has('gemini') || search.configured.some(isThere)) return null;
  return {
    type: 'gemini',
    ...remote(search, 'gemini', 'GEMINI_API_KEY'),
    baseUrl: baseUrl === geminiUrl ? null : baseUrl,
    apiKey,
  };
}

function findOpenai(search: EnvironmentSearch): BackendSettings | string | null {
  const variables = { key: 'OPENAI_API_KEY', url: 'OPENAI_BASE_URL', defaultUrl: openaiUrl, owner: 'OpenAI' };
  const found = findKey(search, variables);
  if (found === null || typeof found === 'string') return found;
  const { apiKey, baseUrl } = found;
  if (search.takenNames.has('openai')) return null;
  if (search.configured.some((backend) => isOpenaiServer(backend, baseUrl))) return null;
  const vendor = baseUrl === openaiUrl ? 'openai' : null;
  return { type: 'chat', ...remote(search, 'openai', 'OPENAI_API_KEY'), baseUrl, apiKey, vendor, thinkTags: null };
}

/** Whether the configuration has that server already, in either of OpenAI's protocols. */
function isOpenaiServer(backend: BackendSettings, baseUrl: string): boolean {
  if (backend.type === 'responses') return sameServer(backend.baseUrl ?? openaiUrl, baseUrl);
  return backend.type === 'chat' && sameServer(backend.baseUrl, baseUrl);
}

function findAnthropic(search: EnvironmentSearch): BackendSettings | string | null {
  const variables = { key: 'ANTHROPIC_API_KEY', url: 'ANTHROPIC_BASE_URL', defaultUrl: anthropicUrl, owner: 'Anthropic' };
  const found = findKey(search, variables);
  if (found === null || typeof found === 'string') return found;
  const { apiKey, baseUrl } = found;
  const isThere = (backend: BackendSettings): boolean =>
    backend.type === 'anthropic' && sameServer(backend.baseUrl ?? anthropicUrl, baseUrl);
  if (search.takenNames.has('anthropic') || search.configured.some(isThere)) return null;
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
