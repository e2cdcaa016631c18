import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { GeminiAnswer } from '../../protocol/gemini/answer.ts';
import type { ResponseEvent } from '../../protocol/responses/event.ts';
import type { OutputItem } from '../../protocol/responses/items.ts';
import { GeminiAnswerWriter, type GeminiAnswerFacts } from './to-gemini-chunks-writer.ts';
import { toGeminiError, type GeminiError } from './to-gemini-error.ts';

/**
 * Events of a response → chunks of `streamGenerateContent` (backends.md B.3): a batch becomes at most one chunk. Deltas grow text and thoughts; a call comes whole;
 * `finishReason`, sources and usage come with the last chunk. A failure is an `{ error }` in its place, and nothing follows it.
 */
export function createGeminiChunks(
  facts: GeminiAnswerFacts,
  late: LateFailure,
): Stage<readonly ResponseEvent[], GeminiAnswer | GeminiError> {
  return new GeminiChunks(facts, late);
}

/** Why the response failed, to be read when it did. */
export interface LateFailure {
  readonly failure: GatewayError | null;
}

class GeminiChunks implements Stage<readonly ResponseEvent[], GeminiAnswer | GeminiError> {
  readonly #facts: GeminiAnswerFacts;
  readonly #late: LateFailure;
  #writer: GeminiAnswerWriter | undefined;

  constructor(facts: GeminiAnswerFacts, late: LateFailure) {
    this.#facts = facts;
    this.#late = late;
  }

  push(batch: readonly ResponseEvent[]): readonly (GeminiAnswer | GeminiError)[] {
    for (const event of batch) {
      if ('response' in event) this.#writer ??= new GeminiAnswerWriter(event.response, this.#facts);
      if (this.#writer !== undefined) readEvent(event, this.#writer);
    }
    return this.#takeChunks(batch.at(-1));
  }

  /** A terminal event has closed everything already. */
  end(): readonly (GeminiAnswer | GeminiError)[] {
    return [];
  }

  #takeChunks(last: ResponseEvent | undefined): readonly (GeminiAnswer | GeminiError)[] {
    const writer = this.#writer;
    if (writer === undefined) return [];
    switch (last?.type) {
      case 'response.completed':
      case 'response.incomplete':
        return [writer.takeLast(last.response)];
      case 'response.failed':
        return [...listOf(writer.takeChunk()), toGeminiError(this.#late.failure ?? unknownFailure)];
      default:
        return listOf(writer.takeChunk());
    }
  }
}

function readEvent(event: ResponseEvent, writer: GeminiAnswerWriter): void {
  switch (event.type) {
    case 'response.output_text.delta':
      return writer.text(event.delta, event.logprobs);
    case 'response.refusal.delta':
      return writer.text(event.delta);
    case 'response.reasoning_summary_text.delta':
      return writer.thought(event.delta);
    case 'response.reasoning_summary_part.added':
      return writer.beginThought();
    case 'response.content_part.added':
      return writer.beginText();
    case 'response.output_text.annotation.added':
      return writer.cite(event.annotation);
    case 'response.output_item.added':
      return writer.beginItem(kindOf(event.item));
    case 'response.output_item.done':
      return endItem(event.item, writer);
    default:
      return undefined;
  }
}

function kindOf({ type }: OutputItem): 'reasoning' | 'message' | 'other' {
  return type === 'reasoning' || type === 'message' ? type : 'other';
}

/** What only the whole item tells. */
export function endItem(item: OutputItem, writer: GeminiAnswerWriter): void {
  switch (item.type) {
    case 'reasoning':
      return writer.endReasoning(item);
    case 'function_call':
      return writer.call(item);
    case 'web_search_call':
      return writer.search(item);
    case 'message':
      return undefined;
  }
}

const unknownFailure = new GatewayError('server_error', 'The response failed.');

function listOf<T>(value: T | null): T[] {
  return value === null ? [] : [value];
}
