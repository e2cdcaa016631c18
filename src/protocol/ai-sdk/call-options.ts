/** What a LanguageModelV3 is called with (@ai-sdk/provider 3.0), as we send it. */
export interface AiSdkCallOptions {
  prompt: readonly AiSdkMessage[];
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  seed?: number;
  stopSequences?: string[];
  responseFormat?: AiSdkResponseFormat;
  tools?: readonly AiSdkTool[];
  toolChoice?: AiSdkToolChoice;
  providerOptions?: AiSdkProviderOptions;
  headers?: Readonly<Record<string, string>>;
  abortSignal?: AbortSignal;
}

/** By the provider's own name: what only it understands. Its metadata goes back in the same form. */
export type AiSdkProviderOptions = { readonly [provider: string]: { readonly [name: string]: unknown } };

interface WithOptions {
  providerOptions?: AiSdkProviderOptions;
}

export interface AiSdkTextPart extends WithOptions {
  type: 'text';
  text: string;
}

export interface AiSdkFilePart extends WithOptions {
  type: 'file';
  filename?: string;
  /** Base64, or where it lies. */
  data: string | URL;
  /** May be `image/*`. */
  mediaType: string;
}

export interface AiSdkReasoningPart extends WithOptions {
  type: 'reasoning';
  text: string;
}

export interface AiSdkToolCallPart extends WithOptions {
  type: 'tool-call';
  toolCallId: string;
  toolName: string;
  /** Parsed JSON. */
  input: unknown;
}

export interface AiSdkToolResultPart {
  type: 'tool-result';
  toolCallId: string;
  toolName: string;
  output: AiSdkToolOutput;
}

export type AiSdkToolOutput =
  | { type: 'text'; value: string }
  | { type: 'error-text'; value: string }
  | { type: 'content'; value: readonly AiSdkOutputPart[] };

export type AiSdkOutputPart =
  | { type: 'text'; text: string }
  | { type: 'image-data'; data: string; mediaType: string }
  | { type: 'file-data'; data: string; mediaType: string; filename?: string };

export type AiSdkUserPart = AiSdkTextPart | AiSdkFilePart;
export type AiSdkAssistantPart = AiSdkTextPart | AiSdkReasoningPart | AiSdkToolCallPart;

export type AiSdkMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: AiSdkUserPart[] }
  | { role: 'assistant'; content: AiSdkAssistantPart[] }
  | { role: 'tool'; content: AiSdkToolResultPart[] };

interface AiSdkTool {
  type: 'function';
  name: string;
  description?: string;
  inputSchema: { readonly [key: string]: unknown };
  strict?: boolean;
}

export type AiSdkToolChoice = { type: 'auto' | 'none' | 'required' } | { type: 'tool'; toolName: string };

export interface AiSdkResponseFormat {
  type: 'json';
  schema?: { readonly [key: string]: unknown };
  name?: string;
  description?: string;
}
