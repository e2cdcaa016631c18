import type { Secret } from '../model/secret.ts';

/** Everything the gateway is told from outside: complete, checked, with all defaults filled in. Lengths of time are milliseconds. */
export interface Settings {
  /** The configuration file that was read, or null. */
  readonly configFile: string | null;
  /** Absolute path of the folder for what must outlive the process. */
  readonly dataDirectory: string;
  readonly server: ServerSettings;
  readonly store: StoreSettings;
  readonly retention: RetentionSettings;
  readonly backends: readonly BackendSettings[];
  readonly taps: readonly TapSettings[];
  readonly models: ModelSettings;
  readonly routing: RoutingSettings;
  readonly timeouts: TimeoutSettings;
  readonly keepAlive: KeepAliveSettings;
  readonly log: LogSettings;
  /** Base64 of 32 bytes each, the first one seals; empty: the key in the data directory. */
  readonly envelopeKeys: readonly Secret[];
  /** Whether model servers on the usual loopback ports are looked for. Keys in the environment have been looked for already. */
  readonly probesLocalServers: boolean;
  /** What works but is probably not meant, one sentence each. */
  readonly warnings: readonly string[];
}

export interface ServerSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** API keys of clients; empty: no key is asked for, and only loopback may be bound. */
  readonly keys: readonly Secret[];
  /** Opens the routes that change the gateway itself (`POST /v1/token`); null: there are none. Never one of `keys`. */
  readonly adminKey: Secret | null;
  /** Names a `Host` header may carry besides loopback and the bound address. */
  readonly allowedHosts: readonly string[];
  /** Web origins that may call from a browser. */
  readonly allowedOrigins: readonly string[];
  /** Cap on a request body, after decompression. */
  readonly maxBodyBytes: number;
  /** How long running responses may go on after SIGTERM. */
  readonly shutdownMs: number;
}

export type StoreSettings =
  | { readonly type: 'memory' }
  | { readonly type: 'sqlite'; readonly file: string; readonly synchronous: 'normal' | 'full'; readonly busyTimeoutMs: number };

export interface RetentionSettings {
  /** Null: no limit by age. */
  readonly maxAgeMs: number | null;
  /** Null: no limit by size. */
  readonly maxBytes: number | null;
}

/** How long one call to a model server may wait for each step. */
export interface UpstreamTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
}

export interface TimeoutSettings extends UpstreamTimeouts {
  /** For a whole response, when the request names no `timeout`. */
  readonly totalMs: number;
  /** The most that a request's `timeout` may ask for. */
  readonly maxTotalMs: number;
}

