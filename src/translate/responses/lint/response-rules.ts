import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { checkWhole } from './item-rules.ts';
import { objectsOf, shown, type LintState } from './lint-state.ts';

const statusOf: ReadonlyMap<string, string> = new Map([
  ['response.created', 'in_progress'],
  ['response.queued', 'queued'],
  ['response.in_progress', 'in_progress'],
  ['response.completed', 'completed'],
  ['response.incomplete', 'incomplete'],
  ['response.failed', 'failed'],
]);

/** Whether events of that type carry the whole response. */
export function isLifecycle(type: string): boolean {
  return statusOf.has(type);
}

export function isTerminal(type: string): boolean {
  return type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed';
}

/** Rules of the events that carry the whole response object. */
export function checkResponse(event: JsonObject, state: LintState): void {
  const { response } = event;
  if (state.isOwn && state.type === 'response.queued') state.report('unknown-event', 'this gateway never lets a response wait');
  if (!isJsonObject(response)) {
    state.report('response-missing', 'has no response');
    return;
  }
  const { status, id } = response;
  const wanted = statusOf.get(state.type);
  const isQueued = !state.isOwn && state.type === 'response.created' && status === 'queued';
  state.check(status !== wanted && !isQueued, 'response-status', `the response has status ${shown(status)}`);
  if (typeof id === 'string' && id !== '') state.responseId ??= id;
  state.check(id !== state.responseId || !id, 'response-id', 'the response id changed, or is missing');
  if (isTerminal(state.type)) checkEnded(response, state);
  else checkRunning(response, state);
}

/** A repeated in_progress must show exactly what was added so far: clients replace their snapshot with it. */
function checkRunning(response: JsonObject, state: LintState): void {
  const { usage, error, incomplete_details: details } = response;
  const isAbsent = (value: unknown): boolean => value === null || (!state.isOwn && value === undefined);
  state.check(!isAbsent(usage), 'early-end', 'usage before the end');
  state.check(!isAbsent(error) || !isAbsent(details), 'early-end', 'an end is described before the end');
  checkCompletedAt(response, false, state);
  const given = objectsOf(response['output']).map(({ id }) => String(id));
  const added = [...state.itemIds].map(String);
  state.check(
    !Array.isArray(response['output']) || given.join() !== added.join(),
    'running-output',
    `output shows items [${given.join()}], but [${added.join()}] were added`,
  );
}

function checkEnded(response: JsonObject, state: LintState): void {
  const { error, incomplete_details: details } = response;
  // The event decides: that the status does not agree with it has been told.
  const status = statusOf.get(state.type);
  checkUsage(response, state);
  // Ours are there, if only as null.
  const isLost = (value: unknown): boolean => state.isOwn && value === undefined;
  const hasError = error !== null && error !== undefined;
  state.check(isLost(error) || (status === 'failed') !== hasError, 'error-object', 'error and status do not agree');
  if (hasError) checkError(error, state);
  const hasDetails = details !== null && details !== undefined;
  const isWrong = isLost(details) || (status === 'incomplete') !== hasDetails;
  state.check(isWrong, 'incomplete-details', 'incomplete_details and status do not agree');
  const hasReason = isJsonObject(details) && typeof details['reason'] === 'string';
  state.check(hasDetails && !hasReason, 'incomplete-details', 'incomplete_details has no reason');
  checkCompletedAt(response, status === 'completed', state);
  for (const item of objectsOf(response['output'])) checkEndedItem(item, state);
}

/** Seconds. */
function checkCompletedAt({ completed_at: at }: JsonObject, isCompleted: boolean, state: LintState): void {
  const isRight = isCompleted ? isCount(at) : at === null;
  state.check(state.isOwn && !isRight, 'completed-at', 'completed_at and status do not agree');
}

