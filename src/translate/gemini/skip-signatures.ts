import type { Loss } from '../../model/loss.ts';
import type { GeminiPart } from '../../protocol/gemini/request.ts';
import type { WrittenCall } from './write-model-turn.ts';

/** What Google documents for calls that Gemini did not sign: history from elsewhere, or from a client that did not keep the state. */
const skipSignature = 'skip_thought_signature_validator';

/** A content as far as signatures are concerned. */
interface SignedContent {
  readonly role: string;
  readonly parts: readonly GeminiPart[];
}

/**
 * Gemini 3 validates the current turn: everything behind the last user content that is not only function responses. The first call of every step there needs a signature;
 * where none is left, the documented value takes its place, with a loss, since answers get worse by it.
 */
export function addSkipSignatures(contents: readonly SignedContent[], calls: readonly WrittenCall[]): Loss[] {
  const begin = contents.findLastIndex(({ role, parts }) => role === 'user' && !parts.every(isFunctionResponse));
  const losses: Loss[] = [];
  for (const content of contents.slice(begin + 1)) {
    const first = calls.find(({ part }) => part === content.parts.find(isFunctionCall));
    if (first === undefined || first.part.thoughtSignature !== undefined) continue;
    first.part.thoughtSignature = skipSignature;
    losses.push({
      path: first.call.path,
      action: 'approximated',
      reason: 'the model gets this call without the thinking behind it: its thought signature is not there',
    });
  }
  return losses;
}

function isFunctionResponse(part: GeminiPart): boolean {
  return 'functionResponse' in part;
}

function isFunctionCall(part: GeminiPart): boolean {
  return 'functionCall' in part;
}
