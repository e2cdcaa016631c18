import type { GatewayError } from './errors.ts';
import type { FinishReason, ModelEvent } from './model-event.ts';
import type { ModelRequest } from './model-request.ts';

/**
 * The port to a tap: a proxy between an agent server and its model API. A backend opens one turn for each response, sends the marked text to the agent server, and reads here what the
 * model really did. A model call belongs to a turn only by the turn's own mark; there is no other way to find one.
 */
export interface ModelTap {
  readonly name: string;
  /** Opens the books of one turn; no I/O. Must be closed. */
  openTurn(settings: TapTurnSettings): TapTurn;
}

export interface TapTurnSettings {
  /** The whole turn. Its function tools, choice, format, settings, system text and history are written into the turn's main model calls. */
  readonly request: ModelRequest;
  /**
   * How many of `request.input`, counted from its beginning and without `reasoning` items, the agent server has not seen: they are in the block of the marked text, and the model
   * gets them in its own form instead. 0: the agent server knows the whole history.
   */
  readonly replayedItems: number;
  /** What becomes of the tools that the agent server itself declares. */
  readonly ownTools: 'keep' | 'drop';
  /** Called after every change of `state` and whenever `takeEvents` has something: synchronous, must not throw. */
  readonly onChange: () => void;
}

export interface TapTurn {
  /**
   * What to send to the agent server as the user's text. `block` is for the agent server only (a rendered history, rendered tool outputs; may be empty): the tap takes it out of the main
   * model call and puts the native form there. `text` reaches the model as it is.
   */
  markText(parts: { readonly block: string; readonly text: string }): string;
  /**
   * What the model did in this turn's main calls since the last take, in order; late thinking (of a sub-request) too. Only calls of the client's tools; `usage` is the sum over the
   * turn's successful main calls; texts of two main calls are parted by `message-break`. Never `finish` or `failure`: they stand in `state`.
   */
  takeEvents(): readonly ModelEvent[];
  readonly state: TapTurnState;
  /** Breaks off the turn's model calls that still run and forgets the turn. May be called twice. */
  close(): void;
}

export interface TapTurnState {
  /** Main calls seen, failed ones too. 0 after a whole turn: the agent server does not go through the tap, or spoilt the mark. */
  readonly mainCalls: number;
  /** Main calls that run now. */
  readonly running: number;
  /** Correlated sub-requests (title, checkpoint, thinking summary) that run now. */
  readonly runningSubRequests: number;
  /** Calls of the client's tools were captured: the turn is the client's now. */
  readonly hasClientCalls: boolean;
  /** Text or calls were reported. */
  readonly hasOutput: boolean;
  /** Thinking text was reported. */
  readonly hasThinking: boolean;
  /** Thinking tokens as the model reported them, summed up. */
  readonly thinkingTokens: number;
  /** How the last main call that ended well ended. */
  readonly finish: FinishReason | null;
  /** What ended the turn badly: a main call that was cut (for good), or the last main call failed (until a later one succeeds). */
  readonly failure: GatewayError | null;
}
