import { Secret } from '../model/secret.ts';
import type { BackendDocument } from './document-schema.ts';
import { isLoopback } from './parse-scalars.ts';
import type {
  AiSdkSettings,
  BackendSettings,
  CascadeSettings,
  RemoteBackend,
  TokenSettings,
  UpstreamTimeouts,
} from './settings.ts';

export interface BackendContext {
  readonly name: string;
  readonly origin: string;
  readonly timeouts: UpstreamTimeouts;
  readonly resolveFile: (path: string) => string;
}

type RemoteDocument = Extract<BackendDocument, { type: 'gemini' | 'anthropic' | 'responses' | 'chat' | 'cascade' }>;
type AiSdkDocument = Extract<BackendDocument, { type: 'ai-sdk' }>;
type CascadeDocument = Extract<BackendDocument, { type: 'cascade' }>;

/** One entry of `backends`, complete. */
export function toBackendSettings(document: BackendDocument, context: BackendContext): BackendSettings {
  const { name, origin } = context;
  switch (document.type) {
    case 'gemini':
      return {
        type: 'gemini',
        ...toRemoteBackend(document, context),
        baseUrl: document.base_url ?? null,
        apiKey: document.api_key,
      };
    case 'anthropic':
      return {
        type: 'anthropic',
        ...toRemoteBackend(document, context),
        baseUrl: document.base_url ?? null,
        apiKey: document.api_key ?? null,
        promptCache: document.prompt_cache ?? 'auto',
      };
    case 'responses':
      return {
        type: 'responses',
        ...toRemoteBackend(document, context),
        baseUrl: document.base_url ?? null,
        apiKey: document.api_key ?? null,
      };
    case 'chat':
      return {
        type: 'chat',
        ...toRemoteBackend(document, context),
        baseUrl: document.base_url,
        apiKey: document.api_key ?? null,
        vendor: document.vendor ?? null,
        thinkTags: document.think_tags ?? null,
      };
    case 'cascade':
      return toCascade(document, context);
    case 'ai-sdk':
      return toAiSdk(document, context);
    case 'rehearsal':
      return { type: 'rehearsal', name, origin };
  }
}

function toCascade(document: CascadeDocument, context: BackendContext): CascadeSettings {
  return {
    type: 'cascade',
    ...toRemoteBackend(document, context),
    baseUrl: document.base_url,
    csrfToken: document.csrf_token ?? null,
    token: toToken(document, context),
    tap: document.tap ?? null,
    ownTools: document.own_tools ?? 'keep',
    models: new Map(Object.entries(document.models ?? {})),
    defaultModel: document.default_model ?? null,
    modelField: document.model_field ?? 'both',
    workspaceUris: document.workspace_uris ?? [],
  };
}

function toAiSdk(document: AiSdkDocument, { name, origin, timeouts, resolveFile }: BackendContext): AiSdkSettings {
  const { first_byte: firstByte, idle } = document.timeouts ?? {};
  return {
    type: 'ai-sdk',
    name,
    origin,
    package: document.package,
    options: new Secret(JSON.stringify(document.options ?? {})),
    modelIds: document.model_ids ?? [],
    headers: toHeaders(document.headers),
    timeouts: { firstByteMs: firstByte ?? timeouts.firstByteMs, idleMs: idle ?? timeouts.idleMs },
    folder: resolveFile('.'),
  };
}

/** Any of the three keys says that the server needs a token, also an empty `token`. */
function toToken(document: CascadeDocument, { resolveFile }: BackendContext): TokenSettings | null {
  const { token, token_file: file, token_command: command } = document;
  if (token === undefined && file === undefined && command === undefined) return null;
  return {
    value: token?.secret ?? null,
    file: file === undefined ? null : resolveFile(file),
    command: command === undefined ? null : resolveProgram(command, resolveFile),
  };
}

/** A program with a slash in its name is a file, and begins where all files of the configuration begin; one without is looked for in PATH. */
function resolveProgram([program, ...words]: readonly [string, ...string[]], resolveFile: (path: string) => string): string[] {
  return [program.includes('/') ? resolveFile(program) : program, ...words];
}

function toRemoteBackend(document: RemoteDocument, { name, origin, timeouts, resolveFile }: BackendContext): RemoteBackend {
  const { connect, first_byte: firstByte, idle } = document.timeouts ?? {};
  return {
    name,
    origin,
    headers: toHeaders(document.headers),
    caFile: document.ca_file === undefined ? null : resolveFile(document.ca_file),
    timeouts: {
      connectMs: connect ?? timeouts.connectMs,
      firstByteMs: firstByte ?? timeouts.firstByteMs,
      idleMs: idle ?? timeouts.idleMs,
    },
  };
}

function toHeaders(headers: Readonly<Record<string, string>> = {}): ReadonlyMap<string, Secret> {
  return new Map(Object.entries(headers).map(([header, value]) => [header.toLowerCase(), new Secret(value)]));
}

/** Whether a credential would cross a network in the clear. */
export function sendsSecretInClear(backend: BackendSettings): boolean {
  // Where a provider of the AI SDK sends its key, only the provider knows.
  if (backend.type === 'rehearsal' || backend.type === 'ai-sdk' || backend.baseUrl === null) return false;
  const { protocol, hostname } = new URL(backend.baseUrl);
  return protocol === 'http:' && !isLoopback(hostname) && sendsSecret(backend);
}

function sendsSecret(backend: Exclude<BackendSettings, { type: 'rehearsal' | 'ai-sdk' }>): boolean {
  return backend.type === 'cascade' ? (backend.csrfToken ?? backend.token) !== null : backend.apiKey !== null;
}