interface KeepAliveSettings {
  readonly commentMs: number;
  readonly eventMs: number;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface LogSettings {
  readonly level: (typeof logLevels)[number];
  /** Whether prompts and answers may stand in the log. */
  readonly content: boolean;
}

export interface ModelSettings {
  readonly defaultModel: string | null;
  /** Name that clients use → an ordered fallback; the models of one step of it are equals. No model in it is an alias. */
  readonly aliases: ReadonlyMap<string, readonly (readonly string[])[]>;
}

export interface RoutingSettings {
  /** How often the models of one step are asked again. */
  readonly retries: number;
  /** Retries a backend may get, as a share of its requests. */
  readonly retryBudget: number;
  /** Null: no circuit breakers. */
  readonly breaker: { readonly failures: number; readonly windowMs: number; readonly cooldownMs: number } | null;
  /** How long a session stays with one of several equals after its last request; null: it does not. */
  readonly stickinessMs: number | null;
}

/** The same words as in `translate/chat/chat-profile`, which this room may not import; gateway.test.ts compares them. */
export const chatVendors = [
  'openai',
  'ollama',
  'llamacpp',
  'vllm',
  'openrouter',
  'deepseek',
  'groq',
  'mistral',
  'generic',
] as const;
export type ChatVendor = (typeof chatVendors)[number];

export type BackendSettings =
  GeminiSettings | AnthropicSettings | ResponsesSettings | ChatSettings | CascadeSettings | AiSdkSettings | RehearsalSettings;

interface BackendOrigin {
  /** What stands before the slash in `backend/model`. */
  readonly name: string;
  /** For the start-up lines: `from antiphon.yaml`, `from GEMINI_API_KEY`, `found on 127.0.0.1:11434`. */
  readonly origin: string;
}

export interface RemoteBackend extends BackendOrigin {
  /** Sent with every call. They may carry credentials. */
  readonly headers: ReadonlyMap<string, Secret>;
  /** Absolute path of a PEM file with further certificate authorities, or null. */
  readonly caFile: string | null;
  readonly timeouts: UpstreamTimeouts;
}

export interface GeminiSettings extends RemoteBackend {
  readonly type: 'gemini';
  /** Null: Google's address. */
  readonly baseUrl: string | null;
  readonly apiKey: Secret;
}

export interface AnthropicSettings extends RemoteBackend {
  readonly type: 'anthropic';
  /** With or without `/v1`; null: Anthropic's address. */
  readonly baseUrl: string | null;
  /** Null: `headers` carry the credential, or none is needed. */
  readonly apiKey: Secret | null;
  /** Whether markers are set that let the server keep what the next turn repeats. */
  readonly promptCache: 'auto' | 'off';
}

export interface ResponsesSettings extends RemoteBackend {
  readonly type: 'responses';
  /** With `/v1`, without a slash at the end; null: OpenAI's address. */
  readonly baseUrl: string | null;
  /** Null: `headers` carry the credential, or none is needed. */
  readonly apiKey: Secret | null;
}

export interface ChatSettings extends RemoteBackend {
  readonly type: 'chat';
  /** With `/v1`, without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: Secret | null;
  /** Whose dialect it speaks; null: found out from the address. */
  readonly vendor: ChatVendor | null;
  /** Whether thinking in `<think>` tags is split off the text; null: as the vendor needs it. */
  readonly thinkTags: boolean | null;
}

/** An agent server that the user runs (`type: cascade`). */
export interface CascadeSettings extends RemoteBackend {
  readonly type: 'cascade';
  /** `http://` or `https://`, without a slash at the end. */
  readonly baseUrl: string;
  /** Value of the CSRF header, where the server was started with one. */
  readonly csrfToken: Secret | null;
  /** Null: the server needs no access token. */
  readonly token: TokenSettings | null;
  /** Name of the tap between the agent server and its model API, or null. */
  readonly tap: string | null;
  /** Whether the agent server's own tools stay. */
  readonly ownTools: 'keep' | 'drop';
  /** Public model id → the server's enum; added to what the server lists. */
  readonly models: ReadonlyMap<string, string>;
  /** Public model id that `NAME/default` means; null: the first one the server lists. */
  readonly defaultModel: string | null;
  /** Which field of the planner configuration names the model; builds differ. */
  readonly modelField: 'both' | 'plan' | 'requested' | 'uid';
  /** `file://` URIs of the folders a new cascade may work in. */
  readonly workspaceUris: readonly string[];
}

/** Where an access token comes from, in this order: set at runtime, `value`, `file`, `command`. All null: it must be set at runtime. */
export interface TokenSettings {
  readonly value: Secret | null;
  /** Absolute path; readable by its owner only. Read again after a 401. */
  readonly file: string | null;
  /** Program and arguments whose output is a fresh token; run after a 401 and when there is no token. */
  readonly command: readonly string[] | null;
}

/** A proxy between an agent server and its model API. */
export interface TapSettings {
  readonly name: string;
  readonly mode: 'reverse' | 'forward';
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Base URL of the model API. Null only in forward mode: then calls go where the agent server sends them. */
  readonly upstream: string | null;
  /** Absolute path of a PEM file with authorities to trust in addition, or null. */
  readonly upstreamCaFile: string | null;
  /** `host` or `host:port`: where CONNECT may lead; also the name constraints of the CA. In reverse mode: further names a `Host` header may carry. */
  readonly hosts: readonly string[];
  /** `user:password` of the proxy (forward mode); null: generated and printed. */
  readonly credential: Secret | null;
}

/** A provider of the Vercel AI SDK that the user has installed (`type: ai-sdk`). It does its own HTTP. */
export interface AiSdkSettings extends BackendOrigin {
  readonly type: 'ai-sdk';
  readonly package: string;
  /** What the provider's factory is given, as JSON text: nobody knows which of it is secret. */
  readonly options: Secret;
  readonly modelIds: readonly string[];
  readonly headers: ReadonlyMap<string, Secret>;
  readonly timeouts: Pick<UpstreamTimeouts, 'firstByteMs' | 'idleMs'>;
  /** Absolute path of the folder where the package is looked for first. */
  readonly folder: string;
}

interface RehearsalSettings extends BackendOrigin {
  readonly type: 'rehearsal';
}
