/**
 * Body of `POST /v1/messages` (anthropic-version 2023-06-01 and later) as we send it and as clients mean it. `from-anthropic-request` reads what clients really send by hand, member by member,
 * because a body is `unknown` until then. Members that are absent are left out, never null.
 */
export interface AnthropicRequest {
  model: string;
  max_tokens: number;
  messages: AnthropicMessage[];
  system?: AnthropicTextBlock[];
  tools?: AnthropicTool[];
  tool_choice?: AnthropicToolChoice;
  thinking?: AnthropicThinking;
  output_config?: AnthropicOutputConfig;
  stop_sequences?: string[];
  temperature?: number;
  top_p?: number;
  top_k?: number;
  metadata?: { user_id: string };
  service_tier?: 'auto' | 'standard_only';
  /** On the request itself: the server places the marker. */
  cache_control?: AnthropicCacheControl;
  stream?: boolean;
}

export interface AnthropicCacheControl {
  type: 'ephemeral';
  ttl?: '5m' | '1h';
}

/** `system` stands between the others since the beta `mid-conversation-system-2026-04-07`. */
export interface AnthropicMessage {
  role: 'user' | 'assistant' | 'system';
  content: AnthropicBlock[];
}

/** A block of a request. What an answer holds is in `answer.ts`. */
export type AnthropicBlock =
  | AnthropicTextBlock
  | AnthropicImageBlock
  | AnthropicDocumentBlock
  | AnthropicThinkingBlock
  | AnthropicRedactedThinkingBlock
  | AnthropicToolUseBlock
  | AnthropicToolResultBlock
  | AnthropicOpaqueBlock;

/** An empty one is refused. */
export interface AnthropicTextBlock {
  type: 'text';
  text: string;
  cache_control?: AnthropicCacheControl;
}

export interface AnthropicImageBlock {
  type: 'image';
  source: AnthropicImageSource;
  cache_control?: AnthropicCacheControl;
}

type AnthropicImageSource =
  { type: 'base64'; media_type: string; data: string } | { type: 'url'; url: string } | { type: 'file'; file_id: string };

export interface AnthropicDocumentBlock {
  type: 'document';
  source: AnthropicDocumentSource;
  title?: string;
  context?: string;
  citations?: { enabled: boolean };
  cache_control?: AnthropicCacheControl;
}

/** `base64` is for PDF only, `text` for `text/plain`. */
type AnthropicDocumentSource =
  | { type: 'base64'; media_type: 'application/pdf'; data: string }
  | { type: 'text'; media_type: 'text/plain'; data: string }
  | { type: 'url'; url: string }
  | { type: 'file'; file_id: string };

/** Goes back unchanged, signature and all; takes no cache marker. */
export interface AnthropicThinkingBlock {
  type: 'thinking';
  thinking: string;
  signature: string;
}

export interface AnthropicRedactedThinkingBlock {
  type: 'redacted_thinking';
  data: string;
}

export interface AnthropicToolUseBlock {
  type: 'tool_use';
  /** `^[a-zA-Z0-9_-]+$` */
  id: string;
  name: string;
  input: { readonly [key: string]: unknown };
  cache_control?: AnthropicCacheControl;
}

/** All of one assistant message stand first in the next user message. */
export interface AnthropicToolResultBlock {
  type: 'tool_result';
  tool_use_id: string;
  content?: string | AnthropicToolResultPart[];
  is_error?: boolean;
  cache_control?: AnthropicCacheControl;
}

export type AnthropicToolResultPart = AnthropicTextBlock | AnthropicImageBlock | AnthropicDocumentBlock;

/** A block of an earlier answer that goes back exactly as it came (`server_tool_use`, `web_search_tool_result` …). */
interface AnthropicOpaqueBlock {
  readonly type: 'server_tool_use' | 'web_search_tool_result';
  readonly [key: string]: unknown;
}

export type AnthropicTool = AnthropicFunctionTool | AnthropicWebSearchTool | AnthropicClientTool;

export interface AnthropicFunctionTool {
  type?: 'custom';
  name: string;
  description?: string;
  /** JSON Schema; its root must be an object. */
  input_schema: { readonly [key: string]: unknown };
  strict?: boolean;
  cache_control?: AnthropicCacheControl;
}

/** Anthropic knows how it is called; the client runs it, like a function. */
export interface AnthropicClientTool {
  type: `${'bash' | 'text_editor' | 'memory'}_${number}`;
  name: string;
  cache_control?: AnthropicCacheControl;
  readonly [setting: string]: unknown;
}

/** Runs on Anthropic's side. */
export interface AnthropicWebSearchTool {
  type: `web_search_${number}`;
  name: 'web_search';
  max_uses?: number;
  allowed_domains?: string[];
  blocked_domains?: string[];
  user_location?: { readonly [key: string]: unknown };
  cache_control?: AnthropicCacheControl;
}

/** While thinking is on, only `auto` and `none` are allowed. */
export type AnthropicToolChoice =
  | { type: 'auto'; disable_parallel_tool_use?: boolean }
  | { type: 'any'; disable_parallel_tool_use?: boolean }
  | { type: 'tool'; name: string; disable_parallel_tool_use?: boolean }
  | { type: 'none' };

/** `budget_tokens` is at least 1024 and less than `max_tokens`. */
export type AnthropicThinking =
  | { type: 'enabled'; budget_tokens: number; display?: AnthropicThinkingDisplay }
  | { type: 'adaptive'; display?: AnthropicThinkingDisplay }
  | { type: 'disabled' };

type AnthropicThinkingDisplay = 'summarized' | 'omitted';

export type AnthropicEffort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export interface AnthropicOutputConfig {
  effort?: AnthropicEffort;
  format?: { type: 'json_schema'; schema: { readonly [key: string]: unknown } };
}
