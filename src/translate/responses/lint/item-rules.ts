import { isJsonObject, parseJson, type JsonObject } from '../../../lib/json.ts';
import { findOpenItem } from './find-open-item.ts';
import { checkToolDone } from './tool-rules.ts';
import { objectsOf, shown, type LintState, type OpenItem } from './lint-state.ts';

/** Items this gateway sends; of others only beginning and end are judged. */
const judged: ReadonlySet<unknown> = new Set(['message', 'reasoning', 'function_call', 'web_search_call']);

/** What the API takes as `call_id`: a client could not send a longer one back. */
export const longestCallId = 64;

/** `output_item.added`: one after the other, in order, empty. */
export function checkAdded(event: JsonObject, state: LintState): void {
  const { item, output_index: index } = event;
  if (!isJsonObject(item)) {
    state.report('item-missing', 'has no item');
    return;
  }
  const { id, type } = item;
  const standing = state.open.find((open) => state.isOwn || judged.has(open.type) || judged.has(type));
  if (standing !== undefined) state.report('item-overlap', `item ${shown(id)} begins while ${shown(standing.id)} is open`);
  state.check(index !== state.nextIndex, 'output-index', `output_index ${shown(index)}, expected ${String(state.nextIndex)}`);
  state.check(!id || state.itemIds.has(id), 'item-id', `item id ${shown(id)} is empty or used twice`);
  state.check(state.isOwn && !judged.has(type), 'unknown-item', `this gateway sends no items of type ${shown(type)}`);
  if (judged.has(type)) checkStart(item, state);
  if (type === 'function_call') {
    const { arguments: text } = item;
    state.check(text !== '' && (state.isOwn || text !== undefined), 'item-start', 'a call begins with arguments');
    checkNewCall(item, state);
  }
  state.nextIndex = typeof index === 'number' && Number.isSafeInteger(index) ? index + 1 : state.nextIndex + 1;
  state.itemIds.add(id);
  state.open.push(openItem(item, index));
}

function openItem(item: JsonObject, index: unknown): OpenItem {
  const { id, type, name, call_id: callId } = item;
  const said = { part: undefined, content: [], summary: [], arguments: '', argumentsDone: false, step: -1 };
  return { id, type, index, callId, name, ...said };
}

function checkStart(item: JsonObject, state: LintState): void {
  const { status, type } = item;
  // Servers leave the status of a reasoning item out; a search of a server's own may be over when it is told.
  const isLoose = type === 'reasoning' || (!state.isOwn && type === 'web_search_call');
  const mayBe = status === 'in_progress' || (isLoose && (status === undefined || !state.isOwn));
  state.check(!mayBe, 'item-start', `item begins with status ${shown(status)}`);
  const shownParts = objectsOf(item['content']).length + objectsOf(item['summary']).length;
  state.check(shownParts > 0, 'item-start', 'item begins with content');
  const list = type === 'message' ? 'content' : type === 'reasoning' ? 'summary' : null;
  state.check(list !== null && !Array.isArray(item[list]), 'item-start', `item begins without its list, ${String(list)}`);
  state.check(type === 'message' && item['role'] !== 'assistant', 'item-start', `message of the role ${shown(item['role'])}`);
}

/** A call has an id of its own, and a name. */
export function checkNewCall({ call_id: callId, name }: JsonObject, state: LintState): void {
  state.check(!callId || state.callIds.has(callId), 'call-id', `call_id ${shown(callId)} is empty or used twice`);
  const isLong = typeof callId === 'string' && callId.length > longestCallId;
  state.check(isLong, 'call-id', `call_id ${shown(callId)} is longer than ${String(longestCallId)} characters`);
  state.check(!name, 'call-name', 'a call has no name');
  state.callIds.add(callId);
}

/** `output_item.done`: the same item, whole. */
export function checkDone(event: JsonObject, state: LintState): void {
  const { item, output_index: index } = event;
  if (!isJsonObject(item)) {
    state.report('item-missing', 'has no item');
    return;
  }
  const open = takeOpen(item, index, state);
  const place = typeof index === 'number' ? index : state.done.length;
  state.done.push({ index: place, item });
  checkStatus(item, state);
  if (open === undefined) {
    state.report('item-never-added', `closes item ${shown(item['id'])}, which is not open`);
    state.itemIds.add(item['id']);
    state.nextIndex = Math.max(state.nextIndex, place + 1);
    return;
  }
  checkIdentity(item, open, state);
  state.check(open.index !== index, 'output-index', `output_index ${shown(index)}, but it was added at ${shown(open.index)}`);
  if (judged.has(open.type)) checkContent(item, open, state);
}

