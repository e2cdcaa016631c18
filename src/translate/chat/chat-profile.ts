import type { ToolNameRule } from '../tool-names.ts';

const vendors = ['openai', 'ollama', 'llamacpp', 'vllm', 'openrouter', 'deepseek', 'groq', 'mistral', 'generic'] as const;

/** Servers whose dialect of chat completions we know (backends.md C). `generic` is what all others get. */
export type ChatVendor = (typeof vendors)[number];

/** Where a server wants its reasoning effort; `none` = it knows no such thing. */
type EffortStyle =
  'reasoning-effort' | 'reasoning-object' | 'thinking-switch' | 'template' | 'low-to-high' | 'groq' | 'mistral' | 'none';

/** What one server accepts and expects. `generic` is the common subset. */
export interface ChatProfile {
  readonly vendor: ChatVendor;
  /** This machine or the private network: it must never be made to fetch a URL a client names. */
  readonly isLocal: boolean;
  /** It fetches image URLs by itself. */
  readonly fetchesUrls: boolean;
  /** `developer` is a role of its own and system messages may stand anywhere; else they become one system message at the beginning. */
  readonly hasDeveloperRole: boolean;
  /** Its models have chat templates that refuse two user messages in a row, an assistant message without content or system text alone. */
  readonly hasStrictTemplates: boolean;
  readonly acceptsImages: boolean;
  /** How a PDF is handed over. */
  readonly files: 'file-part' | 'document-url' | 'none';
  readonly imageDetail: boolean;
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens';
  readonly toolNameRule: ToolNameRule;
  /** `ignored`: the server does not look at tool_choice. `words`: only none/auto/required. */
  readonly toolChoice: 'named' | 'words' | 'any' | 'ignored';
  /** What it does without `parallel_tool_calls`; null = it does not know the field. */
  readonly parallelByDefault: boolean | null;
  readonly enforcesStrict: boolean;
  /** `unsupported`: the schema is put into the prompt. `by-model`: Groq. */
  readonly jsonSchema: 'native' | 'by-model' | 'unsupported';
  readonly effort: EffortStyle;
  readonly logprobs: boolean;
  readonly topK: boolean;
  /** Null: it has no seed. */
  readonly seedField: 'seed' | 'random_seed' | null;
  /** How many texts may end an answer. */
  readonly maxStops: number;
  readonly verbosity: boolean;
  readonly serviceTier: boolean;
  /** It knows `prompt_cache_key` and `safety_identifier`. */
  readonly hints: boolean;
  /** It usually parses arguments of the history, so they have to be a JSON object. */
  readonly parsesArguments: boolean;
  readonly hasRefusalField: boolean;
  /** Mistral: call ids of 9 characters, `name` on tool messages, no user message right after a tool message, `prefix` on a last assistant message. */
  readonly isMistral: boolean;
  /** A server that leaves `<think>…</think>` in the text (opt-in by config: elsewhere such text is the answer). */
  readonly thinkTags: boolean;
}

const openaiNames: ToolNameRule = { pattern: /^[a-zA-Z0-9_-]+$/, maxLength: 64 };

/** The safe common subset: what every server accepts, and nothing that some refuse. */
const generic: Omit<ChatProfile, 'isLocal' | 'thinkTags'> = {
  vendor: 'generic',
  fetchesUrls: true,
  hasDeveloperRole: false,
  hasStrictTemplates: true,
  acceptsImages: true,
  files: 'none',
  imageDetail: false,
  maxTokensField: 'max_tokens',
  toolNameRule: openaiNames,
  toolChoice: 'words',
  parallelByDefault: null,
  enforcesStrict: false,
  jsonSchema: 'native',
  effort: 'none',
  logprobs: false,
  topK: false,
  seedField: 'seed',
  maxStops: Infinity,
  verbosity: false,
  serviceTier: false,
  hints: false,
  parsesArguments: true,
  hasRefusalField: false,
  isMistral: false,
};

