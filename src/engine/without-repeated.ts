import type { InputItemParam, InputPart } from '../protocol/responses/items.ts';
import type { HistoryItem } from './history-item.ts';

/**
 * A request's own items without those that the history before them already holds. Several clients send stored items once more next to `previous_response_id`, or an item beside
 * its reference; the model must not see them twice. Only what is really the same goes: an id that a client used again for something else is a new item.
 */
export function withoutRepeated(own: readonly HistoryItem[], inherited: readonly HistoryItem[]): HistoryItem[] {
  const seen = new SeenItems(own, inherited);
  return own.filter(({ item }) => {
    if (seen.has(item)) return false;
    seen.add(item);
    return true;
  });
}

class SeenItems {
  readonly #byId = new Map<string, string>();
  /** Calls, outputs and other items that can be told by their content. */
  readonly #contents = new Set<string>();
  readonly #unanswered = new Set<string>();
  /** What stood in the history before the request: within a request the same call made and answered twice is two calls. */
  readonly #inherited: ReadonlySet<string>;
  /** What the request says about each call: a call is only a repetition when its outputs are too. */
  readonly #ownOutputs: ReadonlyMap<string, readonly string[]>;

  constructor(own: readonly HistoryItem[], inherited: readonly HistoryItem[]) {
    for (const { item } of inherited) this.add(item);
    this.#inherited = new Set(this.#contents);
    const outputs = new Map<string, string[]>();
    for (const { item } of own) {
      if (item.type !== 'function_call_output') continue;
      outputs.set(item.call_id, [...(outputs.get(item.call_id) ?? []), contentOf(item)]);
    }
    this.#ownOutputs = outputs;
  }

  add(item: InputItemParam): void {
    const content = contentOf(item);
    if (item.id !== undefined) this.#byId.set(item.id, content);
    this.#contents.add(content);
    if (item.type === 'function_call') this.#unanswered.add(item.call_id);
    if (item.type === 'function_call_output') this.#unanswered.delete(item.call_id);
  }

  has(item: InputItemParam): boolean {
    const content = contentOf(item);
    const known = item.id === undefined ? undefined : this.#byId.get(item.id);
    switch (item.type) {
      case 'function_call':
        if (known === content) return true;
        if (this.#unanswered.has(item.call_id)) return this.#contents.has(content);
        return this.#inherited.has(content) && this.#isAnsweredAlike(item.call_id);
      case 'function_call_output':
        return !this.#unanswered.has(item.call_id) && this.#contents.has(content);
      case 'reasoning':
        // The sealed state differs each time it is sealed: the id decides.
        return known !== undefined;
      case 'other':
        return known === content || ('call_id' in item.raw && this.#contents.has(content));
      default:
        return known === content;
    }
  }

  #isAnsweredAlike(callId: string): boolean {
    return (this.#ownOutputs.get(callId) ?? []).every((output) => this.#inherited.has(output));
  }
}

/** What an item says, without what differs between the one we stored and the one a client sends back. */
function contentOf(item: InputItemParam): string {
  switch (item.type) {
    case 'message':
      return JSON.stringify(['message', item.role, item.content.map(partOf)]);
    case 'function_call':
      return JSON.stringify(['call', item.call_id, item.name, item.arguments]);
    case 'function_call_output':
      return JSON.stringify(['output', item.call_id, typeof item.output === 'string' ? item.output : item.output.map(partOf)]);
    case 'reasoning':
      return 'reasoning';
    case 'item_reference':
      return `reference ${item.id}`;
    case 'other':
      return JSON.stringify({ ...item.raw, id: undefined, status: undefined });
  }
}

function partOf(part: InputPart): readonly unknown[] {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return [part.text];
    case 'refusal':
      return [part.type, part.refusal];
    case 'input_image':
      return [part.type, part.image_url, part.file_id];
    case 'input_file':
      return [part.type, part.file_data, part.file_url, part.file_id];
  }
}
