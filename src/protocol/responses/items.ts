/** Items and content parts of the Responses wire (OpenAI, 2026-11), as this gateway emits them and as it keeps input after parsing. */

type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export interface UrlCitationAnnotation {
  type: 'url_citation';
  url: string;
  title: string;
  start_index: number;
  end_index: number;
}

export interface LogProb {
  token: string;
  logprob: number;
  bytes: number[];
  top_logprobs: { token: string; logprob: number; bytes: number[] }[];
}

export interface OutputTextPart {
  type: 'output_text';
  text: string;
  annotations: UrlCitationAnnotation[];
  logprobs: LogProb[];
}

export interface RefusalPart {
  type: 'refusal';
  refusal: string;
}

export interface SummaryTextPart {
  type: 'summary_text';
  text: string;
}

export interface MessageItem {
  id: string;
  type: 'message';
  status: ItemStatus;
  role: 'assistant';
  content: (OutputTextPart | RefusalPart)[];
}

export interface FunctionCallItem {
  id: string;
  type: 'function_call';
  status: ItemStatus;
  call_id: string;
  name: string;
  /** JSON text; `{}` when there are none. */
  arguments: string;
}

/** `encrypted_content` is left out, never null, when the client did not ask for it (Open Responses refuses null). */
export interface ReasoningItem {
  id: string;
  type: 'reasoning';
  summary: SummaryTextPart[];
  encrypted_content?: string;
}

export interface WebSearchCallItem {
  id: string;
  type: 'web_search_call';
  status: 'in_progress' | 'searching' | 'completed' | 'failed';
  action: { type: 'search'; query: string; queries: string[]; sources?: { type: 'url'; url: string }[] };
}

export type OutputItem = MessageItem | FunctionCallItem | ReasoningItem | WebSearchCallItem;

// ---- input, after parsing: optional members are absent unless the client sent them ----

export type InputPart =
  | { type: 'input_text'; text: string }
  | { type: 'output_text'; text: string }
  | { type: 'refusal'; refusal: string }
  | { type: 'input_image'; image_url?: string; file_id?: string; detail?: string }
  | { type: 'input_file'; file_id?: string; file_data?: string; file_url?: string; filename?: string };

export interface InputMessage {
  type: 'message';
  id?: string;
  status?: string;
  role: 'user' | 'assistant' | 'system' | 'developer';
  content: InputPart[];
  phase?: string;
}

export interface InputFunctionCall {
  type: 'function_call';
  id?: string;
  status?: string;
  call_id: string;
  name: string;
  namespace?: string;
  arguments: string;
}

export interface InputFunctionCallOutput {
  type: 'function_call_output';
  id?: string;
  status?: string;
  call_id: string;
  output: string | InputPart[];
  /** The tool failed. Not in the Responses API; other front doors have it. */
  is_error?: true;
}

export interface InputReasoning {
  type: 'reasoning';
  id?: string;
  status?: string;
  summary: SummaryTextPart[];
  content?: { type: 'reasoning_text'; text: string }[];
  encrypted_content?: string;
}

interface ItemReference {
  type: 'item_reference';
  id: string;
}

/** An item type of the protocol that has no counterpart in a model request yet (custom_tool_call, web_search_call …): kept as the client wrote it. */
export interface OtherInputItem {
  type: 'other';
  id?: string;
  /** The type the client wrote. */
  itemType: string;
  raw: { readonly [key: string]: unknown };
}

export type InputItemParam =
  InputMessage | InputFunctionCall | InputFunctionCallOutput | InputReasoning | ItemReference | OtherInputItem;
