/** A call to the model API that came through the tap, its body read and decompressed. */
export interface ModelCall {
  /** Model id of the URL, decoded: `gemini-3-pro` of `/v1beta/models/gemini-3-pro:streamGenerateContent`. */
  readonly model: string;
  /** `streamGenerateContent`, else `generateContent` or `countTokens`. */
  readonly streams: boolean;
  /** The request body, decompressed. */
  readonly body: Uint8Array;
  /** Aborts when the agent server has left. */
  readonly gone: AbortSignal;
}

/** What is done with a model call. */
export type Interception =
  /** Not ours: the original bytes go on, and the answer comes back as it is. */
  | { readonly type: 'pass' }
  /** Goes on with that body (null: with the original bytes). */
  | {
      readonly type: 'forward';
      readonly body: string | null;
      /** Reads along, and may replace frames; null: the answer comes back as it is. */
      readonly answer: AnswerStage | null;
      /** Breaks off the call to the model; null: only `gone` does. */
      readonly signal: AbortSignal | null;
    }
  /** The tap answers by itself with these chunks, framed as the agent server asked. */
  | { readonly type: 'answer'; readonly chunks: readonly unknown[] };

/** One chunk of an answer as it came over the wire. */
export interface AnswerFrame {
  /** The parsed JSON; undefined for frames without any (comments, broken JSON). */
  readonly value: unknown;
  /** Text that should have been JSON and is none. */
  readonly unread?: string;
}

/** Follows the answer of one forwarded model call. All methods are synchronous; exactly one of `end` and `break` comes last. */
export interface AnswerStage {
  /** The status line. For a status that is not 2xx no frames follow; `fail` follows with the body. */
  begin(status: number): void;
  /**
   * What replaces the frame's JSON towards the agent server; undefined: the frame goes on with its exact bytes; null: it is left out. Throws when neither the frame nor anything
   * behind it may go on: the answer is broken off.
   */
  push(frame: AnswerFrame): unknown;
  /** An error status, with at most 64 KiB of its decompressed body. */
  fail(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** The body ended as it should. More chunks for the agent server, usually none. */
  end(): readonly unknown[];
  /** The answer broke off: connection lost, bad compression, an aborted signal. */
  break(): void;
}

/** Decides about every model call: `tap-sessions` implements it, `tap-server` asks it. */
export type Intercept = (call: ModelCall) => Interception;
