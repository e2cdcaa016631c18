import type { InputItemParam } from '../protocol/responses/items.ts';

/** One item of the whole history, and where it came from. */
export interface HistoryItem {
  readonly item: InputItemParam;
  /** `input[3]`, or `previous_response_id` or `conversation` for what a stored response brought. */
  readonly path: string;
}
