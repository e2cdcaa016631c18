import type { OutputItem } from './items.ts';
import type { CreateResponseRequest, ReasoningParam } from './request.ts';

export interface ResponseUsage {
  input_tokens: number;
  input_tokens_details: { cached_tokens: number; cache_write_tokens: number };
  output_tokens: number;
  output_tokens_details: { reasoning_tokens: number };
  total_tokens: number;
}

export interface ResponseErrorObject {
  code: string;
  message: string;
  /** @ai-sdk/openai refuses a body whose error has no type. */
  type: string;
  param: string | null;
}

type ResponseStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/** The Response object: every key of OpenAI's newest recordings, in their order; values satisfy the Open Responses schema too (protocol.md §1.3). */
export interface ResponseResource {
  id: string;
  object: 'response';
  created_at: number;
  status: ResponseStatus;
  background: boolean;
  completed_at: number | null;
  /** Only when the request named one. */
  conversation?: { id: string };
  error: ResponseErrorObject | null;
  frequency_penalty: number;
  incomplete_details: { reason: string } | null;
  instructions: string | null;
  max_output_tokens: number | null;
  max_tool_calls: number | null;
  model: string;
  moderation: null;
  output: OutputItem[];
  parallel_tool_calls: boolean;
  presence_penalty: number;
  previous_response_id: string | null;
  prompt_cache_key: string | null;
  prompt_cache_retention: CreateResponseRequest['prompt_cache_retention'];
  reasoning: ReasoningParam;
  safety_identifier: string | null;
  service_tier: string;
  store: boolean;
  temperature: number;
  text: { format: { readonly [key: string]: unknown }; verbosity: 'low' | 'medium' | 'high' };
  tool_choice: string | { readonly [key: string]: unknown };
  tools: { readonly [key: string]: unknown }[];
  top_logprobs: number;
  top_p: number;
  truncation: CreateResponseRequest['truncation'];
  usage: ResponseUsage | null;
  user: string | null;
  metadata: Record<string, string>;
}
