/** Body of `POST {base}/responses` as this gateway sends it to another server: stateless, whole history. */
export interface CreateResponseBody {
  model: string;
  input: BodyItem[];
  store: false;
  instructions?: string;
  stream?: true;
  stream_options?: { include_obfuscation: false };
  include?: string[];
  tools?: BodyTool[];
  tool_choice?: BodyToolChoice;
  parallel_tool_calls?: false;
  text?: { format?: BodyFormat; verbosity?: string };
  reasoning?: { effort?: string; summary?: string };
  max_output_tokens?: number;
  temperature?: number;
  top_p?: number;
  top_logprobs?: number;
  service_tier?: string;
  prompt_cache_key?: string;
  safety_identifier?: string;
  // Not OpenAI's; some servers take them.
  presence_penalty?: number;
  frequency_penalty?: number;
  top_k?: number;
  seed?: number;
  stop?: string[];
}

/** No item carries an id that a server would look up, but reasoning where a server's schema wants one. */
export type BodyItem =
  | { type: 'message'; role: 'system' | 'developer' | 'user' | 'assistant'; content: string | BodyPart[]; phase?: string }
  | { type: 'function_call'; call_id: string; name: string; arguments: string }
  | { type: 'function_call_output'; call_id: string; output: string | BodyInputPart[] }
  | {
      type: 'reasoning';
      id?: string;
      summary: { type: 'summary_text'; text: string }[];
      content?: { type: 'reasoning_text'; text: string }[];
      encrypted_content?: string;
    };

export type BodyInputPart =
  | { type: 'input_text'; text: string }
  | { type: 'input_image'; image_url: string; detail?: string }
  | { type: 'input_file'; filename?: string; file_data?: string; file_url?: string };

type BodyPart = BodyInputPart | { type: 'output_text'; text: string } | { type: 'refusal'; refusal: string };

export type BodyTool =
  | {
      type: 'function';
      name: string;
      description?: string;
      parameters: { readonly [key: string]: unknown };
      strict: boolean;
    }
  /** A tool of the server, as the client wrote it. */
  | { readonly [key: string]: unknown };

export type BodyToolChoice =
  | 'none'
  | 'required'
  | { type: 'function'; name: string }
  | { type: 'allowed_tools'; mode: 'required'; tools: { type: 'function'; name: string }[] };

export type BodyFormat =
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      name: string;
      description?: string;
      schema: { readonly [key: string]: unknown };
      strict: boolean;
    };
