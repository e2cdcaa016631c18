import type { Loss } from './loss.ts';
import type { ModelEvent, TurnEvent } from './model-event.ts';
import type { ModelRequest } from './model-request.ts';
import type { NativeRequest } from './native-request.ts';
import type { Secret } from './secret.ts';

/** The port to a model server. An adapter translates, opens the call, and yields what the model did. Nothing else. */
export interface Backend {
  /** The name users write before the slash: `gemini` in `gemini/gemini-3-flash`. */
  readonly name: string;
  /**
   * What its failures mean for routing. `not-retried`: a call may have begun something that must not be begun twice, so the same turn is never sent to it again. `on-purpose`: it acts them, so they are
   * neither tried again nor counted. Absent: both is done.
   */
  readonly failures?: 'not-retried' | 'on-purpose';
  /**
   * Translates without I/O. What cannot be expressed is in `losses`; what cannot be done at all throws a GatewayError with `param`. The engine may refuse the
   * losses (strict mode), so nothing has been sent yet. A backend with sessions may look one up first.
   */
  prepareTurn(request: ModelRequest): BackendTurn | Promise<BackendTurn>;
  /**
   * Pass-through: the same turn in the client's own words, for a server that speaks the client's dialect. Nothing of the request is lost then. Null: something in it has to be rewritten for this server.
   * `request` is what `prepareTurn` would get. Only backends whose dialect a front door speaks have it.
   */
  prepareNativeTurn?(request: ModelRequest, native: NativeRequest): NativeTurn | null;
  /** What `GET /v1/models` shows of it. Throws GatewayError when the server cannot be asked. */
  listModels(signal: AbortSignal): Promise<readonly ModelInfo[]>;
  /**
   * Input tokens of this request as the server counts them; null when it cannot count. `native` is the same in the client's own words, for a server that speaks its dialect: it knows what it signed itself.
   */
  countInputTokens(request: ModelRequest, signal: AbortSignal, native?: NativeRequest): Promise<number | null>;
  /** Ends a conversation that lives on the upstream (its id there); only backends with sessions have it. Throws GatewayError when the upstream cannot be asked. */
  endSession?(upstreamId: string): Promise<void>;
  /** Replaces the backend's access token until the next one (`POST /v1/token`); only backends with a token have it. */
  setToken?(token: Secret): void;
  /** Frees sockets. Running turns end with their signal, not by this. */
  close(): Promise<void>;
}

/** A backend without sessions: it translates and looks nothing up. */
export interface StatelessBackend extends Backend {
  prepareTurn(request: ModelRequest): BackendTurn;
}

/** A translated call that has not been sent yet. */
export interface BackendTurn {
  readonly losses: readonly Loss[];
  /**
   * Sends the call. The first batch (maybe empty) is yielded as soon as the server has accepted the call (2xx status line), so that response headers can wait for it;
   * everything that goes wrong before is thrown as GatewayError. Later trouble is a `failure` event, or thrown; both end the response. When `signal`
   * aborts, the call to the server is broken off at once and the generator ends by throwing. Stopping the generator breaks the call off too.
   */
  stream(signal: AbortSignal): AsyncIterable<readonly ModelEvent[]>;
}

/** A call in the client's own words that has not been sent yet. */
export interface NativeTurn {
  /**
   * As `BackendTurn.stream`; and the answer comes as the server wrote it, too. What the server refuses because of state that another one has signed is thrown as `invalid_encrypted_content`: translated, the
   * turn can go without.
   */
  stream(signal: AbortSignal): AsyncIterable<readonly TurnEvent[]>;
}

export interface ModelInfo {
  /** Id at the upstream, without the backend's name. */
  readonly id: string;
  /** Unix seconds, or null when unknown. */
  readonly created: number | null;
  readonly ownedBy: string | null;
}
