import { faultsOf } from './faults-of.ts';
import type { LogEvent, LogItem, LogResponse, LogUsage } from './log-event.ts';
import type { StreamState } from './stream-state.ts';

const statusOf: Readonly<Record<string, string>> = {
  'response.created': 'in_progress',
  'response.in_progress': 'in_progress',
  'response.completed': 'completed',
  'response.incomplete': 'incomplete',
  'response.failed': 'failed',
};

/** Rules of the events that carry the whole response object. */
export function checkResponse(event: LogEvent, state: StreamState): string[] {
  const { response } = event;
  if (response === undefined) return [];
  const faults: string[] = [];
  const status = statusOf[event.type];
  if (status === undefined) faults.push('an event of this type must not carry a response');
  else if (response.status !== status) faults.push(`the response has status ${response.status}`);
  state.responseId ??= response.id;
  if (response.id !== state.responseId) faults.push('the response id changed');
  if (status === 'in_progress') return [...faults, ...checkRunning(response, state)];
  return [...faults, ...checkEnded(response)];
}

/** A repeated in_progress must show exactly what was added so far: clients replace their snapshot with it. */
function checkRunning(response: LogResponse, state: StreamState): string[] {
  const faults: string[] = [];
  if (response.usage !== null) faults.push('usage before the end');
  if (response.error !== null || response.incomplete_details !== null) faults.push('an end is described before the end');
  const shown = response.output.map(({ id }) => id).join();
  const added = [...state.itemIds].join();
  if (shown !== added) faults.push(`output shows items [${shown}], but [${added}] were added`);
  return faults;
}

function checkEnded(response: LogResponse): string[] {
  const { status, error } = response;
  return [
    ...checkUsage(response),
    ...faultsOf(
      [(status === 'failed') !== (error !== null), 'error and status do not agree'],
      [error !== null && [error.code, error.message, error.type].some((word) => !word), 'the error lacks code, message or type'],
      [(status === 'incomplete') !== (response.incomplete_details !== null), 'incomplete_details and status do not agree'],
      [(status === 'completed') !== (response.completed_at !== null), 'completed_at and status do not agree'],
    ),
    ...response.output.flatMap(checkEndedItem),
  ];
}

function checkEndedItem(item: LogItem): string[] {
  const isWholeCall = item.type === 'function_call' && item.status === 'completed';
  return faultsOf(
    [item.status === 'in_progress', `item ${item.id} is still in_progress`],
    [isWholeCall && !isObjectText(item.arguments), `call ${item.id} is completed with arguments that are no JSON object`],
  );
}

function checkUsage({ status, usage }: LogResponse): string[] {
  if (usage === null) return status === 'failed' ? [] : ['usage is missing'];
  return countsOf(usage).every((count) => typeof count === 'number' && Number.isInteger(count) && count >= 0)
    ? []
    : ['usage holds something that is no count'];
}

function countsOf(usage: LogUsage): unknown[] {
  return [
    usage.input_tokens,
    usage.output_tokens,
    usage.total_tokens,
    usage.input_tokens_details.cached_tokens,
    usage.input_tokens_details.cache_write_tokens,
    usage.output_tokens_details.reasoning_tokens,
  ];
}

function isObjectText(text: string | undefined): boolean {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
