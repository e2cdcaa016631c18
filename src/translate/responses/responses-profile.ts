import { createChatProfile, type ChatProfile } from '../chat/chat-profile.ts';

/** Servers whose dialect of the Responses API we know. `generic` is what all others get: what OpenAI documents, and nothing besides. */
type ResponsesVendor =
  'openai' | 'azure' | 'bedrock' | 'xai' | 'openrouter' | 'deepseek' | 'vllm' | 'ollama' | 'llamacpp' | 'generic';

/** What one server accepts and expects. */
export interface ResponsesProfile {
  readonly vendor: ResponsesVendor;
  /** How the same server is as a chat server: what it does with media is the same. */
  readonly chat: ChatProfile;
  /** `developer` is a role of its own; else it becomes `system`, which means the same there. */
  readonly hasDeveloperRole: boolean;
  /** When `reasoning.encrypted_content` may be asked for: OpenAI refuses it for models that do not think. */
  readonly sealedReasoning: 'always' | 'by-model' | 'never';
  /** Its models are OpenAI's, which refuse by their sort how answers are drawn and how much is thought. */
  readonly hasOpenaiModels: boolean;
  /** Any client may ask any of its models for thinking text. */
  readonly grantsSummaries: boolean;
  /** Its schema wants the ids of reasoning items; others would look them up. */
  readonly keepsReasoningIds: boolean;
  /** It takes `input_file`, and lists of parts as output of a function. */
  readonly takesFiles: boolean;
  /** The least `max_output_tokens` it takes. */
  readonly leastOutputTokens: number;
  /** Which tools besides functions it may have; `none`: an unknown tool type fails the whole request there. */
  readonly hostedTools: 'known' | 'none';
  readonly penalties: boolean;
  readonly topK: boolean;
  /** It takes `stop` and `seed`. */
  readonly stopAndSeed: boolean;
  /** It can be told to leave the padding of deltas out. */
  readonly pads: boolean;
  readonly enforcesStrict: boolean;
}

const generic: Omit<ResponsesProfile, 'chat' | 'vendor'> = {
  hasDeveloperRole: true,
  sealedReasoning: 'by-model',
  hasOpenaiModels: false,
  grantsSummaries: true,
  keepsReasoningIds: true,
  takesFiles: true,
  leastOutputTokens: 16,
  hostedTools: 'known',
  penalties: true,
  topK: false,
  stopAndSeed: false,
  pads: false,
  enforcesStrict: true,
};

const ofOpenai = { hasOpenaiModels: true, keepsReasoningIds: false, penalties: false, grantsSummaries: false } as const;
const ofOpenModels = {
  hasDeveloperRole: false,
  sealedReasoning: 'never',
  takesFiles: false,
  leastOutputTokens: 1,
  enforcesStrict: false,
} as const;

const dialects: { readonly [vendor in ResponsesVendor]: Partial<Omit<ResponsesProfile, 'chat' | 'vendor'>> } = {
  generic: {},
  openai: { ...ofOpenai, pads: true },
  azure: ofOpenai,
  bedrock: ofOpenai,
  xai: { sealedReasoning: 'always', keepsReasoningIds: false },
  openrouter: { sealedReasoning: 'always', topK: true },
  deepseek: ofOpenModels,
  vllm: { ...ofOpenModels, topK: true, stopAndSeed: true },
  ollama: { ...ofOpenModels, hostedTools: 'none' },
  llamacpp: { ...ofOpenModels, hostedTools: 'none' },
};

/** The profile of a server, by its address. */
export function createResponsesProfile(baseUrl: string): ResponsesProfile {
  const chat = createChatProfile({ baseUrl });
  const vendor = vendorOf(baseUrl, chat);
  return { ...generic, ...dialects[vendor], vendor, chat };
}

function vendorOf(baseUrl: string, { vendor }: ChatProfile): ResponsesVendor {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname.toLowerCase() : '';
  if (/\.(openai|services\.ai|cognitiveservices)\.azure\.com$/.test(host)) return 'azure';
  if (/(^|\.)bedrock-[\w-]+\./.test(host) && /\.(amazonaws\.com|api\.aws)$/.test(host)) return 'bedrock';
  if (host === 'api.x.ai') return 'xai';
  switch (vendor) {
    case 'openai':
    case 'openrouter':
    case 'deepseek':
    case 'vllm':
    case 'ollama':
    case 'llamacpp':
      return vendor;
    default:
      return 'generic';
  }
}

/** Models of OpenAI that think, whatever stands before their name (`openai/`, `openai.`). */
export function isThinkingModel(model: string): boolean {
  return /(^|[./:])(o[1-9]|gpt-([5-9]|\d\d)|codex|computer-use)/i.test(model) && !/-chat\b/i.test(model);
}
