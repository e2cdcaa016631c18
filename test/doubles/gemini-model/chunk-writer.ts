import type { JsonObject } from '../../../src/lib/json.ts';
import type { GeminiChunk } from './gemini-model-options.ts';
import { isGemini3 } from './gemini-words.ts';
import type { IssuedSignatures } from './issued-signatures.ts';

export interface ChunkWriterOptions {
  readonly model: string;
  readonly responseId: string;
  readonly promptTokens: number;
  /** Part of the prompt tokens. */
  readonly cachedTokens: number;
  /** `includeThoughts`: thinking is counted in any case, shown only then. */
  readonly showsThoughts: boolean;
  readonly givesCallIds: boolean;
  readonly signatures: IssuedSignatures;
}

export interface Counts {
  readonly prompt: number;
  readonly cached: number;
  readonly answer: number;
  readonly thoughts: number;
}

/**
 * Writes the chunks of one answer. Gemini 3 signs the first call of an answer, or, without a call, an empty text at the end (recordings README §6).
 */
export class ChunkWriter {
  readonly #options: ChunkWriterOptions;
  #answerTokens = 0;
  #thoughtTokens = 0;
  #calls = 0;
  #grounding: JsonObject | null = null;

  constructor(options: ChunkWriterOptions) {
    this.#options = options;
  }

  get showsThoughts(): boolean {
    return this.#options.showsThoughts;
  }

  /** Null when it is not shown. */
  thought(text: string): GeminiChunk | null {
    this.#thoughtTokens += tokensOf(text);
    return this.#options.showsThoughts ? this.#chunk([{ text, thought: true }]) : null;
  }

  text(text: string): GeminiChunk {
    this.#answerTokens += tokensOf(text);
    return this.#chunk([{ text }]);
  }

  call(name: string, args: JsonObject): GeminiChunk {
    const { model, signatures, givesCallIds, responseId } = this.#options;
    this.#answerTokens += tokensOf(name + JSON.stringify(args));
    const id = givesCallIds ? `fc-${responseId}-${this.#calls}` : undefined;
    const isFirst = this.#calls === 0;
    this.#calls += 1;
    const functionCall = { ...(id !== undefined && { id }), name, args };
    const isSigned = isFirst && isGemini3(model);
    return this.#chunk([{ functionCall, ...(isSigned && { thoughtSignature: signatures.issue({ name, args, id }) }) }]);
  }

  /** `groundingMetadata` of the last chunk. */
  ground(metadata: JsonObject): void {
    this.#grounding = metadata;
  }

  /** The last chunk. `counts` replace what was counted here. */
  finish(reason: string, counts: Counts | null = null): GeminiChunk {
    const { model, signatures } = this.#options;
    const isSigned = this.#calls === 0 && isGemini3(model) && reason === 'STOP';
    // Never `parts: []`, which real answers do not have: for it the official client's chat forgets the turn.
    const parts = [{ text: '', ...(isSigned && { thoughtSignature: signatures.issue(null) }) }];
    const more = {
      finishReason: reason,
      ...(this.#calls > 0 && reason === 'STOP' && { finishMessage: 'Model generated function call(s).' }),
      ...(this.#grounding !== null && { groundingMetadata: this.#grounding }),
    };
    return this.#chunk(parts, more, counts);
  }

  #chunk(parts: readonly JsonObject[], more: JsonObject = {}, counts: Counts | null = null): GeminiChunk {
    const { model, responseId } = this.#options;
    return {
      candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
      usageMetadata: this.#usage(counts),
      modelVersion: model,
      responseId,
    };
  }

  /** Zeros are left out, as Gemini does. */
  #usage(counts: Counts | null): JsonObject {
    const { promptTokens, cachedTokens } = this.#options;
    const own = { prompt: promptTokens, cached: cachedTokens, answer: this.#answerTokens, thoughts: this.#thoughtTokens };
    const { prompt, cached, answer, thoughts } = counts ?? own;
    return {
      promptTokenCount: prompt,
      ...(answer > 0 && { candidatesTokenCount: answer }),
      totalTokenCount: prompt + answer + thoughts,
      ...(cached > 0 && { cachedContentTokenCount: cached }),
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
      ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    };
  }
}

/** The same text costs the same every time. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}
