import { isJsonObject, type JsonValue } from '../../lib/json.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import type { AiSdkProviderOptions } from '../../protocol/ai-sdk/call-options.ts';

/** What a provider wants back (its `providerMetadata`), and on what it stood. */
export interface AiSdkState {
  /** A stretch of thinking. */
  readonly reasoning?: { readonly text: string; readonly metadata?: AiSdkProviderOptions };
  /** Pieces of the answer's text; places count UTF-16 units over all of its messages. */
  readonly texts?: readonly AiSdkTextState[];
  /** By the call's id at the client. */
  readonly calls?: { readonly [callId: string]: AiSdkProviderOptions };
}

export interface AiSdkTextState {
  readonly start: number;
  readonly length: number;
  readonly metadata: AiSdkProviderOptions;
}

const format = 'ai-sdk';

/** Wraps it for the way through the client. */
export function encodeAiSdkState(model: string, state: AiSdkState): ReasoningState {
  // Metadata is JSON by the SDK's contract, and whoever keeps the state writes it as JSON: what is none gets lost there.
  return { format, model, data: { ...state } as unknown as JsonValue };
}

/** Reads it back, without members of a wrong shape; null when it is of another protocol, or bound to another model. Plain thinking text is bound to none. */
export function decodeAiSdkState(state: ReasoningState, model: string): AiSdkState | null {
  if (state.format !== format || !isJsonObject(state.data)) return null;
  const { reasoning, texts, calls } = state.data;
  const decoded: AiSdkState = {
    ...(isJsonObject(reasoning) &&
      typeof reasoning['text'] === 'string' && { reasoning: toReasoning(reasoning['text'], reasoning) }),
    ...(Array.isArray(texts) && { texts: (texts as readonly unknown[]).flatMap(toTextState) }),
    ...(isJsonObject(calls) && { calls: toCalls(calls) }),
  };
  const isBound = decoded.reasoning?.metadata !== undefined || decoded.texts !== undefined || decoded.calls !== undefined;
  return isBound && state.model !== model ? null : decoded;
}

/** Metadata of one part, of which later pieces know more. */
export function mergeMetadata(known: AiSdkProviderOptions | undefined, more: unknown): AiSdkProviderOptions | undefined {
  const added = toMetadata(more);
  if (known === undefined || added === undefined) return added ?? known;
  const merged: { [provider: string]: { readonly [name: string]: unknown } } = { ...known };
  for (const [provider, members] of Object.entries(added)) merged[provider] = { ...merged[provider], ...members };
  return merged;
}

/** Undefined when there is nothing in it. */
function toMetadata(value: unknown): AiSdkProviderOptions | undefined {
  if (!isJsonObject(value)) return undefined;
  const members = Object.entries(value).flatMap(([provider, content]) =>
    isJsonObject(content) && Object.values(content).some((member) => member !== undefined) ? [[provider, content] as const] : [],
  );
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function toReasoning(text: string, { metadata }: { readonly metadata?: unknown }): NonNullable<AiSdkState['reasoning']> {
  const known = toMetadata(metadata);
  return { text, ...(known !== undefined && { metadata: known }) };
}

function toTextState(value: unknown): AiSdkTextState[] {
  if (!isJsonObject(value)) return [];
  const { start, length } = value;
  const metadata = toMetadata(value['metadata']);
  return typeof start === 'number' && typeof length === 'number' && metadata !== undefined ? [{ start, length, metadata }] : [];
}

function toCalls(calls: { readonly [callId: string]: unknown }): { [callId: string]: AiSdkProviderOptions } {
  return Object.fromEntries(
    Object.entries(calls).flatMap(([callId, value]) => {
      const metadata = toMetadata(value);
      return metadata === undefined ? [] : [[callId, metadata] as const];
    }),
  );
}
