import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';

/**
 * What Gemini wants back with the next turn, and where it stood (backends.md B.2, "thoughtSignature rules"). A state is made right before a call, or behind the text it belongs
 * to; positions count UTF-16 units of that text.
 */
export interface ThoughtState {
  /** Length of the message before this state; 0 when the entries stand by themselves. A message of another length was changed by somebody. */
  readonly textLength: number;
  readonly entries: readonly ThoughtEntry[];
}

export type ThoughtEntry = CallEntry | TextEntry | PartEntry;

/** A call: its signature, and the id Gemini gave it. */
export interface CallEntry {
  readonly on: 'call';
  readonly callId: string;
  readonly signature?: string;
  readonly geminiId?: string;
}

/** A signed piece of the text; `length` 0 is a signature on an empty text part. */
export interface TextEntry {
  readonly on: 'text';
  readonly start: number;
  readonly length: number;
  readonly signature: string;
}

/** A part that only Gemini understands, exactly as it came. */
export interface PartEntry {
  readonly on: 'part';
  readonly start: number;
  readonly part: JsonObject;
}

const format = 'gemini';

export function encodeThoughtState(model: string, state: ThoughtState): ReasoningState {
  // `part` was parsed from JSON, so the whole is JSON; the types of parsed JSON just do not say so.
  return { format, model, data: { textLength: state.textLength, entries: state.entries } as unknown as JsonValue };
}

/** The state when `model` made it; null when another model or another protocol did, or when it is not what we once wrote. */
export function decodeThoughtState(state: ReasoningState, model: string): ThoughtState | null {
  if (state.format !== format || state.model !== model || !isJsonObject(state.data)) return null;
  const { textLength, entries } = state.data;
  if (typeof textLength !== 'number' || !Array.isArray(entries)) return null;
  return { textLength, entries: (entries as readonly unknown[]).flatMap(toEntry) };
}

function toEntry(value: unknown): ThoughtEntry[] {
  if (!isJsonObject(value)) return [];
  const { on, callId, signature, geminiId, start, length, part } = value;
  if (on === 'call' && typeof callId === 'string') {
    return [
      { on, callId, ...(typeof signature === 'string' && { signature }), ...(typeof geminiId === 'string' && { geminiId }) },
    ];
  }
  if (typeof start !== 'number') return [];
  if (on === 'text' && typeof length === 'number' && typeof signature === 'string') return [{ on, start, length, signature }];
  return on === 'part' && isJsonObject(part) ? [{ on, start, part }] : [];
}
