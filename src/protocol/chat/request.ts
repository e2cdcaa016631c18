/** Body of `POST {base}/chat/completions` as we send it: OpenAI's fields and those of the dialects. Answers are read loosely and have no type. */

interface ChatTextPart {
  type: 'text';
  text: string;
}

interface ChatImagePart {
  type: 'image_url';
  image_url: { url: string; detail?: string };
}

interface ChatFilePart {
  type: 'file';
  file: { filename: string; file_data: string };
}

/** Mistral's way to hand over a PDF. */
interface ChatDocumentPart {
  type: 'document_url';
  document_url: string;
  document_name?: string;
}

/** Mistral's way to hand back reasoning. */
interface ChatThinkingPart {
  type: 'thinking';
  thinking: ChatTextPart[];
  closed: true;
}

export type ChatUserPart = ChatTextPart | ChatImagePart | ChatFilePart | ChatDocumentPart;

export interface ChatToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
  /** Gemini's compatible endpoint keeps its thought signature here. */
  extra_content?: unknown;
}

interface ChatSystemMessage {
  role: 'system' | 'developer';
  content: string;
}

export interface ChatUserMessage {
  role: 'user';
  content: string | ChatUserPart[];
}

export interface ChatAssistantMessage {
  role: 'assistant';
  content: string | (ChatThinkingPart | ChatTextPart)[] | null;
  tool_calls?: ChatToolCall[];
  refusal?: string;
  reasoning_content?: string;
  reasoning?: string;
  reasoning_details?: readonly unknown[];
  extra_content?: unknown;
  /** Mistral: the last message is the beginning of the answer. */
  prefix?: true;
}

interface ChatToolMessage {
  role: 'tool';
  tool_call_id: string;
  content: string;
  /** Mistral needs it, Groq refuses it. */
  name?: string;
}

export type ChatMessage = ChatSystemMessage | ChatUserMessage | ChatAssistantMessage | ChatToolMessage;

export interface ChatTool {
  type: 'function';
  function: { name: string; description?: string; parameters: { readonly [key: string]: unknown }; strict?: boolean };
}

export type ChatToolChoice = 'none' | 'auto' | 'required' | 'any' | { type: 'function'; function: { name: string } };

export type ChatResponseFormat =
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: { name: string; description?: string; schema: { readonly [key: string]: unknown }; strict?: boolean };
    };

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  stream?: true;
  stream_options?: { include_usage: true };
  tools?: ChatTool[];
  tool_choice?: ChatToolChoice;
  parallel_tool_calls?: boolean;
  response_format?: ChatResponseFormat;
  max_completion_tokens?: number;
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  /** vLLM, llama.cpp, OpenRouter, LM Studio. */
  top_k?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  seed?: number;
  /** Mistral's word for it. */
  random_seed?: number;
  stop?: string[];
  logprobs?: true;
  top_logprobs?: number;
  verbosity?: string;
  service_tier?: string;
  safety_identifier?: string;
  prompt_cache_key?: string;
  /** OpenAI, Ollama, vLLM, Groq, Mistral. */
  reasoning_effort?: string;
  /** Groq: where reasoning is put. */
  reasoning_format?: 'parsed';
  /** OpenRouter. */
  reasoning?: { effort: string } | { max_tokens: number };
  /** DeepSeek. */
  thinking?: { type: 'enabled' | 'disabled' };
  /** llama.cpp, vLLM: variables of the model's chat template. */
  chat_template_kwargs?: { readonly [key: string]: boolean | string };
}
