import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { AnswerFloor } from './answer-floor.ts';
import type { ItemPlace } from './item-place.ts';
import { objectsOf, textsOf, wordOf } from './read-event.ts';

export interface HostedItemOptions {
  readonly floor: AnswerFloor;
  /** Freeform tools of the client, by name. */
  readonly customTools: ReadonlySet<string>;
  readonly toCallId: (upstreamId: string | undefined) => string;
}

/** An item of a tool that is no function: web searches are told, freeform calls of the client become function calls, all others are losses. */
export class HostedItemReader {
  readonly kind = 'hosted';
  readonly place: ItemPlace;
  isDone = false;
  readonly #options: HostedItemOptions;

  constructor(place: ItemPlace, options: HostedItemOptions) {
    this.place = place;
    this.#options = options;
  }

  /** The whole item. */
  complete(item: JsonObject): void {
    if (this.isDone) return;
    this.isDone = true;
    const { type, name } = item;
    if (type === 'web_search_call') this.#tellSearch(item);
    else if (type === 'custom_tool_call' && typeof name === 'string' && this.#options.customTools.has(name))
      this.#callCustom(item, name);
    else this.#lose(`the model used a tool of its server; items of type ${shownType(type)} are not shown`);
  }

  #tellSearch(item: JsonObject): void {
    const { floor } = this.#options;
    const action = isJsonObject(item['action']) ? item['action'] : {};
    const listed = Array.isArray(action['queries']) ? action['queries'].filter((query) => typeof query === 'string') : [];
    const query = wordOf(action, 'query');
    const queries = listed.length > 0 || query === undefined ? listed : [query];
    const sources = textsOf(objectsOf(action['sources']), 'url');
    if (queries.length === 0 && sources.length === 0) {
      this.#lose('steps of a web search that are no search (opening a page, looking for words in it) are not shown');
      return;
    }
    floor.takeOver(this);
    floor.emit({ type: 'web-search', queries, sources });
  }

  #callCustom(item: JsonObject, name: string): void {
    const { floor, toCallId } = this.#options;
    const { input, status } = item;
    if (status === 'incomplete') return;
    const callId = toCallId(wordOf(item, 'call_id') ?? this.place.id);
    floor.takeOver(this);
    floor.emit({ type: 'call-start', callId, name });
    floor.emit({ type: 'call-delta', callId, delta: JSON.stringify({ input: typeof input === 'string' ? input : '' }) });
    floor.emit({ type: 'call-end', callId });
    floor.lose({
      path: 'output',
      action: 'emulated',
      reason: 'the call of a custom tool is shown as a function call with one argument, input',
    });
  }

  #lose(reason: string): void {
    this.#options.floor.lose({ path: 'output', action: 'dropped', reason });
  }
}

/** A type is a word; anything else is not repeated to clients. */
function shownType(type: unknown): string {
  return typeof type === 'string' && /^[\w.:-]{1,60}$/.test(type) ? type : '(not a word)';
}
