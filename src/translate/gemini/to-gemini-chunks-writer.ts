import type { GeminiAnswer, GeminiCandidate } from '../../protocol/gemini/answer.ts';
import type {
  FunctionCallItem,
  LogProb,
  ReasoningItem,
  UrlCitationAnnotation,
  WebSearchCallItem,
} from '../../protocol/responses/items.ts';
import type { ResponseResource } from '../../protocol/responses/response.ts';
import { toGeminiFinish, toGeminiUsage } from './to-gemini-chunks-ending.ts';
import { Grounding } from './to-gemini-chunks-grounding.ts';
import { AnswerParts } from './to-gemini-chunks-parts.ts';

/** What the answer has to know of the request. */
export interface GeminiAnswerFacts {
  /** `includeThoughts`: without it Gemini tells no thoughts. */
  readonly showsThoughts: boolean;
}

/** Writes an answer in Gemini's words: a stream chunk by chunk, a whole one as its only chunk. Items come in order, one after the other. */
export class GeminiAnswerWriter {
  readonly #base: Pick<GeminiAnswer, 'modelVersion' | 'responseId'>;
  readonly #parts: AnswerParts;
  readonly #grounding = new Grounding();
  #partStart = 0;

  constructor({ model, id }: Pick<ResponseResource, 'model' | 'id'>, { showsThoughts }: GeminiAnswerFacts) {
    this.#base = { modelVersion: model, responseId: id };
    this.#parts = new AnswerParts(showsThoughts);
  }

  beginItem(kind: 'reasoning' | 'message' | 'other'): void {
    this.#parts.beginItem(kind);
  }

  /** A summary part of the reasoning begins. */
  beginThought(): void {
    this.#parts.beginThought();
  }

  /** A content part of the message begins: annotations count from here. */
  beginText(): void {
    this.#partStart = this.#parts.nextStart;
  }

  thought(delta: string): void {
    this.#parts.thought(delta);
  }

  /** Text, or the words of a refusal, which Gemini's models speak as text. */
  text(delta: string, logprobs: readonly LogProb[] = []): void {
    this.#parts.text(delta, logprobs);
  }

  cite(annotation: UrlCitationAnnotation): void {
    this.#grounding.cite(annotation, this.#partStart);
  }

  endReasoning({ encrypted_content: sealed }: ReasoningItem): void {
    if (sealed !== undefined) this.#parts.seal(sealed);
  }

  call(item: FunctionCallItem): void {
    this.#parts.call(item);
  }

  search({ action }: WebSearchCallItem): void {
    this.#grounding.search(action);
  }

  /** What came since the last chunk; null when nothing did that Gemini has words for. */
  takeChunk(): GeminiAnswer | null {
    const { parts, logprobs } = this.#parts.take();
    if (parts.length === 0 && logprobs === null) return null;
    const candidate: GeminiCandidate = { content: { parts: parts.length > 0 ? parts : [{ text: '' }], role: 'model' }, index: 0 };
    if (logprobs !== null) candidate.logprobsResult = logprobs;
    return { candidates: [candidate], ...this.#base };
  }

  /** The last chunk: whatever is left, why the answer ended, its sources and its usage. */
  takeLast(response: ResponseResource): GeminiAnswer {
    this.#parts.close();
    const { parts, logprobs } = this.#parts.take();
    const average = this.#parts.averageLogprob;
    const groundingMetadata = this.#grounding.toMetadata(this.#parts.visibleText);
    const candidate: GeminiCandidate = {
      content: { parts, role: 'model' },
      ...toGeminiFinish(response),
      index: 0,
      ...(groundingMetadata !== undefined && { groundingMetadata }),
      ...(average !== null && { avgLogprobs: average }),
      ...(logprobs !== null && { logprobsResult: logprobs }),
    };
    const usageMetadata = response.usage === null ? {} : { usageMetadata: toGeminiUsage(response.usage) };
    return { candidates: [candidate], ...usageMetadata, ...this.#base };
  }
}
