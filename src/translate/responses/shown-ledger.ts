import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { ShownItem, ShownStream } from '../../model/shown-stream.ts';
import { indexOf } from './read-event.ts';

/** Keeps account of an event stream without any fault. */
export class ShownLedger implements ShownStream {
  responseId: string | null = null;
  nextNumber = 0;
  hasCreated = false;
  hasProgress = false;
  readonly items = new Map<number, ItemAccount>();

  get isCut(): boolean {
    return [...this.items.values()].some(({ isDone, item }) => isDone && item['status'] === 'incomplete');
  }

  push(event: JsonObject): void {
    const { type, sequence_number: number, response, output_index: index } = event;
    this.nextNumber = typeof number === 'number' ? number + 1 : this.nextNumber + 1;
    if (isJsonObject(response)) this.#noteResponse(response, type);
    else if (typeof index === 'number') this.#noteItem(event, index);
  }

  /** So many events were told as one with the next. */
  skip(events: number): void {
    this.nextNumber += events;
  }

  toClosing(): readonly JsonObject[] {
    return [...this.items].flatMap(([index, account]) => (account.isDone ? [] : account.toClosing(index)));
  }

  toOutput(): readonly JsonObject[] {
    const done = [...this.items].filter(([, { isDone }]) => isDone);
    return done.toSorted(([a], [b]) => a - b).map(([, { item }]) => item);
  }

  #noteResponse({ id }: JsonObject, type: unknown): void {
    if (typeof id === 'string') this.responseId = id;
    this.hasCreated ||= type === 'response.created';
    this.hasProgress ||= type === 'response.in_progress';
  }

  #noteItem(event: JsonObject, index: number): void {
    const { type, item } = event;
    if (type === 'response.output_item.added' && isJsonObject(item)) this.items.set(index, new ItemAccount(item));
    else this.items.get(index)?.push(event);
  }
}

interface PartAccount {
  /** The part as it was added, and the event that added it. */
  readonly part: JsonObject;
  readonly addedBy: string;
  readonly index: number;
  readonly annotations: unknown[];
  text: string;
}

class ItemAccount implements ShownItem {
  item: JsonObject;
  isDone = false;
  readonly #steps = new Set<string>();
  readonly #parts: PartAccount[] = [];
  #arguments = '';

  constructor(item: JsonObject) {
    this.item = item;
  }

  get texts(): readonly string[] {
    return this.item['type'] === 'function_call' ? [this.#arguments] : this.#parts.map(({ text }) => text);
  }

  hasStep(type: string, index: number): boolean {
    return this.#steps.has(`${type} ${String(index)}`);
  }

  push(event: JsonObject): void {
    const { type, delta, item, part } = event;
    if (typeof type !== 'string') return;
    if (typeof delta === 'string') {
      const open = this.#parts.at(-1);
      if (type === 'response.function_call_arguments.delta') this.#arguments += delta;
      else if (open !== undefined) open.text += delta;
      return;
    }
    const index = indexOf(event, 'content_index') ?? indexOf(event, 'summary_index') ?? 0;
    this.#steps.add(`${type} ${String(index)}`);
    if (isJsonObject(item)) {
      this.item = item;
      this.isDone = true;
    } else if (isJsonObject(part) && type.endsWith('.added'))
      this.#parts.push({ part, addedBy: type, index, annotations: [], text: '' });
    else if (type === 'response.output_text.annotation.added') this.#parts.at(-1)?.annotations.push(event['annotation']);
  }

  toClosing(output_index: number): readonly JsonObject[] {
    const place = { item_id: this.item['id'], output_index };
    const isEmpty = this.item['type'] === 'message' && this.#parts.length === 0;
    // A message without any part would be none to most clients.
    const opening: JsonObject[] = isEmpty
      ? [{ type: 'response.content_part.added', ...place, content_index: 0, part: emptyPart }]
      : [];
    for (const event of opening) this.push(event);
    const last = this.#parts.at(-1);
    const closing = [
      ...opening,
      ...(last === undefined ? [] : this.#toPartClosing(last).map((event) => ({ ...event, ...place }))),
    ];
    const isCall = this.item['type'] === 'function_call';
    const doneType = 'response.function_call_arguments.done';
    const said = { name: this.item['name'], arguments: this.#arguments };
    if (isCall && !this.hasStep(doneType, 0)) closing.push({ type: doneType, ...place, ...said });
    return [...closing, { type: 'response.output_item.done', output_index, item: this.#toIncomplete() }];
  }

  #toPartClosing(account: PartAccount): JsonObject[] {
    const { part, addedBy, index, text } = account;
    const doneType = addedBy.replace(/added$/, 'done');
    if (this.hasStep(doneType, index)) return [];
    const place = addedBy === 'response.reasoning_summary_part.added' ? { summary_index: index } : { content_index: index };
    const member = memberOf(part);
    const textType = textEvents.get(part['type']);
    const logprobs = part['type'] === 'output_text' ? { logprobs: [] } : {};
    return [
      ...(textType === undefined || this.hasStep(textType, index)
        ? []
        : [{ type: textType, ...place, [member]: text, ...logprobs }]),
      { type: doneType, ...place, part: toPart(account) },
    ];
  }

  #toIncomplete(): JsonObject {
    const { item } = this;
    const parts = this.#parts.map(toPart);
    const [summary, content] = [parts.filter(isSummary), parts.filter((part) => !isSummary(part))];
    return {
      ...item,
      status: 'incomplete',
      ...(item['type'] === 'function_call' && { arguments: this.#arguments }),
      ...(summary.length > 0 && { summary }),
      ...(content.length > 0 && { content }),
    };
  }
}

function toPart({ part, text, annotations }: PartAccount): JsonObject {
  return { ...part, [memberOf(part)]: text, ...(annotations.length > 0 && { annotations }) };
}

const emptyPart = { type: 'output_text', text: '', annotations: [], logprobs: [] };

/** The text-level end of each kind of part. */
const textEvents: ReadonlyMap<unknown, string> = new Map([
  ['output_text', 'response.output_text.done'],
  ['refusal', 'response.refusal.done'],
  ['summary_text', 'response.reasoning_summary_text.done'],
  ['reasoning_text', 'response.reasoning_text.done'],
]);

function memberOf({ type }: JsonObject): 'refusal' | 'text' {
  return type === 'refusal' ? 'refusal' : 'text';
}

function isSummary({ type }: JsonObject): boolean {
  return type === 'summary_text';
}
