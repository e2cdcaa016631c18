import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';

/** What a Responses server wants back of one reasoning item, as it lies in a ReasoningState of format `responses`. */
export interface ResponsesReasoning {
  readonly id: string | undefined;
  /** `encrypted_content` as the server wrote it; undefined where it sends thinking in the clear. */
  readonly sealed: string | undefined;
  readonly summary: readonly string[];
  /** Thinking in the clear. */
  readonly content: readonly string[];
}

/** Wraps it for the way through the client. */
export function toResponsesState(model: string, reasoning: ResponsesReasoning): ReasoningState {
  const { id, sealed, summary, content } = reasoning;
  const data: { [key: string]: JsonValue } = { summary };
  if (id !== undefined) data['id'] = id;
  if (sealed !== undefined) data['encrypted_content'] = sealed;
  if (content.length > 0) data['content'] = content;
  return { format: 'responses', model, data };
}

/** Reads it back; null when the state was made by another kind of server or another model, to whom it means nothing. */
export function fromResponsesState(state: ReasoningState, model: string): ResponsesReasoning | null {
  const { data } = state;
  if (state.format !== 'responses' || state.model !== model || !isJsonObject(data)) return null;
  const { id, encrypted_content: sealed, summary, content } = data;
  return {
    id: typeof id === 'string' ? id : undefined,
    sealed: typeof sealed === 'string' ? sealed : undefined,
    summary: stringsOf(summary),
    content: stringsOf(content),
  };
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
