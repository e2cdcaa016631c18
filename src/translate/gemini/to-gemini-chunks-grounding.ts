import type { GeminiGrounding } from '../../protocol/gemini/answer.ts';
import type { UrlCitationAnnotation, WebSearchCallItem } from '../../protocol/responses/items.ts';
import { createByteOffsets } from './byte-offsets.ts';

interface Citation {
  readonly chunk: number;
  /** UTF-16 indexes in the whole visible text, the end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** Web searches and citations of an answer → `groundingMetadata`, which Gemini too sends when the text is there. */
export class Grounding {
  readonly #queries = new Set<string>();
  readonly #chunks = new Map<string, { readonly at: number; readonly title: string | null }>();
  readonly #citations: Citation[] = [];

  /** `base`: where in the visible text the annotated part begins. */
  cite({ url, title, start_index, end_index }: UrlCitationAnnotation, base: number): void {
    this.#citations.push({ chunk: this.#chunkOf(url, title), start: base + start_index, end: base + end_index });
  }

  search({ query, queries, sources }: WebSearchCallItem['action']): void {
    for (const one of queries.length > 0 ? queries : [query]) if (one !== '') this.#queries.add(one);
    for (const { url } of sources ?? []) this.#chunkOf(url, null);
  }

  /** Undefined when nothing was searched or cited. A source that supports nothing in particular (an empty range) stands only among the chunks. */
  toMetadata(text: string): GeminiGrounding | undefined {
    if (this.#queries.size === 0 && this.#chunks.size === 0) return undefined;
    const metadata: GeminiGrounding = {};
    if (this.#queries.size > 0) metadata.webSearchQueries = [...this.#queries];
    if (this.#chunks.size > 0) metadata.groundingChunks = [...this.#chunks].map(([uri, { title }]) => toChunk(uri, title));
    const supports = this.#toSupports(text);
    if (supports.length > 0) metadata.groundingSupports = supports;
    return metadata;
  }

  #chunkOf(url: string, title: string | null): number {
    const known = this.#chunks.get(url);
    const at = known?.at ?? this.#chunks.size;
    if (known === undefined || known.title === null) this.#chunks.set(url, { at, title });
    return at;
  }

  #toSupports(text: string): NonNullable<GeminiGrounding['groundingSupports']> {
    const offsets = createByteOffsets(text);
    const supports = new Map<string, NonNullable<GeminiGrounding['groundingSupports']>[number]>();
    for (const { chunk, start, end } of this.#citations) {
      const startIndex = offsets.bytesBefore(start);
      const endIndex = offsets.bytesBefore(end);
      if (startIndex >= endIndex) continue;
      const key = `${String(startIndex)} ${String(endIndex)}`;
      const segment = { startIndex, endIndex, text: text.slice(offsets.indexAt(startIndex), offsets.indexAt(endIndex)) };
      const support = supports.get(key) ?? { segment, groundingChunkIndices: [] };
      if (!support.groundingChunkIndices.includes(chunk)) support.groundingChunkIndices.push(chunk);
      supports.set(key, support);
    }
    return [...supports.values()];
  }
}

function toChunk(uri: string, title: string | null): { web: { uri: string; title?: string } } {
  return { web: title === null ? { uri } : { uri, title } };
}
