import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';

/** What a chat server wants back, as it lies in a ReasoningState of format `chat`. Absent members: the server sent no such thing. */
export interface ChatReasoningData {
  /** Plain reasoning text. */
  readonly text?: string;
  /** OpenRouter's reasoning_details, merged to whole blocks and otherwise untouched. */
  readonly details?: readonly JsonValue[];
  /** `extra_content` of the message (Gemini's thought signature). */
  readonly message?: JsonValue;
  /** `extra_content` by call id. */
  readonly calls?: { readonly [callId: string]: JsonValue };
}

/** Wraps it for the way through the client. */
export function toReasoningState(model: string, data: ChatReasoningData): ReasoningState {
  const members: { [key: string]: JsonValue } = {};
  if (data.text !== undefined) members['text'] = data.text;
  if (data.details !== undefined) members['details'] = data.details;
  if (data.message !== undefined) members['message'] = data.message;
  if (data.calls !== undefined) members['calls'] = data.calls;
  return { format: 'chat', model, data: members };
}

/** Reads it back. Members of a wrong shape are left out. */
export function fromReasoningState(state: ReasoningState): ChatReasoningData {
  const data = state.data;
  if (!isJsonMembers(data)) return {};
  const { text, details, message, calls } = data;
  return {
    ...(typeof text === 'string' && { text }),
    ...(Array.isArray(details) && { details: details as readonly JsonValue[] }),
    ...(message !== undefined && message !== null && { message }),
    ...(isJsonMembers(calls) && { calls }),
  };
}

/** Whether anything in it is bound to the model that made it. Plain text is not. */
export function isBoundToModel(data: ChatReasoningData): boolean {
  return data.details !== undefined || data.message !== undefined || data.calls !== undefined;
}

/** For values that came out of JSON.parse: all of them are JSON, only their type does not say so. */
export function isParsedJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

function isJsonMembers(value: unknown): value is { readonly [key: string]: JsonValue } {
  return isJsonObject(value);
}

/**
 * Streamed reasoning_details are pieces of blocks: pieces with the same `index` and `type` are one block. Text grows, every other member keeps its last value; encrypted
 * blocks arrive whole. Blocks without an index are never merged with others.
 */
export function mergeReasoningDetails(pieces: readonly JsonValue[]): readonly JsonValue[] {
  const blocks: JsonValue[] = [];
  const places = new Map<string, number>();
  for (const piece of pieces) {
    const key = blockKey(piece);
    const place = key === undefined ? undefined : places.get(key);
    const block = place === undefined ? undefined : blocks[place];
    if (place === undefined || block === undefined) {
      if (key !== undefined) places.set(key, blocks.length);
      blocks.push(piece);
    } else blocks[place] = mergeBlock(block, piece);
  }
  return blocks;
}

function blockKey(piece: JsonValue): string | undefined {
  if (!isJsonMembers(piece)) return undefined;
  const { index, type } = piece;
  if (typeof index !== 'number' || typeof type !== 'string' || type === 'reasoning.encrypted') return undefined;
  return `${index} ${type}`;
}

function mergeBlock(block: JsonValue, piece: JsonValue): JsonValue {
  if (!isJsonMembers(block) || !isJsonMembers(piece)) return piece;
  const merged: { [key: string]: JsonValue } = { ...block };
  for (const [key, value] of Object.entries(piece)) {
    const before = merged[key];
    if ((key === 'text' || key === 'summary') && typeof before === 'string' && typeof value === 'string')
      merged[key] = before + value;
    else if (value !== null || before === undefined) merged[key] = value;
  }
  return merged;
}
