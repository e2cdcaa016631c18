import { isJsonObject } from '../../lib/json.ts';
import type { TokenUsage } from '../../model/model-event.ts';

const fields = [
  'promptTokenCount',
  'toolUsePromptTokenCount',
  'cachedContentTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'totalTokenCount',
] as const;

type Field = (typeof fields)[number];

/** `usageMetadata` of all chunks: snapshots of which the last known value of each field counts, since some chunks carry only a few. */
export class UsageReader {
  readonly #counts = new Map<Field, number>();

  add(metadata: unknown): void {
    if (!isJsonObject(metadata)) return;
    for (const field of fields) {
      const count = metadata[field];
      if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) this.#counts.set(field, count);
    }
  }

  /** Undefined when nothing was counted. Gemini leaves zeros out, so what is missing beside a prompt count is 0. */
  get usage(): TokenUsage | undefined {
    const prompt = this.#counts.get('promptTokenCount');
    const tools = this.#counts.get('toolUsePromptTokenCount') ?? 0;
    const candidates = this.#counts.get('candidatesTokenCount') ?? 0;
    const thoughts = this.#counts.get('thoughtsTokenCount') ?? 0;
    const total = this.#counts.get('totalTokenCount');
    if (prompt === undefined) return total === undefined ? undefined : { totalTokens: total };
    const input = prompt + tools;
    // Older Vertex models count thinking among the candidates already.
    const includesThoughts = thoughts > 0 && candidates >= thoughts && input + candidates === total;
    return {
      inputTokens: input,
      cachedTokens: this.#counts.get('cachedContentTokenCount') ?? 0,
      outputTokens: includesThoughts ? candidates : candidates + thoughts,
      reasoningTokens: thoughts,
      ...(total !== undefined && { totalTokens: total }),
    };
  }
}
