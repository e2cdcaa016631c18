import { isJsonObject, parseJson } from '../../lib/json.ts';
import type { FunctionCallItem } from '../../protocol/responses/items.ts';
import { GrowingText } from './growing-text.ts';
import type { ItemEnding, ItemPlace, ItemWriter } from './item-writer.ts';

/** A function call. It can only be `completed` when its arguments have arrived whole and are a JSON object: a client would run what it is handed. */
export class CallWriter implements ItemWriter {
  readonly kind = 'call';
  /** The id by which the backend speaks of it. */
  readonly callId: string;
  readonly #shownId: string;
  readonly #place: ItemPlace;
  readonly #name: string;
  readonly #arguments = new GrowingText();

  constructor(place: ItemPlace, call: { readonly callId: string; readonly shownId: string; readonly name: string }) {
    this.#place = place;
    this.callId = call.callId;
    this.#shownId = call.shownId;
    this.#name = call.name;
    place.emit({ type: 'response.output_item.added', output_index: place.outputIndex, item: this.#item('in_progress', '') });
  }

  delta(delta: string): void {
    const ready = this.#arguments.take(delta);
    if (ready !== '') this.#delta(ready);
  }

  /** No more arguments come. True when they are a JSON object; a call without arguments gets `{}`. */
  checkArguments(): boolean {
    const rest = this.#arguments.rest();
    if (rest !== '') this.#delta(rest);
    if (this.#arguments.text.trim() === '') this.delta('{}');
    return isJsonObject(parseJson(this.#arguments.text));
  }

  close(ending: ItemEnding): FunctionCallItem {
    const rest = this.#arguments.rest();
    if (rest !== '') this.#delta(rest);
    const item = this.#item(ending, this.#arguments.text);
    this.#place.emit({
      type: 'response.function_call_arguments.done',
      item_id: this.#place.id,
      output_index: this.#place.outputIndex,
      name: this.#name,
      arguments: item.arguments,
    });
    this.#place.emit({ type: 'response.output_item.done', output_index: this.#place.outputIndex, item });
    return item;
  }

  snapshot(): FunctionCallItem {
    return this.#item('in_progress', this.#arguments.text);
  }

  keepAlive(): boolean {
    this.#delta('');
    return true;
  }

  #delta(delta: string): void {
    this.#place.emit({
      type: 'response.function_call_arguments.delta',
      item_id: this.#place.id,
      output_index: this.#place.outputIndex,
      delta,
    });
  }

  #item(status: FunctionCallItem['status'], text: string): FunctionCallItem {
    return { id: this.#place.id, type: 'function_call', status, call_id: this.#shownId, name: this.#name, arguments: text };
  }
}
