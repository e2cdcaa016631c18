import type { ModelEvent } from '../../model/model-event.ts';
import type { TapTurn } from '../../model/model-tap.ts';
import type { CascadeUpdates } from './agent-server.ts';
import type { TurnContext } from './turn-context.ts';
import { WakeUp } from './wake-up.ts';

/** Where a turn learns what happens. */
export interface TurnSources {
  readonly updates: CascadeUpdates;
  readonly tapTurn: TapTurn | null;
}

/**
 * What one turn holds on the agent server and in the tap; at most one cascade at a time. `abandon` may come at any time, from a signal: the run is cancelled at once, without
 * waiting for whoever reads the turn's events.
 */
export class CascadeRun {
  readonly wake = new WakeUp();
  readonly #context: TurnContext;
  #cascadeId: string | null = null;
  #sources: TurnSources | null = null;
  #isSent = false;
  #left: readonly ModelEvent[] = [];

  constructor(context: TurnContext) {
    this.#context = context;
  }

  /** False: another turn is at work in that cascade. */
  claim(cascadeId: string): boolean {
    if (!this.#context.running.claim(cascadeId)) return false;
    this.#cascadeId = cascadeId;
    return true;
  }

  listen(sources: TurnSources): void {
    this.#sources = sources;
  }

  /** Called right before the message goes out: from here on a run may be under way. */
  send(): void {
    this.#isSent = true;
  }

  /** What the tap has seen since the last time. */
  takeEvents(): readonly ModelEvent[] {
    const left = this.#left;
    this.#left = [];
    return this.#sources?.tapTurn?.takeEvents() ?? left;
  }

  /** The cascade is as it was before, or at rest: it is let go, and another one may be claimed. */
  release(): void {
    const cascadeId = this.#letGo();
    if (cascadeId !== null) this.#context.running.release(cascadeId);
  }

  /** The turn came to no good end: its run is cancelled, and the cascade hidden, since nobody goes on in it. May be called again, and after `release`. */
  abandon(): void {
    const { server, running } = this.#context;
    const wasSent = this.#isSent;
    const left = this.#sources?.tapTurn?.takeEvents() ?? [];
    const cascadeId = this.#letGo();
    if (cascadeId === null) return;
    this.#left = left;
    if (!wasSent) {
      running.release(cascadeId);
      return;
    }
    const cancelled = server.cancelRun(cascadeId).then(() => server.archiveCascade(cascadeId));
    running.track(
      cancelled.finally(() => {
        running.release(cascadeId);
      }),
    );
  }

  #letGo(): string | null {
    const cascadeId = this.#cascadeId;
    this.#sources?.updates.close();
    this.#sources?.tapTurn?.close();
    this.#cascadeId = null;
    this.#sources = null;
    this.#isSent = false;
    return cascadeId;
  }
}
