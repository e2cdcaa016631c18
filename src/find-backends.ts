import { findLocalBackends, type LocalBackend, type LocalServer } from './config/find-local-backends.ts';
import type {
  AiSdkSettings,
  AnthropicSettings,
  BackendSettings,
  ChatSettings,
  GeminiSettings,
  ResponsesSettings,
  Settings,
} from './config/settings.ts';
import type { BackendSet } from './engine/model-catalog.ts';
import { countTextTokens } from './lib/count-text-tokens.ts';
import { isJsonObject, parseJson } from './lib/json.ts';
import type { Backend } from './model/backend.ts';
import type { ModelTap } from './model/model-tap.ts';
import type { SessionStore } from './model/session-store.ts';
import { openCascade } from './open-cascade.ts';
import { toHeaders, toRemoteOptions } from './to-remote-options.ts';
import { wait } from './wait.ts';

export interface BackendSearch {
  readonly settings: Settings;
  /** Where model servers are looked for, if they are. */
  readonly localServers: readonly LocalServer[];
  /** Where this gateway listens. */
  readonly ownPort: number;
  readonly newId: (prefix: string) => string;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly version: string;
  /** Which upstream holds which conversation. */
  readonly sessions: SessionStore;
  /** The taps that run, by name. */
  readonly taps: ReadonlyMap<string, ModelTap>;
  /** Ready-made ones of whoever embeds the gateway; their names win. */
  readonly extra: readonly Backend[];
}

export interface FoundBackends extends BackendSet {
  /** In the order of the start-up lines: where each of them came from. */
  readonly origins: ReadonlyMap<Backend, string>;
}

const probeTimeoutMs = 150;

/**
 * All backends: configured, from the environment, found on this machine, and the built-in one. Model servers' HTTP client is loaded only here: it takes a quarter of the
 * time to start, and the gateway listens already. Throws when a backend cannot be set up.
 */
export async function findBackends(search: BackendSearch): Promise<FoundBackends> {
  const { settings, localServers, ownPort, extra } = search;
  const { backends: known, timeouts } = settings;
  // Before the loading below, which would eat up the time the servers have to answer.
  const found = settings.probesLocalServers
    ? await findLocalBackends({ servers: localServers, known, ownPort, timeouts, timeoutMs: probeTimeoutMs })
    : [];
  const remote = [...known, ...found.map(({ backend }) => backend)];
  const builtIn: BackendSettings = { type: 'rehearsal', name: 'rehearsal', origin: 'built in: plays a model without one' };
  const origins = new Map<Backend, string>(extra.map((backend) => [backend, 'embedded']));
  const names = new Set(extra.map(({ name }) => name));
  for (const backend of [...remote, builtIn]) {
    if (names.has(backend.name)) continue;
    names.add(backend.name);
    origins.set(await createBackend(backend, search), backend.origin);
  }
  return { backends: [...origins.keys()], origins, defaultModel: chooseDefault(search, found) };
}

/**
 * The configured default; else the only model there can be: the one a single server found on this machine has, or the built-in one when there is nothing else. With a
 * choice to make nobody makes it: an invented answer, or a bill, must not come from a guess.
 */
function chooseDefault({ settings, extra }: BackendSearch, found: readonly LocalBackend[]): string | null {
  const { models, backends } = settings;
  if (models.defaultModel !== null) return models.defaultModel;
  if (extra.length > 0 || backends.some(({ type }) => type !== 'rehearsal')) return null;
  const [local, ...others] = found;
  if (local === undefined) return 'rehearsal/default';
  const [model, ...otherModels] = local.models;
  return others.length > 0 || otherModels.length > 0 || model === undefined ? null : `${local.backend.name}/${model}`;
}

function createBackend(backend: BackendSettings, search: BackendSearch): Promise<Backend> {
  const { newId } = search;
  switch (backend.type) {
    case 'gemini':
      return openGemini(backend, newId);
    case 'anthropic':
      return openAnthropic(backend, newId);
    case 'responses':
      return openResponses(backend, newId);
    case 'chat':
      return openChat(backend, newId);
    case 'cascade':
      return openCascade(backend, search);
    case 'ai-sdk':
      return openAiSdk(backend, newId);
    case 'rehearsal':
      return openRehearsal(backend.name, newId);
  }
}

async function openGemini(backend: GeminiSettings, newId: (prefix: string) => string): Promise<Backend> {
  const { createGeminiBackend } = await import('./backends/gemini/gemini-backend.ts');
  const { apiKey, baseUrl } = backend;
  return createGeminiBackend({ ...toRemoteOptions(backend), apiKey, newId, ...(baseUrl !== null && { baseUrl }) });
}

async function openAnthropic(backend: AnthropicSettings, newId: (prefix: string) => string): Promise<Backend> {
  const { createAnthropicBackend } = await import('./backends/anthropic/anthropic-backend.ts');
  const { apiKey, baseUrl, promptCache } = backend;
  const marksCache = promptCache === 'auto';
  return createAnthropicBackend({
    ...toRemoteOptions(backend),
    apiKey,
    marksCache,
    newId,
    ...(baseUrl !== null && { baseUrl }),
  });
}

async function openResponses(backend: ResponsesSettings, newId: (prefix: string) => string): Promise<Backend> {
  const { createResponsesBackend } = await import('./backends/responses/responses-backend.ts');
  const { apiKey, baseUrl } = backend;
  return createResponsesBackend({ ...toRemoteOptions(backend), apiKey, newId, ...(baseUrl !== null && { baseUrl }) });
}

async function openChat(backend: ChatSettings, newId: (prefix: string) => string): Promise<Backend> {
  const { createChatBackend } = await import('./backends/chat/chat-backend.ts');
  const { apiKey, baseUrl, vendor, thinkTags } = backend;
  return createChatBackend({
    ...toRemoteOptions(backend),
    apiKey,
    baseUrl,
    newId,
    ...(vendor !== null && { vendor }),
    ...(thinkTags !== null && { thinkTags }),
  });
}

async function openAiSdk(backend: AiSdkSettings, newId: (prefix: string) => string): Promise<Backend> {
  const { createAiSdkBackend } = await import('./backends/ai-sdk/ai-sdk-backend.ts');
  const { name, package: packageName, modelIds, timeouts, folder } = backend;
  const options = parseJson(backend.options.reveal());
  return createAiSdkBackend({
    ...{ name, packageName, modelIds, timeouts, newId },
    options: isJsonObject(options) ? options : {},
    headers: toHeaders(backend.headers),
    folders: [folder, process.cwd()],
  });
}

async function openRehearsal(name: string, newId: (prefix: string) => string): Promise<Backend> {
  const { createRehearsalBackend } = await import('./backends/rehearsal/create-rehearsal-backend.ts');
  return createRehearsalBackend({ name, newId, countTextTokens, wait });
}
