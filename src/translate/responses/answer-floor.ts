import type { Loss } from '../../model/loss.ts';
import type { ModelEvent } from '../../model/model-event.ts';

/** An item that can say something. */
interface Speaker {
  readonly kind: string;
}

/** Who speaks: the way of all items of one answer to its events. Items of the same kind that follow each other are told apart here. */
export class AnswerFloor {
  /** Counts how often somebody else began to speak. */
  turns = 0;
  #speaker: Speaker | undefined;
  #events: ModelEvent[] = [];
  readonly #losses = new Set<string>();

  /** Whether nobody has spoken since that item did. */
  isHeldBy(item: Speaker): boolean {
    return this.#speaker === item;
  }

  /** The item begins to speak, or goes on. */
  takeOver(item: Speaker): void {
    const last = this.#speaker;
    if (last === item) return;
    this.#speaker = item;
    this.turns += 1;
    if (last?.kind !== item.kind) return;
    if (item.kind === 'message') this.#events.push({ type: 'message-break' });
    else if (item.kind === 'reasoning') this.#events.push({ type: 'reasoning-break' });
  }

  emit(event: ModelEvent): void {
    this.#events.push(event);
  }

  /** Each loss is told once. */
  lose(loss: Loss): void {
    const key = `${loss.path} ${loss.reason}`;
    if (this.#losses.has(key)) return;
    this.#losses.add(key);
    this.#events.push({ type: 'loss', loss });
  }

  /** What was said since the last time. */
  take(): readonly ModelEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}
