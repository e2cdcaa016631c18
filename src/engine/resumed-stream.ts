import type { JsonObject } from '../lib/json.ts';
import type { ShownItem, ShownStream } from '../model/shown-stream.ts';
import type { ResponseEvent, UnnumberedEvent } from '../protocol/responses/event.ts';
import type { OutputItem } from '../protocol/responses/items.ts';

type LifecycleEvent = Extract<UnnumberedEvent, { response: unknown }>;
type ItemEvent = Exclude<UnnumberedEvent, { response: unknown }>;

/**
 * Carries on a stream that began in a server's own words: the builder's events without what the client has seen already, under the ids and numbers that it has seen. Where what was shown is not what the builder made
 * of it (an item of a kind that we do not write, two texts where we write one), no item event of ours can follow: `isLost`, and the response has to fail. What is open is closed then as far as it was shown.
 */
export class ResumedStream {
  readonly #shown: ShownStream;
  #isLost: boolean;

  /** `output`: the builder's items at this moment, which were read in what has been shown. */
  constructor(shown: ShownStream, output: readonly OutputItem[]) {
    this.#shown = shown;
    this.#isLost = !output.every((item, index) => isSame(item, shown.items.get(index)));
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  push(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
    return events.flatMap((event) => this.#carryOn(event));
  }

  /** The items are over. Whatever was shown of others that the builder knows nothing of must be closed; and a completed response (`isWhole`) has no incomplete ones. */
  settle({ isWhole }: { readonly isWhole: boolean }): void {
    this.#isLost ||= [...this.#shown.items.values()].some(({ isDone }) => !isDone) || (isWhole && this.#shown.isCut);
  }

  #carryOn(event: UnnumberedEvent): readonly ResponseEvent[] {
    if ('response' in event) return this.#toLifecycle(event);
    const item = this.#isLost ? null : this.#toItemEvent(event);
    return item === null ? [] : [this.#show(item)];
  }

  #toLifecycle(event: LifecycleEvent): readonly ResponseEvent[] {
    const { hasCreated, hasProgress, responseId } = this.#shown;
    const isSeen = event.type === 'response.created' ? hasCreated : event.type === 'response.in_progress' && hasProgress;
    if (isSeen) return [];
    // Shown before the output of the response is taken, so that it is in there.
    const closing = event.type === 'response.failed' ? this.#shown.toClosing().map((next) => this.#show(next)) : [];
    const response = { ...event.response, id: responseId ?? event.response.id, output: this.#shown.toOutput() };
    return [...closing, this.#show({ ...event, response })];
  }

  #toItemEvent(event: ItemEvent): JsonObject | null {
    const shown = this.#shown.items.get(event.output_index);
    this.#isLost = shown === undefined && this.#shown.isCut;
    if (this.#isLost) return null;
    if (shown === undefined) return { ...event };
    if (shown.isDone) return null;
    if ('item' in event) return this.#toItem(event, shown);
    const index = indexOf(event);
    if (event.type.endsWith('.delta') || event.type === 'response.output_text.annotation.added') {
      this.#isLost = isPartOver(shown, index);
      return this.#isLost ? null : rename(event, shown);
    }
    return shown.hasStep(event.type, index) ? null : rename(event, shown);
  }

  #toItem(event: Extract<ItemEvent, { item: OutputItem }>, shown: ShownItem): JsonObject | null {
    const { type, item, output_index } = event;
    const isAdded = type === 'response.output_item.added';
    this.#isLost = isAdded ? !isSame(item, shown) : textsOf(item).join('\0') !== shown.texts.join('\0');
    return isAdded || this.#isLost ? null : { type, output_index, item: { ...item, id: shown.item['id'] } };
  }

  /** An event of the wire may be of a kind that we do not write ourselves: what is closed here was begun by the server. */
  #show(event: JsonObject): ResponseEvent {
    const next = { ...event, sequence_number: this.#shown.nextNumber };
    this.#shown.push(next);
    return next as unknown as ResponseEvent;
  }
}

function rename(event: ItemEvent, { item }: ShownItem): JsonObject {
  return { ...event, item_id: item['id'] };
}

function indexOf(event: ItemEvent): number {
  if ('content_index' in event) return event.content_index;
  return 'summary_index' in event ? event.summary_index : 0;
}

/** The client saw the end of that part. */
function isPartOver(shown: ShownItem, index: number): boolean {
  const ends = [
    'response.output_text.done',
    'response.refusal.done',
    'response.content_part.done',
    'response.reasoning_summary_text.done',
    'response.reasoning_summary_part.done',
    'response.function_call_arguments.done',
  ];
  return ends.some((type) => shown.hasStep(type, index));
}

function isSame(item: OutputItem, shown: ShownItem | undefined): boolean {
  if (item.type !== shown?.item['type']) return false;
  return item.type !== 'function_call' || (item.call_id === shown.item['call_id'] && item.name === shown.item['name']);
}

function textsOf(item: OutputItem): readonly string[] {
  switch (item.type) {
    case 'message':
      return item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text));
    case 'reasoning':
      return item.summary.map(({ text }) => text);
    case 'function_call':
      return [item.arguments];
    case 'web_search_call':
      return [];
  }
}