/** By its id, else by its place, else the only one of its type; it is no longer open then. */
function takeOpen(item: JsonObject, index: unknown, state: LintState): OpenItem | undefined {
  const { open } = state;
  const found =
    open.find(({ id, type }) => id === item['id'] && type === item['type']) ??
    open.find((candidate) => candidate.index === index) ??
    open.find(({ type }) => type === item['type']);
  if (found !== undefined) open.splice(open.indexOf(found), 1);
  return found;
}

/** Tools of a server have words of their own (`failed`, `generating`), and not all items have a status. */
function checkStatus({ type, status }: JsonObject, state: LintState): void {
  const isStrict = type === 'message' || type === 'function_call';
  const isOver = status === 'completed' || status === 'incomplete' || (status === undefined && !state.isOwn);
  const isBad = isStrict ? !isOver : status === 'in_progress';
  state.check(isBad, 'item-status', `the item is done with status ${shown(status)}`);
}

function checkIdentity(item: JsonObject, open: OpenItem, state: LintState): void {
  const isCall = open.type === 'function_call';
  const isSame =
    item['id'] === open.id &&
    item['type'] === open.type &&
    (!isCall || (item['call_id'] === open.callId && item['name'] === open.name));
  state.check(!isSame, 'item-identity', 'id, type, call_id or name changed between added and done');
}

function checkContent(item: JsonObject, open: OpenItem, state: LintState): void {
  switch (open.type) {
    case 'function_call':
      state.check(!open.argumentsDone, 'arguments-done', 'function_call_arguments.done is missing');
      state.check(item['arguments'] !== open.arguments, 'arguments-sum', 'the arguments are not the sum of their deltas');
      checkWhole(item, state);
      return;
    case 'web_search_call':
      return checkToolDone(open, state);
    case 'message':
    case 'reasoning':
      return checkParts(item, open, state);
  }
}

/** A client would run what it is handed as complete. */
export function checkWhole({ id, status, arguments: text }: JsonObject, state: LintState): void {
  const isWhole = status === 'completed' && !(typeof text === 'string' && isJsonObject(parseJson(text)));
  state.check(isWhole, 'arguments-json', `call ${shown(id)} is completed with arguments that are no JSON object`);
}

function checkParts(item: JsonObject, open: OpenItem, state: LintState): void {
  const { part } = open;
  if (part !== undefined && !part.isImplied) {
    state.report('part-never-done', 'a part of the item is still open');
    return;
  }
  // A part that was only implied has nobody to close it.
  if (part !== undefined) {
    const list = part.kind === 'summary_text' ? open.summary : open.content;
    list.push({ type: part.kind, [part.kind === 'refusal' ? 'refusal' : 'text']: part.text });
  }
  const isSame = sameParts(item['content'], open.content, state) && sameParts(item['summary'], open.summary, state);
  state.check(!isSame, 'item-content', 'the content is not the list of its parts');
  const isEmpty = open.type === 'message' && open.content.length === 0;
  // An empty answer of a foreign server is what it is; a message of ours always has a part.
  state.check(isEmpty && (state.isOwn || objectsOf(item['content']).length === 0), 'empty-message', 'a message without any part');
}

function sameParts(parts: unknown, closed: readonly JsonObject[], state: LintState): boolean {
  if (state.isOwn) return JSON.stringify(parts ?? []) === JSON.stringify(closed);
  const given = objectsOf(parts);
  return given.length === closed.length && given.every((part, at) => samePart(part, closed[at]));
}

function samePart(part: JsonObject, other: JsonObject | undefined): boolean {
  return part['type'] === other?.['type'] && part['text'] === other?.['text'] && part['refusal'] === other?.['refusal'];
}

/** `function_call_arguments.delta` and `.done`. */
export function checkArguments(event: JsonObject, state: LintState): void {
  const item = findOpenItem(event, 'function_call', state);
  if (item === undefined) return;
  if (item.argumentsDone) {
    state.report('arguments-done', 'comes after function_call_arguments.done');
    return;
  }
  if (state.type === 'response.function_call_arguments.delta') {
    const { delta } = event;
    if (typeof delta === 'string') item.arguments += delta;
    else state.report('delta-type', 'delta is no string');
    return;
  }
  const { arguments: text, name } = event;
  item.argumentsDone = true;
  state.check(text !== item.arguments, 'arguments-sum', 'the arguments are not the sum of their deltas');
  if (typeof text === 'string') item.arguments = text;
  state.check(state.isOwn && name !== item.name, 'arguments-name', `name ${shown(name)} is not that of the call`);
}
