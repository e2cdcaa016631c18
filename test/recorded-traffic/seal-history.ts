import { randomBytes } from 'node:crypto';
import { createReasoningEnvelope } from '../../src/engine/reasoning-envelope.ts';
import { isJsonObject, type JsonObject } from '../../src/lib/json.ts';
import type { ReasoningState } from '../../src/model/reasoning-state.ts';
import { encodeRedactedThinking, encodeThinking } from '../../src/translate/anthropic/anthropic-thinking-state.ts';
import { toResponsesState } from '../../src/translate/responses/responses-reasoning-state.ts';
import { listOf, words } from './loose.ts';

const key = randomBytes(32);
/** For the configuration of the gateway that shall open what was sealed here. */
export const envelopeKey = key.toString('base64');
const envelope = createReasoningEnvelope({ keys: [key], randomBytes: (size) => randomBytes(size) });

/**
 * A recorded request as its client would send it to this gateway: where the model server signed or sealed something, there is what the gateway had made of it in the turn before. (Gemini's
 * signatures have a test of their own: `signatures.test.ts`.)
 */
export function sealHistory(body: JsonObject, model: string): JsonObject {
  return {
    ...body,
    ...(Array.isArray(body['messages']) && { messages: body['messages'].map((message) => sealBlocks(message, model)) }),
    ...(Array.isArray(body['input']) && { input: body['input'].map((item) => sealReasoning(item, model)) }),
  };
}

function seal(state: ReasoningState): string {
  return envelope.seal([state], 'local');
}

function sealBlocks(message: unknown, model: string): unknown {
  if (!isJsonObject(message) || !Array.isArray(message['content'])) return message;
  return { ...message, content: message['content'].map((block) => sealBlock(block, model)) };
}

/** Thinking without a signature is of no use to its server. */
function sealBlock(block: unknown, model: string): unknown {
  if (!isJsonObject(block)) return block;
  const [thinking, signature] = [words(block['thinking']), words(block['signature'])];
  if (signature !== '') return { ...block, signature: seal(encodeThinking(model, { thinking, signature })) };
  if (block['type'] !== 'redacted_thinking') return block;
  return { ...block, data: seal(encodeRedactedThinking(model, words(block['data']))) };
}

function sealReasoning(item: unknown, model: string): unknown {
  if (!isJsonObject(item) || item['type'] !== 'reasoning') return item;
  const sealed = words(item['encrypted_content']);
  const state = toResponsesState(model, {
    id: words(item['id']) === '' ? undefined : words(item['id']),
    sealed: sealed === '' ? undefined : sealed,
    summary: listOf(item['summary']).map(({ text }) => words(text)),
    content: listOf(item['content']).map(({ text }) => words(text)),
  });
  return { ...item, encrypted_content: seal(state) };
}
