import type { LogEvent } from './log-event.ts';
import type { OpenItem, StreamState } from './stream-state.ts';

/** Runs a rule on the open item, if the event really belongs to it. */
export function inOpenItem(event: LogEvent, state: StreamState, type: string, rule: (item: OpenItem) => string[]): string[] {
  const { open } = state;
  if (open?.type !== type)
    return [`belongs to a ${type}, but ${open === undefined ? 'no item is open' : `a ${open.type} is open`}`];
  const faults: string[] = [];
  if (event.item_id !== open.id) faults.push(`item_id '${String(event.item_id)}', but ${open.id} is open`);
  if (event.output_index !== open.index)
    faults.push(`output_index ${String(event.output_index)}, but ${String(open.index)} is open`);
  return [...faults, ...rule(open)];
}
