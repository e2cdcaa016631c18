import type { UnnumberedEvent } from '../../protocol/responses/event.ts';
import type { OutputItem } from '../../protocol/responses/items.ts';

type Emit = (event: UnnumberedEvent) => void;

/** Where an item stands in its response. */
export interface ItemPlace {
  readonly id: string;
  readonly outputIndex: number;
  readonly emit: Emit;
}

/** How an item ends: whole, or cut off. */
export type ItemEnding = 'completed' | 'incomplete';

/** The one item that is open at a time. It sends `output_item.added` when made and `output_item.done` when closed; objects it has sent never change afterwards. */
export interface ItemWriter {
  readonly kind: 'message' | 'reasoning' | 'call';
  close(ending: ItemEnding): OutputItem;
  /** The item as built so far, for a repeated `response.in_progress`. */
  snapshot(): OutputItem;
  /** A harmless real event for clients whose idle timer ignores comments: an empty delta. False when no part is open to carry it. */
  keepAlive(): boolean;
}
