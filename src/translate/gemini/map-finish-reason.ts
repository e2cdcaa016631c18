import type { FinishReason } from '../../model/model-event.ts';

/** How an answer ended: finished, or failed for that reason. `isKnown` false: the reason is not in Google's documentation as of 2026-11. */
export type GeminiOutcome = { readonly finish: FinishReason; readonly isKnown: boolean } | { readonly finish: null };

/** `finishReason` → how the turn ended (table in backends.md B.3). STOP also ends answers with calls. */
export function mapFinishReason(reason: string, hasOutput: boolean): GeminiOutcome {
  switch (reason) {
    case 'STOP':
      return { finish: 'stop', isKnown: true };
    case 'MAX_TOKENS':
      return { finish: 'length', isKnown: true };
    case 'SAFETY':
    case 'RECITATION':
    case 'BLOCKLIST':
    case 'PROHIBITED_CONTENT':
    case 'SPII':
    case 'MODEL_ARMOR':
    case 'IMAGE_SAFETY':
    case 'IMAGE_PROHIBITED_CONTENT':
    case 'IMAGE_RECITATION':
      return { finish: 'content-filter', isKnown: true };
    case 'OTHER':
      return hasOutput ? { finish: 'stop', isKnown: true } : { finish: null };
    case 'LANGUAGE':
    case 'NO_IMAGE':
    case 'IMAGE_OTHER':
    case 'FINISH_REASON_UNSPECIFIED':
    case 'MALFORMED_FUNCTION_CALL':
    case 'UNEXPECTED_TOOL_CALL':
    case 'TOO_MANY_TOOL_CALLS':
    case 'MALFORMED_RESPONSE':
    case 'MISSING_THOUGHT_SIGNATURE':
      return { finish: null };
    default:
      return hasOutput ? { finish: 'stop', isKnown: false } : { finish: null };
  }
}
