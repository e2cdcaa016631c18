import { faultsOf } from './faults-of.ts';
import { inOpenItem } from './in-open-item.ts';
import type { LogEvent, LogItem } from './log-event.ts';
import { checkPart } from './part-rules.ts';
import type { OpenItem, StreamState } from './stream-state.ts';

/** Rules of items: strictly one after the other, indices in order, every event names the open item. */
export function checkItem(event: LogEvent, state: StreamState): string[] {
  switch (event.type) {
    case 'response.output_item.added':
      return checkAdded(event, state);
    case 'response.output_item.done':
      return checkDone(event, state);
    case 'response.function_call_arguments.delta':
    case 'response.function_call_arguments.done':
      return inOpenItem(event, state, 'function_call', (item) => checkArguments(event, item));
    case 'response.web_search_call.in_progress':
    case 'response.web_search_call.searching':
    case 'response.web_search_call.completed':
      return inOpenItem(event, state, 'web_search_call', () => []);
    case 'response.created':
    case 'response.in_progress':
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
      return event.response === undefined ? ['has no response'] : [];
    default:
      return checkPart(event, state);
  }
}

function checkAdded(event: LogEvent, state: StreamState): string[] {
  const { item } = event;
  if (item === undefined) return ['has no item'];
  const faults = faultsOf(
    [state.open !== undefined, `item ${item.id} begins while ${String(state.open?.id)} is open`],
    [event.output_index !== state.added, `output_index ${String(event.output_index)}, expected ${String(state.added)}`],
    [!item.id || state.itemIds.has(item.id), `item id '${item.id}' is empty or used twice`],
    [item.status !== undefined && item.status !== 'in_progress', `item begins with status ${String(item.status)}`],
    [item.type !== 'reasoning' && item.status === undefined, 'item has no status'],
    [(item.content ?? item.summary ?? []).length > 0, 'item begins with content'],
  );
  if (item.type === 'function_call') faults.push(...checkNewCall(item, state));
  state.added += 1;
  state.itemIds.add(item.id);
  state.open = openItem(item, event.output_index ?? -1);
  return faults;
}

function openItem(item: LogItem, index: number): OpenItem {
  const { id, type, name } = item;
  return {
    id,
    type,
    index,
    callId: item.call_id,
    name,
    part: undefined,
    parts: 0,
    closedParts: [],
    arguments: '',
    argumentsDone: false,
  };
}

function checkNewCall(item: LogItem, state: StreamState): string[] {
  const faults: string[] = [];
  if (!item.call_id || state.callIds.has(item.call_id)) faults.push(`call_id '${String(item.call_id)}' is empty or used twice`);
  if (item.arguments !== '') faults.push('a call begins with arguments');
  if (!item.name) faults.push('a call has no name');
  state.callIds.add(item.call_id ?? '');
  return faults;
}

function checkDone(event: LogEvent, state: StreamState): string[] {
  const { item } = event;
  const { open } = state;
  if (item === undefined) return ['has no item'];
  if (open === undefined) return [`closes item ${item.id}, which is not open`];
  state.open = undefined;
  state.done.push(item);
  const isSame = item.id === open.id && item.type === open.type && event.output_index === open.index;
  return [
    ...faultsOf(
      [
        !isSame || item.call_id !== open.callId || item.name !== open.name,
        'id, type, index, call_id or name changed between added and done',
      ],
      [item.status === 'in_progress', 'the item is done but in_progress'],
      [open.part !== undefined, 'a part of the item is still open'],
    ),
    ...checkContent(item, open),
  ];
}

function checkContent(item: LogItem, open: OpenItem): string[] {
  if (item.type === 'web_search_call') return [];
  if (item.type === 'function_call') {
    return faultsOf(
      [!open.argumentsDone, 'function_call_arguments.done is missing'],
      [item.arguments !== open.arguments, 'the arguments are not the sum of their deltas'],
    );
  }
  const parts = item.type === 'reasoning' ? item.summary : item.content;
  return faultsOf(
    [JSON.stringify(parts) !== JSON.stringify(open.closedParts), 'the content is not the list of its parts'],
    [item.type === 'message' && open.closedParts.length === 0, 'a message without any part'],
  );
}

function checkArguments(event: LogEvent, item: OpenItem): string[] {
  if (item.argumentsDone) return ['comes after function_call_arguments.done'];
  if (event.type === 'response.function_call_arguments.delta') {
    item.arguments += String(event.delta);
    return typeof event.delta === 'string' ? [] : ['delta is no string'];
  }
  item.argumentsDone = true;
  const faults: string[] = [];
  if (event.arguments !== item.arguments) faults.push('the arguments are not the sum of their deltas');
  if (event.name !== item.name) faults.push(`name '${String(event.name)}' is not that of the call`);
  return faults;
}
