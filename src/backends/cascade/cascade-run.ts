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

const cancelAgainMs = 500;

/**
 * What one turn holds on the agent server and in the tap; at most one cascade at a time. `abandon` may come at any time, from a signal: the run is cancelled at once, without
 * waiting for whoever reads the turn's events.
 */
export class CascadeRun {
  readonly wake = new WakeUp();
  readonly #context: TurnContext;
  #cascadeId: string | null = null;
  #sources: TurnSources | null = null;
  #sending: AbortController | null = null;
  #isAnswered = false;
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

  /** Called right before the message goes out: from here on a run may be under way. The signal ends what is left of the call when the cascade is let go. */
  send(): AbortSignal {
    this.#sending = new AbortController();
    return this.#sending.signal;
  }

  /** The message was accepted or refused. */
  noteAnswer(): void {
    this.#isAnswered = true;
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
    const wasSent = this.#sending !== null;
    const mayComeYet = wasSent && !this.#isAnswered;
    const left = this.#sources?.tapTurn?.takeEvents() ?? [];
    const cascadeId = this.#letGo();
    if (cascadeId === null) return;
    this.#left = left;
    if (!wasSent) {
      running.release(cascadeId);
      return;
    }
    const cancelled = mayComeYet ? this.#cancelTwice(cascadeId) : server.cancelRun(cascadeId);
    const archived = cancelled.then(() => server.archiveCascade(cascadeId));
    running.track(
      archived.finally(() => {
        running.release(cascadeId);
      }),
    );
  }

  /** A message that was on its way may begin a run after there was none to cancel. */
  async #cancelTwice(cascadeId: string): Promise<void> {
    const { server, wait } = this.#context;
    await server.cancelRun(cascadeId);
    await wait(cancelAgainMs, new AbortController().signal);
    await server.cancelRun(cascadeId);
  }

  #letGo(): string | null {
    const cascadeId = this.#cascadeId;
    this.#sources?.updates.close();
    this.#sources?.tapTurn?.close();
    this.#cascadeId = null;
    this.#sources = null;
    this.#sending?.abort();
    this.#sending = null;
    this.#isAnswered = false;
    return cascadeId;
  }
}
