import { isJsonObject } from '../../lib/json.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import type { AnthropicRedactedThinkingBlock, AnthropicThinkingBlock } from '../../protocol/anthropic/request.ts';

const format = 'anthropic';

/** Signed thinking. Its text goes along: it must come back unchanged, and clients drop or trim what they call a summary. */
export function encodeThinking(model: string, { thinking, signature }: Omit<AnthropicThinkingBlock, 'type'>): ReasoningState {
  return { format, model, data: { signature, thinking } };
}

/** Thinking that Anthropic shows to nobody. */
export function encodeRedactedThinking(model: string, data: string): ReasoningState {
  return { format, model, data: { redacted: data } };
}

/**
 * The block to send back when `model` made the state; null when another model or another protocol did, or when it is not what we once wrote. `text` is what the client has of the
 * thinking, for states without it.
 */
export function decodeThinking(
  state: ReasoningState,
  model: string,
  text: string,
): AnthropicThinkingBlock | AnthropicRedactedThinkingBlock | null {
  if (state.format !== format || state.model !== model || !isJsonObject(state.data)) return null;
  const { signature, thinking, redacted } = state.data;
  if (typeof redacted === 'string' && redacted !== '') return { type: 'redacted_thinking', data: redacted };
  if (typeof signature !== 'string' || signature === '') return null;
  return { type: 'thinking', thinking: typeof thinking === 'string' ? thinking : text, signature };
}
