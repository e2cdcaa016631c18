import type { AnthropicRedactedThinkingBlock, AnthropicThinkingBlock } from './request.ts';

/** Body of an unstreamed answer of `POST /v1/messages`, as we write it. What a server sends is read loosely. */
export interface AnthropicAnswer {
  id: string;
  type: 'message';
  role: 'assistant';
  model: string;
  content: AnthropicAnswerBlock[];
  /** Null only in `message_start`. */
  stop_reason: AnthropicStopReason | null;
  stop_sequence: string | null;
  usage: AnthropicUsage;
}

export type AnthropicStopReason =
  'end_turn' | 'max_tokens' | 'stop_sequence' | 'tool_use' | 'pause_turn' | 'refusal' | 'model_context_window_exceeded';

export type AnthropicAnswerBlock =
  | AnthropicAnswerText
  | AnthropicThinkingBlock
  | AnthropicRedactedThinkingBlock
  | AnthropicAnswerToolUse
  | AnthropicServerToolUse
  | AnthropicWebSearchResult;

interface AnthropicAnswerText {
  type: 'text';
  text: string;
  /** Null: none. */
  citations?: AnthropicCitation[] | null;
}

interface AnthropicAnswerToolUse {
  type: 'tool_use';
  id: string;
  name: string;
  input: { readonly [key: string]: unknown };
}

/** A search that the model server did by itself. */
export interface AnthropicServerToolUse {
  type: 'server_tool_use';
  id: string;
  name: 'web_search';
  input: { readonly query?: string };
}

export interface AnthropicWebSearchResult {
  type: 'web_search_tool_result';
  tool_use_id: string;
  content: { type: 'web_search_result'; url: string; title: string; encrypted_content: string; page_age: string | null }[];
}

export interface AnthropicCitation {
  type: 'web_search_result_location';
  url: string;
  title: string | null;
  /** The words of the source; at most 150 characters. */
  cited_text: string;
  /** What Anthropic wants back; opaque. */
  encrypted_index: string;
}

/** `input_tokens` does not include cached ones: all input is the sum of the three. `output_tokens` includes thinking. */
export interface AnthropicUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  output_tokens: number;
  output_tokens_details?: { thinking_tokens: number };
  server_tool_use?: { web_search_requests: number };
}
