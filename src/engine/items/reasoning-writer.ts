import type { ReasoningState } from '../../model/reasoning-state.ts';
import type { ReasoningItem, SummaryTextPart } from '../../protocol/responses/items.ts';
import { GrowingText } from './growing-text.ts';
import type { ItemEnding, ItemPlace, ItemWriter } from './item-writer.ts';

/** Seals the states of one item; the result is shown only to clients that asked for it, and kept with the response in any case. */
export type SealStates = (itemId: string, states: readonly ReasoningState[]) => string | undefined;

/** Thinking: summary parts, and what the model wants back. Without text it is just added and done, as OpenAI sends it. */
export class ReasoningWriter implements ItemWriter {
  readonly kind = 'reasoning';
  readonly #place: ItemPlace;
  readonly #seal: SealStates;
  readonly #states: ReasoningState[] = [];
  readonly #closed: SummaryTextPart[] = [];
  #open: GrowingText | undefined;

  /** `seal` returns what the client sees as `encrypted_content`, or undefined when it must not see it. */
  constructor(place: ItemPlace, seal: SealStates) {
    this.#place = place;
    this.#seal = seal;
    place.emit({
      type: 'response.output_item.added',
      output_index: place.outputIndex,
      item: { id: place.id, type: 'reasoning', summary: [] },
    });
  }

  /** State ends a stretch of thinking: what is thought after it belongs to a new item. */
  get hasState(): boolean {
    return this.#states.length > 0;
  }

  text(delta: string): void {
    if (this.#open === undefined) {
      this.#open = new GrowingText();
      this.#place.emit({
        type: 'response.reasoning_summary_part.added',
        ...this.#at(),
        part: { type: 'summary_text', text: '' },
      });
    }
    const ready = this.#open.take(delta);
    if (ready !== '') this.#delta(ready);
  }

  /** The next text begins a new summary part. */
  break(): void {
    this.#closePart('completed');
  }

  state(state: ReasoningState): void {
    this.#states.push(state);
  }

  close(ending: ItemEnding): ReasoningItem {
    this.#closePart(ending);
    const sealed = this.#states.length > 0 ? this.#seal(this.#place.id, this.#states) : undefined;
    const item: ReasoningItem = { id: this.#place.id, type: 'reasoning', summary: this.#closed };
    if (sealed !== undefined) item.encrypted_content = sealed;
    this.#place.emit({ type: 'response.output_item.done', output_index: this.#place.outputIndex, item });
    return item;
  }

  snapshot(): ReasoningItem {
    const open: SummaryTextPart[] = this.#open === undefined ? [] : [{ type: 'summary_text', text: this.#open.text }];
    return { id: this.#place.id, type: 'reasoning', summary: [...this.#closed, ...open] };
  }

  keepAlive(): boolean {
    if (this.#open === undefined) return false;
    this.#delta('');
    return true;
  }

  #closePart(ending: ItemEnding): void {
    const growing = this.#open;
    if (growing === undefined) return;
    const rest = growing.rest();
    if (rest !== '') this.#delta(rest);
    this.#open = undefined;
    const part: SummaryTextPart = { type: 'summary_text', text: growing.text };
    const at = this.#at();
    this.#closed.push(part);
    this.#place.emit({ type: 'response.reasoning_summary_text.done', ...at, text: part.text });
    this.#place.emit({
      type: 'response.reasoning_summary_part.done',
      ...at,
      part,
      ...(ending === 'incomplete' && { status: ending }),
    });
  }

  #delta(delta: string): void {
    this.#place.emit({
      type: 'response.reasoning_summary_text.delta',
      item_id: this.#place.id,
      output_index: this.#place.outputIndex,
      summary_index: this.#closed.length,
      delta,
    });
  }

  #at(): { item_id: string; output_index: number; summary_index: number } {
    return { item_id: this.#place.id, output_index: this.#place.outputIndex, summary_index: this.#closed.length };
  }
}
