import type { LogProb } from '../responses/items.ts';

/** What `POST /v1/chat/completions` answers: OpenAI's completion and chunks (openai 6.49), as this gateway emits them. */

export type ChatFinishReason = 'stop' | 'length' | 'tool_calls' | 'function_call' | 'content_filter';

export interface ChatAnnotation {
  type: 'url_citation';
  /** Indices count UTF-16 code units of `content`, the end is exclusive. */
  url_citation: { url: string; title: string; start_index: number; end_index: number };
}

/** Sealed reasoning, in the form that OpenRouter's clients keep and send back. `data` is opaque. */
export interface ChatReasoningDetail {
  type: 'reasoning.encrypted';
  id: string;
  data: string;
  format: 'antiphon-v1';
  /** Counts the details of one message from 0: clients merge by it. */
  index: number;
}

export interface ChatLogprobs {
  content: LogProb[];
  refusal: null;
}

export interface ChatUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number; cache_write_tokens: number; audio_tokens: number };
  completion_tokens_details: {
    reasoning_tokens: number;
    audio_tokens: number;
    accepted_prediction_tokens: number;
    rejected_prediction_tokens: number;
  };
}

interface ChatFunction {
  name: string;
  /** JSON text. */
  arguments: string;
}

interface ChatAnswerCall {
  id: string;
  type: 'function';
  function: ChatFunction;
}

export interface ChatAnswerMessage {
  role: 'assistant';
  /** Null when the model said nothing. */
  content: string | null;
  refusal: string | null;
  annotations: ChatAnnotation[];
  /** Thinking text; absent when there is none to show. */
  reasoning_content?: string;
  reasoning_details?: ChatReasoningDetail[];
  tool_calls?: ChatAnswerCall[];
  /** Instead of `tool_calls`, where the request spoke of `functions`. */
  function_call?: ChatFunction;
}

export interface ChatCompletion {
  id: string;
  object: 'chat.completion';
  /** Unix seconds. */
  created: number;
  model: string;
  system_fingerprint: null;
  choices: [{ index: 0; message: ChatAnswerMessage; logprobs: ChatLogprobs | null; finish_reason: ChatFinishReason }];
  usage: ChatUsage;
}

/** One entry of `delta.tool_calls`: `id`, `type` and `name` come once, in the first delta of a call. */
interface ChatCallDelta {
  index: number;
  id?: string;
  type?: 'function';
  function: { name?: string; arguments: string };
}

export interface ChatDelta {
  role?: 'assistant';
  content?: string;
  refusal?: string | null;
  reasoning_content?: string;
  reasoning_details?: ChatReasoningDetail[];
  annotations?: ChatAnnotation[];
  tool_calls?: [ChatCallDelta];
  function_call?: { name?: string; arguments: string };
}

interface ChatChunkChoice {
  index: 0;
  delta: ChatDelta;
  logprobs: ChatLogprobs | null;
  finish_reason: ChatFinishReason | null;
}

export interface ChatCompletionChunk {
  id: string;
  object: 'chat.completion.chunk';
  created: number;
  model: string;
  system_fingerprint: null;
  /** Empty in the chunk that brings the usage. */
  choices: [] | [ChatChunkChoice];
  /** Only where the client asked for it: null in every chunk but the last. */
  usage?: ChatUsage | null;
}

/** Ends a stream that failed: no `finish_reason` and no `[DONE]` comes with it. */
export interface ChatStreamError {
  error: { message: string; type: string; param: string | null; code: string | null };
}