const dialects: { readonly [vendor in ChatVendor]: Partial<Omit<ChatProfile, 'isLocal' | 'thinkTags'>> } = {
  generic: {},
  openai: {
    hasDeveloperRole: true,
    hasStrictTemplates: false,
    files: 'file-part',
    imageDetail: true,
    maxTokensField: 'max_completion_tokens',
    toolChoice: 'named',
    parallelByDefault: true,
    enforcesStrict: true,
    effort: 'reasoning-effort',
    logprobs: true,
    maxStops: 4,
    verbosity: true,
    serviceTier: true,
    hints: true,
    parsesArguments: false,
    hasRefusalField: true,
  },
  ollama: { fetchesUrls: false, toolChoice: 'ignored', effort: 'reasoning-effort' },
  llamacpp: { fetchesUrls: false, parallelByDefault: false, effort: 'template', logprobs: true, topK: true },
  vllm: {
    maxTokensField: 'max_completion_tokens',
    toolChoice: 'named',
    parallelByDefault: true,
    effort: 'low-to-high',
    logprobs: true,
    topK: true,
  },
  openrouter: {
    files: 'file-part',
    imageDetail: true,
    toolChoice: 'named',
    parallelByDefault: true,
    enforcesStrict: true,
    effort: 'reasoning-object',
    logprobs: true,
    topK: true,
    verbosity: true,
  },
  deepseek: {
    fetchesUrls: false,
    acceptsImages: false,
    toolChoice: 'named',
    jsonSchema: 'unsupported',
    effort: 'thinking-switch',
    logprobs: true,
    seedField: null,
    maxStops: 16,
  },
  groq: {
    maxTokensField: 'max_completion_tokens',
    toolChoice: 'named',
    parallelByDefault: true,
    jsonSchema: 'by-model',
    effort: 'groq',
    maxStops: 4,
  },
  mistral: {
    files: 'document-url',
    toolChoice: 'any',
    parallelByDefault: true,
    effort: 'mistral',
    seedField: 'random_seed',
    isMistral: true,
  },
};

/** The profile of a server. `baseUrl` decides whether it is local and, unless `vendor` is given, whose dialect it speaks. */
export function createChatProfile(options: {
  readonly baseUrl: string;
  readonly vendor?: ChatVendor;
  readonly thinkTags?: boolean;
}): ChatProfile {
  const vendor = options.vendor ?? detectChatVendor(options.baseUrl);
  const isLocal = isLocalHost(hostOf(options.baseUrl).hostname);
  const profile = { ...generic, ...dialects[vendor], vendor };
  return {
    ...profile,
    fetchesUrls: profile.fetchesUrls && !isLocal,
    // LM Studio and its like take it; of strangers elsewhere some refuse the whole request.
    topK: profile.topK || (vendor === 'generic' && isLocal),
    isLocal,
    thinkTags: options.thinkTags ?? false,
  };
}

/** Whether a word from the config names a dialect. */
export function isChatVendor(word: string): word is ChatVendor {
  return vendors.some((vendor) => vendor === word);
}

/** Whose dialect a server speaks, by its host, and on a local host by the port its vendor uses by default. */
export function detectChatVendor(baseUrl: string): ChatVendor {
  const { hostname, port } = hostOf(baseUrl);
  const known = hosts.find(({ host }) => hostname === host || hostname.endsWith(`.${host}`));
  if (known !== undefined) return known.vendor;
  if (port === '11434') return 'ollama';
  return isLocalHost(hostname) ? (localPorts[port] ?? 'generic') : 'generic';
}

const hosts: readonly { readonly host: string; readonly vendor: ChatVendor }[] = [
  { host: 'api.openai.com', vendor: 'openai' },
  { host: 'openrouter.ai', vendor: 'openrouter' },
  { host: 'api.deepseek.com', vendor: 'deepseek' },
  { host: 'api.groq.com', vendor: 'groq' },
  { host: 'api.mistral.ai', vendor: 'mistral' },
  { host: 'ollama.com', vendor: 'ollama' },
];

/** 1234 is LM Studio, whose dialect is the common subset. */
const localPorts: { readonly [port: string]: ChatVendor } = { '8080': 'llamacpp', '8000': 'vllm', '1234': 'generic' };

function hostOf(baseUrl: string): { hostname: string; port: string } {
  if (!URL.canParse(baseUrl)) return { hostname: '', port: '' };
  const { hostname, port } = new URL(baseUrl);
  return { hostname: hostname.toLowerCase(), port };
}

/** Loopback, private and link-local addresses, and names without a public suffix. An unreadable host counts as local: the safe side. */
function isLocalHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!host.includes('.') && !host.includes(':')) return true;
  if (/\.(local|localhost|internal|lan|home|home\.arpa)$/.test(host)) return true;
  if (/^(127|10|0)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(host))
    return true;
  // ::1, ::, unique local, link local; an IPv4 address inside an IPv6 one is hidden well enough to count as local.
  return /^(::1|::|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*|::ffff:.*)$/.test(host);
}
