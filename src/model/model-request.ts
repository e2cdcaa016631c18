import type { JsonObject } from '../lib/json.ts';
import type { ReasoningState } from './reasoning-state.ts';

/**
 * One turn, ready for a backend: history resolved and in order, defaults filled in, references replaced by what they name. The hub of all translators.
 * `path` on parts and items is where the client wrote it (`input[3].content[0]`), so that losses can name it; resolved history has paths too
 * (`previous_response_id`).
 */
export interface ModelRequest {
  /** The upstream's model id. */
  readonly model: string;
  /** System text that stands before everything else, or null. */
  readonly instructions: string | null;
  readonly input: readonly InputItem[];
  /** Function tools the backend should offer. Already narrowed when `tool_choice` allows only some. */
  readonly tools: readonly FunctionTool[];
  /** Built-in tools (`web_search` …) the client asked for: a backend serves them or reports a loss at `path`. */
  readonly hostedTools: readonly HostedTool[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  readonly format: TextFormat;
  /** `low`, `medium`, `high`, or null when the client did not ask. */
  readonly verbosity: string | null;
  readonly reasoning: ReasoningSettings;
  /** Tokens to think for, where the client said it in tokens; wins over `reasoning.effort`. */
  readonly thinkingBudget: number | null;
  /** Null: the client did not ask; the backend's default applies. */
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  /** Texts that end the answer and are not part of it. */
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly presencePenalty: number | null;
  readonly frequencyPenalty: number | null;
  /** Null when no logprobs are wanted, else how many alternatives (0–20). */
  readonly topLogprobs: number | null;
  readonly serviceTier: string | null;
  readonly promptCacheKey: string | null;
  readonly safetyIdentifier: string | null;
  /** Whether the client wants to see the answer grow; the backend may stream upstream in either case. */
  readonly stream: boolean;
  /** Where the turn stands in a conversation, for upstreams with a memory of their own; null when only tokens are counted. */
  readonly session: TurnSession | null;
}

export interface TurnSession {
  readonly owner: string;
  /** The response that this turn makes: the next turn names it as its previous one. */
  readonly responseId: string;
  /** The response before, named by the client or by its conversation; null at the beginning of a history. */
  readonly previousResponseId: string | null;
  /** The client's name of the conversation, or null. */
  readonly conversation: string | null;
  /** How many of `input`, from its beginning, come from previous responses; the rest is this request's own. */
  readonly inheritedItems: number;
}

export type InputItem = MessageInput | ReasoningInput | CallInput | CallOutputInput;

export interface MessageInput {
  readonly type: 'message';
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: readonly ContentPart[];
  /** What an assistant's message was for, in the words of the Responses API: `commentary` or `final_answer`. */
  readonly phase?: string;
  readonly path: string;
}

/** Thinking of an earlier turn. State that belongs to calls and texts of that turn lies here too. */
export interface ReasoningInput {
  readonly type: 'reasoning';
  /** Thinking text as far as the client has it, joined by blank lines; may be empty. */
  readonly text: string;
  readonly state: ReasoningState | null;
  readonly path: string;
}

export interface CallInput {
  readonly type: 'call';
  readonly callId: string;
  readonly name: string;
  /** JSON text exactly as the client has it. */
  readonly arguments: string;
  readonly path: string;
}

/** The answer to a call; every call in `input` has exactly one. */
export interface CallOutputInput {
  readonly type: 'call-output';
  readonly callId: string;
  /** Name of the function that was called. */
  readonly name: string;
  readonly content: readonly ContentPart[];
  /** The tool failed, and the client said so. */
  readonly isError?: true;
  readonly path: string;
}

export type ContentPart =
  | { readonly type: 'text'; readonly text: string; readonly path: string }
  | { readonly type: 'refusal'; readonly text: string; readonly path: string }
  | { readonly type: 'image'; readonly source: MediaSource; readonly detail: string | null; readonly path: string }
  | { readonly type: 'file'; readonly source: MediaSource; readonly filename: string | null; readonly path: string };

/** Inline bytes, or a URL that only a backend which fetches by itself may get (never a local one: it would fetch for the client). */
export type MediaSource =
  { readonly type: 'data'; readonly mediaType: string; readonly base64: string } | { readonly type: 'url'; readonly url: string };

export interface FunctionTool {
  readonly name: string;
  readonly description: string | null;
  /** JSON Schema of the arguments, or null for a function without arguments. */
  readonly parameters: JsonObject | null;
  readonly strict: boolean;
  /** `tools[2]` */
  readonly path: string;
}

export interface HostedTool {
  readonly type: string;
  /** The tool as the client wrote it. */
  readonly settings: JsonObject;
  readonly path: string;
}

/** What the model may or must call. `names` is never empty; with `allowed` it may call none of them, with `required` it must call one of them. */
export type ToolChoice =
  | { readonly type: 'none' }
  | { readonly type: 'auto' }
  | { readonly type: 'required' }
  | { readonly type: 'allowed'; readonly names: readonly string[] }
  | { readonly type: 'required-of'; readonly names: readonly string[] };

export type TextFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json-object' }
  | {
      readonly type: 'json-schema';
      readonly name: string;
      readonly description: string | null;
      readonly schema: JsonObject;
      readonly strict: boolean;
    };

export interface ReasoningSettings {
  /** none, minimal, low, medium, high, xhigh, max; null = the model's default. */
  readonly effort: string | null;
  /** auto, concise, detailed; null = the client asked for no thinking text. */
  readonly summary: string | null;
  /** It was the gateway that asked for thinking text: only where that changes nothing else. What is lost of it is no loss. */
  readonly isWish?: true;
}
