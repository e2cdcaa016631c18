import type { ModelEvent } from '../../model/model-event.ts';
import type { TapTurn } from '../../model/model-tap.ts';
import type { AgentModel, CascadeUpdates } from './agent-server.ts';
import type { TurnContext } from './turn-context.ts';

/** The cascade that a turn works in, from before its message is sent. */
export interface OpenedCascade {
  readonly cascadeId: string;
  readonly model: AgentModel;
  /** Steps, and entries of `generatorMetadata`, that were there before the turn. */
  readonly baseline: { readonly steps: number; readonly calls: number };
  readonly updates: CascadeUpdates;
  readonly tapTurn: TapTurn | null;
  /** Unix seconds at which the cascade was begun; null: now. */
  readonly createdAt: number | null;
}

/**
 * What one turn holds on the agent server and in the tap. `abandon` may come at any time, from a signal: the run is cancelled at once, without waiting for whoever reads the
 * turn's events.
 */
export class CascadeRun {
  readonly #context: TurnContext;
  #opened: OpenedCascade | null = null;
  #isSent = false;
  #isOver = false;
  #left: readonly ModelEvent[] = [];

  constructor(context: TurnContext) {
    this.#context = context;
  }

  /** The cascade is claimed already. From here on `abandon` and `finish` let go of it. */
  open(opened: OpenedCascade): void {
    this.#opened = opened;
  }

  /** Called right before the message goes out: from here on a run may be under way. */
  send(): void {
    this.#isSent = true;
  }

  /** The message was not taken: another cascade will be. The caller still holds the claim. */
  withdraw(): void {
    this.#closeSources();
    this.#opened = null;
    this.#isSent = false;
  }

  /** What the tap has seen since the last time. */
  takeEvents(): readonly ModelEvent[] {
    if (this.#isOver) {
      const left = this.#left;
      this.#left = [];
      return left;
    }
    return this.#opened?.tapTurn?.takeEvents() ?? [];
  }

  /** The turn came to no good end: its run is cancelled, and nobody goes on in this cascade. May be called twice. */
  abandon(): void {
    const opened = this.#opened;
    if (this.#isOver || opened === null) return;
    const { server, running } = this.#context;
    const cancelling = this.#isSent ? server.cancelRun(opened.cascadeId) : Promise.resolve();
    this.#left = opened.tapTurn?.takeEvents() ?? [];
    this.#end();
    running.track(
      cancelling
        .then(() => server.archiveCascade(opened.cascadeId))
        .finally(() => {
          running.release(opened.cascadeId);
        }),
    );
  }

  /** The turn is over and its cascade at rest. */
  finish(): void {
    const opened = this.#opened;
    if (this.#isOver || opened === null) return;
    this.#end();
    this.#context.running.release(opened.cascadeId);
  }

  #end(): void {
    this.#isOver = true;
    this.#closeSources();
  }

  #closeSources(): void {
    this.#opened?.updates.close();
    this.#opened?.tapTurn?.close();
  }
}
