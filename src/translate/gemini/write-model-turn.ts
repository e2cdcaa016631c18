import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { Loss } from '../../model/loss.ts';
import type { CallInput, MessageInput, ReasoningInput } from '../../model/model-request.ts';
import type { GeminiCallPart, GeminiPart, GeminiTextPart } from '../../protocol/gemini/request.ts';
import type { ToolNames } from '../tool-names.ts';
import type { ModelItem } from './group-turns.ts';
import type { CallEntry, PartEntry, TextEntry, ThoughtEntry, ThoughtState } from './thought-state.ts';
import { toMediaPart } from './to-media-part.ts';

/** A part and the item that it was written for. */
interface WrittenPart {
  readonly part: GeminiPart;
  readonly item: ModelItem;
}

/** A call as it was written, for its response and for losses. */
export interface WrittenCall {
  readonly call: CallInput;
  readonly part: GeminiCallPart;
}

export interface WrittenTurn {
  readonly parts: readonly WrittenPart[];
  readonly calls: readonly WrittenCall[];
  readonly losses: readonly Loss[];
}

type PlacedEntry = TextEntry | PartEntry;

/** One turn of the model → parts, in order, with every signature exactly where it came from and signed text never merged with other text. */
export function writeModelTurn(
  items: readonly ModelItem[],
  states: ReadonlyMap<ReasoningInput, ThoughtState>,
  names: ToolNames,
): WrittenTurn {
  const losses: Loss[] = [];
  const parts: WrittenPart[] = [];
  const calls: WrittenCall[] = [];
  const callEntries = collectCallEntries(items, states);
  const { byMessage, byReasoning } = placeEntries(items, states, losses);
  for (const item of items) {
    if (item.type === 'call') {
      const part = writeCall(item, callEntries.get(item.callId), names, losses);
      parts.push({ part, item });
      calls.push({ call: item, part });
      continue;
    }
    const written =
      item.type === 'reasoning' ? writeAlone(byReasoning.get(item) ?? []) : writeMessage(item, byMessage.get(item), losses);
    parts.push(...written.map((part) => ({ part, item })));
  }
  return { parts, calls, losses };
}

/** Calls are bound by their id, wherever in the turn a client has put the state. */
function collectCallEntries(
  items: readonly ModelItem[],
  states: ReadonlyMap<ReasoningInput, ThoughtState>,
): ReadonlyMap<string, CallEntry> {
  const entries = new Map<string, CallEntry>();
  for (const item of items) {
    const state = item.type === 'reasoning' ? states.get(item) : undefined;
    for (const entry of state?.entries ?? []) if (entry.on === 'call') entries.set(entry.callId, entry);
  }
  return entries;
}

interface PlacedEntries {
  readonly byMessage: ReadonlyMap<MessageInput, readonly PlacedEntry[]>;
  readonly byReasoning: ReadonlyMap<ReasoningInput, readonly PlacedEntry[]>;
}

/** Text is bound by position: to the message before the state, or, where a client has moved items, to the next one of the right length. */
function placeEntries(
  items: readonly ModelItem[],
  states: ReadonlyMap<ReasoningInput, ThoughtState>,
  losses: Loss[],
): PlacedEntries {
  const byMessage = new Map<MessageInput, readonly PlacedEntry[]>();
  const byReasoning = new Map<ReasoningInput, readonly PlacedEntry[]>();
  items.forEach((item, at) => {
    const state = item.type === 'reasoning' ? states.get(item) : undefined;
    if (item.type !== 'reasoning' || state === undefined) return;
    const entries = state.entries.filter(isPlaced);
    if (entries.length === 0) return;
    if (state.textLength === 0) {
      byReasoning.set(item, entries);
      return;
    }
    const isMatch = (other: ModelItem): other is MessageInput =>
      other.type === 'message' && !byMessage.has(other) && textOf(other).length === state.textLength;
    const before = items.slice(0, at).findLast((other) => other.type === 'message');
    const message = before !== undefined && isMatch(before) ? before : items.slice(at + 1).find(isMatch);
    if (message !== undefined) byMessage.set(message, entries);
    else
      losses.push({
        path: item.path,
        action: 'dropped',
        reason: 'the text that its thought signature belongs to is missing or was changed',
      });
  });
  return { byMessage, byReasoning };
}

function isPlaced(entry: ThoughtEntry): entry is PlacedEntry {
  return entry.on !== 'call';
}

function textOf(message: MessageInput): string {
  return message.content.map((part) => (part.type === 'text' || part.type === 'refusal' ? part.text : '')).join('');
}

function writeAlone(entries: readonly PlacedEntry[]): GeminiPart[] {
  return entries.flatMap((entry): GeminiPart[] => {
    if (entry.on === 'part') return [entry.part];
    return entry.length === 0 ? [{ text: '', thoughtSignature: entry.signature }] : [];
  });
}

function writeMessage(message: MessageInput, entries: readonly PlacedEntry[] | undefined, losses: Loss[]): GeminiPart[] {
  if (entries !== undefined) return splitText(textOf(message), entries);
  return message.content.flatMap((part): GeminiPart[] => {
    if (part.type === 'text' || part.type === 'refusal') return toTextParts(part.text);
    const media = toMediaPart(part);
    losses.push(...media.losses);
    return media.value === null ? [] : [media.value];
  });
}

/** The text in pieces: signed ones by themselves, what lies between them unsigned. Entries that do not fit are left out; they were written by nobody we know. */
function splitText(text: string, entries: readonly PlacedEntry[]): GeminiPart[] {
  const parts: GeminiPart[] = [];
  let at = 0;
  for (const entry of entries) {
    const end = entry.start + (entry.on === 'text' ? entry.length : 0);
    if (entry.start < at || end < entry.start || end > text.length) continue;
    parts.push(...toTextParts(text.slice(at, entry.start)));
    if (entry.on === 'part') parts.push(entry.part);
    else parts.push({ text: text.slice(entry.start, end), thoughtSignature: entry.signature });
    at = end;
  }
  return [...parts, ...toTextParts(text.slice(at))];
}

/** Empty text parts are refused unless they carry a signature. */
function toTextParts(text: string): GeminiTextPart[] {
  return text === '' ? [] : [{ text }];
}

function writeCall(call: CallInput, entry: CallEntry | undefined, names: ToolNames, losses: Loss[]): GeminiCallPart {
  return {
    functionCall: {
      ...(entry?.geminiId !== undefined && { id: entry.geminiId }),
      name: names.toAlias(call.name),
      args: toArgs(call, losses),
    },
    ...(entry?.signature !== undefined && { thoughtSignature: entry.signature }),
  };
}

function toArgs(call: CallInput, losses: Loss[]): JsonObject {
  if (call.arguments.trim() === '') return {};
  const args = parseJson(call.arguments);
  if (isJsonObject(args)) return args;
  losses.push({
    path: `${call.path}.arguments`,
    action: 'approximated',
    reason: 'the arguments are not a JSON object; they are shown to the model as text',
  });
  return { arguments: call.arguments };
}
