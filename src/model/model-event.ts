import type { GatewayError } from './errors.ts';
import type { Loss } from './loss.ts';
import type { ReasoningState } from './reasoning-state.ts';
import type { ShownStream } from './shown-stream.ts';

/**
 * What a model did, in the order it did it. Backends speak only this; they know nothing of ids, indices, `*.added` or `*.done`.
 * A batch is what one upstream read brought. The rules a backend keeps:
 * - Calls may interleave: every `call-*` names its `callId`; the engine lets later ones wait for the open one.
 * - `call-end` is sent only when the arguments have arrived whole. A call that was cut has no `call-end`.
 * - `finish` comes once, last; or `failure` comes once, last. A stream that ends with neither counts as cut off.
 */
export type ModelEvent =
  | { readonly type: 'text-delta'; readonly delta: string; readonly logprobs?: readonly TokenLogprob[] }
  /** The next `text-delta` begins a new message: an agent that works in steps says something in each of them. */
  | { readonly type: 'message-break' }
  | { readonly type: 'refusal-delta'; readonly delta: string }
  /** Thinking text. It goes to `reasoning.summary`. */
  | { readonly type: 'reasoning-delta'; readonly delta: string }
  /** The next `reasoning-delta` begins a new summary part. */
  | { readonly type: 'reasoning-break' }
  /** Something the model wants back with the next turn (signature, signed thinking). Belongs to the open reasoning, or stands here by itself. */
  | { readonly type: 'reasoning-state'; readonly state: ReasoningState }
  | { readonly type: 'call-start'; readonly callId: string; readonly name: string }
  /** A piece of the arguments, JSON text. */
  | { readonly type: 'call-delta'; readonly callId: string; readonly delta: string }
  | { readonly type: 'call-end'; readonly callId: string }
  /** A source of the text so far. Indices count UTF-16 code units in the text of the current message. */
  | { readonly type: 'annotation'; readonly annotation: UrlCitation }
  /** The backend searched the web by itself. */
  | { readonly type: 'web-search'; readonly queries: readonly string[]; readonly sources: readonly string[] }
  /** What has been counted so far; the last one wins, field by field. */
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  /** Which model really answered, where the backend says so. */
  | { readonly type: 'served-model'; readonly model: string }
  /** A loss that could be seen only now. */
  | { readonly type: 'loss'; readonly loss: Loss }
  /** Which of the request's `stop` ended the answer. Comes before the `finish`. */
  | { readonly type: 'stop-sequence'; readonly sequence: string }
  | { readonly type: 'finish'; readonly reason: FinishReason }
  | { readonly type: 'failure'; readonly error: GatewayError };

/** What a turn brings: what the model did, and in a native turn also the bytes that said it. */
export type TurnEvent = ModelEvent | NativeEvent;

/** Of native turns only: the answer as the server wrote it, beside what was read in it. */
export type NativeEvent =
  /** The server answers in the framing that the client asked for. In the first batch. `headers` are for the client; the content type is among them. */
  | {
      readonly type: 'native-head';
      readonly headers: Readonly<Record<string, string>>;
      /** Of a Responses stream, which can be carried on in our words; null: the client's dialect has no way to. */
      readonly shown: ShownStream | null;
    }
  /** Whole frames that this batch brought, once in a batch. `isEnd`: the client sees in them how the answer ended, so nothing is to be written after it. */
  | { readonly type: 'native'; readonly bytes: Uint8Array; readonly isEnd: boolean }
  /** Where `shown` is not null: the server broke a rule of its dialect. What stands behind this in the batch, and all batches after it, has to be written. */
  | { readonly type: 'native-break' };

/** Why a model stopped: by itself (with or without calls), at `max_output_tokens`, by a filter, or because our time for it was over. */
export type FinishReason = 'stop' | 'length' | 'content-filter' | 'timeout';

/** Token counts as the backend reports them; absent = not reported. `outputTokens` includes thinking, `inputTokens` includes cached ones. */
export type TokenUsage = { readonly [Key in (typeof usageKeys)[number]]?: number };

/** All counts there are. */
export const usageKeys = [
  'inputTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'totalTokens',
] as const;

/** OpenAI's url_citation; `startIndex`/`endIndex` are UTF-16 code units in the message text, the end is exclusive. */
export interface UrlCitation {
  readonly url: string;
  readonly title: string;
  readonly startIndex: number;
  readonly endIndex: number;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  /** UTF-8 bytes of the token. */
  readonly bytes: readonly number[];
  readonly topLogprobs: readonly { readonly token: string; readonly logprob: number; readonly bytes: readonly number[] }[];
}
