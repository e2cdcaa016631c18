import type { InputItem } from '../../model/model-request.ts';
import type { HistoryPart, WrittenExchange, WrittenHistory } from '../../translate/gemini/write-history.ts';
import { hashCallId } from '../marks.ts';
import type { BlockPlace, CallPlace, ReadContent } from './read-content.ts';
import { itemsOfSpan } from './span-of-turn.ts';

/** What of the history goes where in the agent server's contents. */
export interface Placement {
  /** The calls that stand where a call mark was; none when the client's history does not have that call. */
  callsAt(place: CallPlace): readonly WrittenExchange[];
  /** The parts that stand where a block was. */
  partsAt(place: BlockPlace): readonly HistoryPart[];
  /** Every item that was placed. */
  readonly items: ReadonlySet<InputItem>;
}

/**
 * Finds the place of every exchange once. Call ids may come again in a later turn, so marks and calls are paired in order. The calls of a step stand together, in their order,
 * where its first mark is. A call whose mark the agent server lost goes beside the others of its step; when none of them is left and its output is new, the whole exchange goes
 * where that output was said.
 */
export function placeHistory(contents: readonly ReadContent[], history: WrittenHistory, input: readonly InputItem[]): Placement {
  const book = new PlacementBook(history);
  for (const { content, pieces } of contents) {
    for (const piece of pieces) {
      if (piece.type === 'call') book.placeCall(piece, content);
      else if (piece.type === 'block') book.placeBlock(piece, input);
    }
  }
  book.gatherSteps();
  book.placeLostCalls();
  return book;
}

/** A call mark, and the exchange that it stands for. */
interface FoundMark {
  readonly place: CallPlace;
  readonly exchange: WrittenExchange;
  /** What it stands in. */
  readonly content: object;
}

class PlacementBook implements Placement {
  readonly items = new Set<InputItem>();
  readonly #history: WrittenHistory;
  readonly #exchanges: readonly WrittenExchange[];
  readonly #byHash: ReadonlyMap<string, readonly WrittenExchange[]>;
  readonly #order: ReadonlyMap<WrittenExchange, number>;
  readonly #placed = new Set<WrittenExchange>();
  readonly #marks: FoundMark[] = [];
  readonly #calls = new Map<CallPlace, WrittenExchange[]>();
  /** The calls that stand at the same mark. */
  readonly #listOf = new Map<WrittenExchange, WrittenExchange[]>();
  readonly #blocks = new Map<BlockPlace, { readonly items: Set<InputItem>; readonly current: ReadonlySet<InputItem> }>();
  /** The last exchange that was placed: marks further down stand for later ones. */
  #last = -1;

  constructor(history: WrittenHistory) {
    this.#history = history;
    this.#exchanges = history.exchanges.filter(({ answer }) => answer !== null);
    this.#order = new Map(this.#exchanges.map((exchange, at) => [exchange, at]));
    this.#byHash = groupBy(this.#exchanges, ({ call }) => hashCallId(call.callId));
  }

  callsAt(place: CallPlace): readonly WrittenExchange[] {
    return this.#calls.get(place) ?? [];
  }

  partsAt(place: BlockPlace): readonly HistoryPart[] {
    const items = this.#blocks.get(place)?.items;
    return items === undefined ? [] : this.#history.parts.filter(({ item }) => items.has(item));
  }

  placeCall(place: CallPlace, content: object): void {
    const free = (this.#byHash.get(place.call) ?? []).filter((exchange) => !this.#placed.has(exchange));
    const exchange = free.find((other) => this.#orderOf(other) > this.#last) ?? free[0];
    if (exchange === undefined) return;
    this.#marks.push({ place, exchange, content });
    this.#place(exchange);
  }

  /** An agent server that sends a message twice gets its history once. */
  placeBlock(place: BlockPlace, input: readonly InputItem[]): void {
    const isRepeated = [...this.#blocks.keys()].some(({ turn }) => turn === place.turn);
    const found = isRepeated ? null : itemsOfSpan(input, place.span);
    if (found === null) return;
    const items = new Set(found.replayed);
    this.#blocks.set(place, { items, current: new Set(found.current) });
    for (const item of items) this.items.add(item);
    for (const exchange of this.#exchanges) if (items.has(exchange.call)) this.#place(exchange);
  }

  /** What an agent server took apart: the marks of a step that stand in another content than its first one are as good as lost. */
  gatherSteps(): void {
    for (const marks of groupBy(this.#marks, ({ exchange }) => exchange.step).values()) {
      const kept = marks.filter(({ content }) => content === marks[0]?.content);
      const sorted = kept.map(({ exchange }) => exchange).sort((a, b) => this.#orderOf(a) - this.#orderOf(b));
      for (const { exchange } of marks) this.#placed.delete(exchange);
      for (const [at, exchange] of sorted.entries()) {
        const list = [exchange];
        const place = kept[at]?.place;
        if (place !== undefined) this.#calls.set(place, list);
        this.#listOf.set(exchange, list);
        this.#place(exchange);
      }
    }
  }

  placeLostCalls(): void {
    for (const step of groupBy(this.#exchanges, ({ step }) => step).values()) this.#joinStep(step);
    for (const exchange of this.#exchanges) {
      if (this.#placed.has(exchange) || exchange.answer === null) continue;
      const { output } = exchange.answer;
      const block = [...this.#blocks.values()].find(({ current }) => current.has(output));
      if (block === undefined) continue;
      block.items.add(exchange.call);
      this.#place(exchange);
    }
  }

  /** Puts the calls of a step that have no place behind the one before them, or in front of the first one that has. */
  #joinStep(step: readonly WrittenExchange[]): void {
    const first = step.find((exchange) => this.#listOf.has(exchange));
    let list = first === undefined ? undefined : this.#listOf.get(first);
    if (list === undefined) return;
    let before: WrittenExchange | undefined;
    for (const exchange of step) {
      list = this.#listOf.get(exchange) ?? list;
      if (!this.#placed.has(exchange)) {
        list.splice(before === undefined ? 0 : list.indexOf(before) + 1, 0, exchange);
        this.#listOf.set(exchange, list);
        this.#place(exchange);
      }
      if (this.#listOf.has(exchange)) before = exchange;
    }
  }

  #orderOf(exchange: WrittenExchange): number {
    return this.#order.get(exchange) ?? -1;
  }

  #place(exchange: WrittenExchange): void {
    this.#placed.add(exchange);
    this.items.add(exchange.call);
    this.#last = Math.max(this.#last, this.#orderOf(exchange));
  }
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