function checkError(error: unknown, state: LintState): void {
  const members = state.isOwn ? ['code', 'message', 'type'] : ['code', 'message'];
  const isWhole = isJsonObject(error) && members.every((name) => typeof error[name] === 'string' && error[name] !== '');
  state.check(!isWhole, 'error-object', `the error lacks ${state.isOwn ? 'code, message or type' : 'code or message'}`);
}

/** The `error` event: its words beside its type, or in an object (OpenAI's own streams). */
export function checkErrorEvent(event: JsonObject, state: LintState): void {
  const said = isJsonObject(event['error']) ? event['error']['message'] : event['message'];
  state.check(typeof said !== 'string' || said === '', 'error-object', 'the error has no message');
}

function checkEndedItem(item: JsonObject, state: LintState): void {
  const { id, type, status } = item;
  state.check(status === 'in_progress', 'item-status', `item ${shown(id)} is still in_progress`);
  // Else it has been judged already.
  const isNew = !state.done.some(({ item: done }) => done['id'] === id);
  if (type === 'function_call' && isNew) checkWhole(item, state);
}

/** Every server counts input, output and their sum; the details are newer than some servers. */
function checkUsage(response: JsonObject, state: LintState): void {
  const { usage } = response;
  if (usage === null || usage === undefined) {
    state.check(state.type !== 'response.failed', 'usage-missing', 'usage is missing');
    return;
  }
  const counts = isJsonObject(usage) ? usage : {};
  const input = isJsonObject(counts['input_tokens_details']) ? counts['input_tokens_details'] : {};
  const output = isJsonObject(counts['output_tokens_details']) ? counts['output_tokens_details'] : {};
  const needed = [counts['input_tokens'], counts['output_tokens'], counts['total_tokens']];
  const details = [input['cached_tokens'], input['cache_write_tokens'], output['reasoning_tokens']];
  const isWhole =
    needed.every(isCount) &&
    details.every((count) => isCount(count) || (!state.isOwn && (count === undefined || count === null)));
  state.check(!isWhole, 'usage-counts', 'usage holds something that is no count');
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** Rules of the stream as a whole. */
export function checkEnd(state: LintState): void {
  const { terminal, open } = state;
  if (terminal === undefined) {
    state.reportWhole('terminal-missing', 'the stream has no terminal event');
    return;
  }
  for (const { id } of open) state.reportWhole('item-never-done', `item ${shown(id)} was never closed`);
  const { response } = terminal;
  if (!isJsonObject(response)) return;
  const output = objectsOf(response['output']);
  if (!Array.isArray(response['output'])) state.reportWhole('final-output', 'the final response has no list of items');
  // Of items that were never closed only the final output tells.
  const isSame = open.length > 0 ? true : sameOutput(output, state);
  if (!isSame) state.reportWhole('final-output', 'the final output is not the list of the items in output_item.done');
  const cut = output.findIndex(({ status }) => status === 'incomplete');
  if (cut >= 0 && cut !== output.length - 1) state.reportWhole('incomplete-item', 'an incomplete item is not the last one');
  if (cut >= 0 && terminal['type'] === 'response.completed')
    state.reportWhole('incomplete-item', 'a completed response holds an incomplete item');
}

function sameOutput(output: readonly JsonObject[], state: LintState): boolean {
  const done = [...state.done].sort((a, b) => a.index - b.index).map(({ item }) => item);
  if (state.isOwn) return JSON.stringify(output) === JSON.stringify(done);
  return output.length === done.length && output.every((item, at) => sameItem(item, done[at]));
}

/** What a client has to find again; OpenAI seals reasoning anew for the final output. */
function sameItem(item: JsonObject, other: JsonObject | undefined): boolean {
  if (other === undefined) return false;
  const isSame = ['id', 'type', 'status', 'call_id', 'name', 'arguments'].every((name) => item[name] === other[name]);
  return isSame && textsOf(item) === textsOf(other);
}

function textsOf(item: JsonObject): string {
  const parts = [...objectsOf(item['content']), ...objectsOf(item['summary'])];
  return JSON.stringify(parts.map(({ type, text, refusal }) => [type, text, refusal]));
}
