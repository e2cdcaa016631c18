import type { JsonObject } from '../lib/json.ts';

/**
 * What a client has seen of a stream of Responses events that began in a server's own words: enough to carry it on in ours where the server's cannot go on. The events are those of the wire, which know more
 * kinds of items than we write.
 */
export interface ShownStream {
  /** Null: no event carried one yet. */
  readonly responseId: string | null;
  /** The `sequence_number` that comes next. */
  readonly nextNumber: number;
  /** Whether `response.created`, and `response.in_progress`, have been seen. */
  readonly hasCreated: boolean;
  readonly hasProgress: boolean;
  /** An item was done as incomplete: nothing may follow it but the end. */
  readonly isCut: boolean;
  /** By `output_index`. */
  readonly items: ReadonlyMap<number, ShownItem>;
  /** Another event has been shown. */
  push(event: JsonObject): void;
  /** The events, without numbers, that close what is open, as far as it has come: items are incomplete then. They are not shown by this. */
  toClosing(): readonly JsonObject[];
  /** The items as they were done, in order. */
  toOutput(): readonly JsonObject[];
}

export interface ShownItem {
  /** As it was added; as it was done once it is. */
  readonly item: JsonObject;
  readonly isDone: boolean;
  /** Whether an event of that type was seen for the part of that index. */
  hasStep(type: string, index: number): boolean;
  /** The texts of its parts so far, closed or not. */
  readonly texts: readonly string[];
}
