import type { JsonObject } from '../../lib/json.ts';
import type { ToolNames } from '../tool-names.ts';
import { AnswerFloor } from './answer-floor.ts';
import { CallItemReader } from './call-item-reader.ts';
import { HostedItemReader } from './hosted-item-reader.ts';
import type { ItemPlace } from './item-place.ts';
import { MessageReader } from './message-reader.ts';
import { longestCallId } from './lint/item-rules.ts';
import { indexOf, objectsOf, wordOf } from './read-event.ts';
import { ReasoningReader } from './reasoning-reader.ts';

export interface AnswerItemsOptions {
  readonly newId: (prefix: string) => string;
  /** The upstream's model id; reasoning states are bound to it. */
  readonly model: string;
  readonly toolNames: ToolNames;
  /** Names of the client's freeform tools. */
  readonly customTools: ReadonlySet<string>;
  readonly wantsLogprobs: boolean;
}

interface Readers {
  readonly message: MessageReader;
  readonly reasoning: ReasoningReader;
  readonly call: CallItemReader;
  readonly hosted: HostedItemReader;
}

type Kind = keyof Readers;
type ItemReader = Readers[Kind];

/** The items of one answer. Servers leave beginnings and ends out, change ids, and number wrongly: an event belongs to the item that it names, else to the one at its place, else to the latest of its kind. */
export class AnswerItems {
  readonly floor = new AnswerFloor();
  readonly #options: AnswerItemsOptions;
  readonly #items: ItemReader[] = [];
  readonly #usedCallIds = new Set<string>();
  /** The item of the event before: nearly always that of this one too. */
  #latest: ItemReader | undefined;

  constructor(options: AnswerItemsOptions) {
    this.#options = options;
  }

  /** `output_item.added`. What comes after a call waits for its end, so a call that nobody ended must not stay open. */
  add(item: JsonObject, index: number | undefined): void {
    if (this.#latest?.kind === 'call') this.#latest.settle();
    const [kind, id] = [kindOf(item), wordOf(item, 'id')];
    // Told twice.
    if (id !== undefined && this.#items.some((other) => other.kind === kind && other.place.id === id && !other.isDone)) return;
    const reader = this.#create(kind, { id, index });
    if (reader.kind === 'call') reader.begin(item);
  }

  /** `output_item.done`. */
  complete(item: JsonObject, index: number | undefined): void {
    const kind = kindOf(item);
    const place = { id: wordOf(item, 'id'), index };
    const known = this.#items.findLast((reader) => isCall(reader, item) && !reader.isDone) ?? this.#find(kind, place, 'open');
    (known ?? this.#create(kind, place)).complete(item);
  }

  /**
   * `output` of a response object: what is missing of known items, and items that nobody has told of. Ids may have changed, so an item without a known id is the next of
   * its kind that none of the others is.
   */
  completeAll(output: readonly JsonObject[]): void {
    const told = [...this.#items];
    const taken = new Set<ItemReader>();
    const take = (reader: ItemReader | undefined): ItemReader | undefined => {
      if (reader !== undefined) taken.add(reader);
      return reader;
    };
    const named = output.map((item) => {
      const [kind, id] = [kindOf(item), wordOf(item, 'id')];
      const free = told.filter((reader) => reader.kind === kind && !taken.has(reader));
      return take(free.find((reader) => isCall(reader, item)) ?? free.find(({ place }) => id !== undefined && place.id === id));
    });
    output.forEach((item, index) => {
      const kind = kindOf(item);
      const reader = named[index] ?? take(told.find((other) => other.kind === kind && !taken.has(other)));
      (reader ?? this.#create(kind, { id: wordOf(item, 'id'), index })).complete(item);
    });
  }

  message(event: JsonObject): MessageReader {
    return this.#reader('message', event);
  }

  reasoning(event: JsonObject): ReasoningReader {
    return this.#reader('reasoning', event);
  }

  call(event: JsonObject): CallItemReader {
    return this.#reader('call', event);
  }

  /** The answer is over: ends the calls whose arguments are whole. Tells whether others are left, or one that never got a name. */
  finishCalls(): 'whole' | 'cut' | 'nameless' {
    const calls = this.#items.filter((item) => item.kind === 'call');
    for (const call of calls) call.settle();
    if (calls.some(({ isNameless }) => isNameless)) return 'nameless';
    return calls.some(({ isOpen }) => isOpen) ? 'cut' : 'whole';
  }

  #reader<K extends Kind>(kind: K, event: JsonObject): Readers[K] {
    const place = { id: wordOf(event, 'item_id'), index: indexOf(event, 'output_index') };
    const latest = this.#latest;
    if (latest !== undefined && isOf(latest, kind) && latest.place.id === place.id && latest.place.index === place.index)
      return latest;
    const found = this.#find(kind, place, 'any') ?? this.#create(kind, place);
    this.#latest = found;
    return found;
  }

  /** By id, else by place, else the latest one that is open. */
  #find<K extends Kind>(kind: K, { id, index }: ItemPlace, which: 'open' | 'any'): Readers[K] | undefined {
    const fitting = this.#items.filter((item) => isOf(item, kind));
    const open = fitting.filter((item) => !item.isDone);
    const candidates = which === 'open' ? open : fitting;
    const named = id === undefined ? undefined : candidates.findLast((item) => item.place.id === id);
    return named ?? (index === undefined ? undefined : open.findLast((item) => item.place.index === index)) ?? open.at(-1);
  }

  #create<K extends Kind>(kind: K, place: ItemPlace): Readers[K] {
    const created: Readers[K] = this.#creators[kind](place);
    this.#items.push(created);
    this.#latest = created;
    return created;
  }

  readonly #toCallId = (upstreamId: string | undefined): string => {
    const isUsable = upstreamId !== undefined && upstreamId.length <= longestCallId && !this.#usedCallIds.has(upstreamId);
    let callId = isUsable ? upstreamId : this.#options.newId('call');
    while (this.#usedCallIds.has(callId)) callId = this.#options.newId('call');
    this.#usedCallIds.add(callId);
    return callId;
  };

  readonly #creators: { readonly [K in Kind]: (place: ItemPlace) => Readers[K] } = {
    message: (place) => new MessageReader(place, { floor: this.floor, wantsLogprobs: this.#options.wantsLogprobs }),
    reasoning: (place) => new ReasoningReader(place, { floor: this.floor, model: this.#options.model }),
    call: (place) =>
      new CallItemReader(place, { floor: this.floor, toolNames: this.#options.toolNames, toCallId: this.#toCallId }),
    hosted: (place) =>
      new HostedItemReader(place, {
        floor: this.floor,
        customTools: this.#options.customTools,
        toCallId: this.#toCallId,
      }),
  };
}

function isOf<K extends Kind>(reader: ItemReader, kind: K): reader is Readers[K] {
  return reader.kind === kind;
}

/** Whether it is the call that the item is of, by the server's id of the call. */
function isCall(reader: ItemReader, item: JsonObject): boolean {
  const callId = wordOf(item, 'call_id');
  return reader.kind === 'call' && item['type'] === 'function_call' && callId !== undefined && reader.upstreamId === callId;
}

function kindOf({ type }: JsonObject): Kind {
  switch (type) {
    case 'message':
    case 'reasoning':
      return type;
    case 'function_call':
      return 'call';
    default:
      return 'hosted';
  }
}

/** Items of a response object. */
export function outputOf(response: JsonObject): readonly JsonObject[] {
  return objectsOf(response['output']);
}
