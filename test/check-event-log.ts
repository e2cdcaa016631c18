import { checkItem } from './check-event-log/item-rules.ts';
import { checkResponse } from './check-event-log/response-rules.ts';
import type { LogEvent } from './check-event-log/log-event.ts';
import { StreamState } from './check-event-log/stream-state.ts';

const terminalTypes = ['response.completed', 'response.incomplete', 'response.failed'];

/**
 * Our grammar oracle: the rules of protocol.md §1.7 and the identity rules of §4.1, over the events of one whole stream as parsed JSON. Returns what is wrong, in words; an empty
 * list is a good log. It knows nothing of how the events were made.
 */
export function checkEventLog(log: readonly unknown[]): string[] {
  const faults: string[] = [];
  const state = new StreamState();
  log.forEach((raw, at) => {
    const event = raw as LogEvent;
    for (const fault of [...checkNumber(event, at), ...checkPlace(event, at, state), ...checkItem(event, state)])
      faults.push(`#${String(at)} ${event.type}: ${fault}`);
  });
  return [...faults, ...checkWhole(log as readonly LogEvent[], state)];
}

function checkNumber(event: LogEvent, at: number): string[] {
  return event.sequence_number === at ? [] : [`carries sequence_number ${String(event.sequence_number)}, expected ${String(at)}`];
}

/** created, in_progress, body, one terminal event, nothing after it. */
function checkPlace(event: LogEvent, at: number, state: StreamState): string[] {
  const faults: string[] = [];
  if (state.terminal !== undefined) faults.push('comes after the terminal event');
  if (at === 0 && event.type !== 'response.created') faults.push('the first event must be response.created');
  if (at === 1 && event.type !== 'response.in_progress') faults.push('the second event must be response.in_progress');
  if (at > 0 && event.type === 'response.created') faults.push('response.created comes twice');
  if (event.response !== undefined) faults.push(...checkResponse(event, state));
  if (terminalTypes.includes(event.type)) state.terminal = event;
  return faults;
}

function checkWhole(log: readonly LogEvent[], state: StreamState): string[] {
  const faults: string[] = [];
  const { terminal } = state;
  if (terminal === undefined) return ['the stream has no terminal event'];
  if (log.at(-1) !== terminal) faults.push('the terminal event is not the last one');
  if (state.open !== undefined) faults.push(`item ${state.open.id} was never closed`);
  const output = terminal.response?.output ?? [];
  if (JSON.stringify(output) !== JSON.stringify(state.done))
    faults.push('the final output is not the list of the items in output_item.done');
  const cut = output.findIndex((item) => item.status === 'incomplete');
  if (cut >= 0 && cut !== output.length - 1) faults.push('an incomplete item is not the last one');
  if (cut >= 0 && terminal.type === 'response.completed') faults.push('a completed response holds an incomplete item');
  return faults;
}
