import type { InputItemParam } from './items.ts';

export interface FunctionToolParam {
  type: 'function';
  name: string;
  description: string | null;
  parameters: { readonly [key: string]: unknown } | null;
  /** What is applied: false unless the client asked for it. */
  strict: boolean;
}

/** Any tool type but `function`, as the client wrote it. */
interface OtherToolParam {
  type: 'other';
  toolType: string;
  raw: { readonly [key: string]: unknown };
}

export type ToolParam = FunctionToolParam | OtherToolParam;

export type ToolChoiceParam =
  | 'none'
  | 'auto'
  | 'required'
  | { type: 'function'; name: string }
  | { type: 'allowed_tools'; mode: 'auto' | 'required'; tools: { type: string; name?: string }[] }
  /** A hosted tool, or another kind of tool by name. */
  | { type: 'other'; toolType: string; raw: { readonly [key: string]: unknown } };

export type TextFormatParam =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      name: string;
      description: string | null;
      schema: { readonly [key: string]: unknown };
      strict: boolean;
    };

export interface ReasoningParam {
  effort: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | null;
  summary: 'auto' | 'concise' | 'detailed' | null;
}

/** Body of `POST /v1/responses` after parsing: every default filled in, null where a field is absent and has no default (protocol.md §1.2). */
export interface CreateResponseRequest {
  model: string | null;
  /** `paths[i]` of `input[i]` is `input[i]`; a string input is one user message with path `input`. */
  input: InputItemParam[];
  instructions: string | null;
  previous_response_id: string | null;
  conversation: string | null;
  store: boolean;
  background: boolean;
  stream: boolean;
  include: string[];
  tools: ToolParam[];
  tool_choice: ToolChoiceParam;
  parallel_tool_calls: boolean;
  max_tool_calls: number | null;
  max_output_tokens: number | null;
  temperature: number | null;
  top_p: number | null;
  top_logprobs: number | null;
  presence_penalty: number | null;
  frequency_penalty: number | null;
  text: { format: TextFormatParam; verbosity: 'low' | 'medium' | 'high' | null };
  reasoning: ReasoningParam | null;
  truncation: 'auto' | 'disabled';
  metadata: Record<string, string>;
  service_tier: string | null;
  safety_identifier: string | null;
  prompt_cache_key: string | null;
  prompt_cache_retention: 'in_memory' | '24h' | null;
  user: string | null;
  /** Seconds; our one extension. */
  timeout: number | null;
  // Not in the Responses API; other front doors have them.
  /** Texts that end the answer and are not part of it. */
  stop: string[];
  seed: number | null;
  top_k: number | null;
  /** Tokens the model may think for, where a client says it in tokens; it then wins over `reasoning.effort`. */
  thinking_budget: number | null;
  /**
   * The door itself asks for thinking text, because its dialect has no word for it (`reasoning.summary`). It is shown where it is to be had, changes nothing else, and nobody misses it where not.
   */
  wishes_summary: boolean;
}
