import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { createByteOffsets, type ByteOffsets } from './byte-offsets.ts';

export interface Source {
  readonly url: string;
  readonly title: string;
}

/** A source of a piece of the answer; UTF-16 indexes in the whole visible text, the end exclusive. */
export interface Citation extends Source {
  readonly start: number;
  readonly end: number;
}

interface AnswerText {
  /** Everything the answer showed so far, thinking left out. */
  readonly text: string;
  /** Where in `text` each part began. */
  readonly partStarts: readonly number[];
}

/** Collects `groundingMetadata` and `citationMetadata`: they come late, or empty in every chunk and filled in the last one. */
export class Citations {
  #chunks: readonly unknown[] = [];
  #supports: readonly unknown[] = [];
  #recitations: readonly unknown[] = [];
  #queries: readonly unknown[] = [];

  add(grounding: unknown, citation: unknown): void {
    if (isJsonObject(grounding)) {
      this.#chunks = readList(grounding['groundingChunks'], this.#chunks);
      this.#supports = readList(grounding['groundingSupports'], this.#supports);
      this.#queries = readList(grounding['webSearchQueries'], this.#queries);
    }
    if (isJsonObject(citation)) {
      this.#recitations = readList(citation['citationSources'], readList(citation['citations'], this.#recitations));
    }
  }

  /** What was searched for; Gemini sometimes lists an empty query. */
  get queries(): readonly string[] {
    return this.#queries.filter((query) => typeof query === 'string' && query !== '').map(String);
  }

  get sources(): readonly Source[] {
    return this.#chunks.map(toSource).filter((source) => source !== undefined);
  }

  /** One citation per support and source of the text so far; once `isOver`, sources that support nothing in particular stand at its end. */
  resolve(answer: AnswerText, isOver: boolean): readonly Citation[] {
    if (this.#chunks.length === 0 && this.#recitations.length === 0) return [];
    const offsets = createByteOffsets(answer.text);
    const recited = this.#recitations.flatMap((entry) => {
      const range = isJsonObject(entry) ? findRange(entry, answer, offsets) : undefined;
      const source = toSource({ web: entry });
      return range !== undefined && source !== undefined ? [{ ...source, ...range }] : [];
    });
    if (this.#supports.length === 0) {
      if (!isOver) return recited;
      const end = answer.text.length;
      return [...recited, ...this.sources.map((source) => ({ ...source, start: end, end }))];
    }
    return [...recited, ...this.#supports.flatMap((support) => this.#resolveSupport(support, answer, offsets))];
  }

  #resolveSupport(support: unknown, answer: AnswerText, offsets: ByteOffsets): Citation[] {
    if (!isJsonObject(support) || !isJsonObject(support['segment'])) return [];
    const range = findRange(support['segment'], answer, offsets);
    if (range === undefined) return [];
    return readList(support['groundingChunkIndices'], []).flatMap((at) => {
      const source = typeof at === 'number' ? toSource(this.#chunks[at]) : undefined;
      return source === undefined ? [] : [{ ...source, ...range }];
    });
  }
}

function readList(value: unknown, otherwise: readonly unknown[]): readonly unknown[] {
  return Array.isArray(value) && value.length > 0 ? (value as readonly unknown[]) : otherwise;
}

function toSource(chunk: unknown): Source | undefined {
  if (!isJsonObject(chunk)) return undefined;
  const inner = chunk['web'] ?? chunk['retrievedContext'] ?? chunk['maps'] ?? chunk['image'];
  if (!isJsonObject(inner)) return undefined;
  const url = inner['uri'] ?? inner['sourceUri'];
  if (typeof url !== 'string' || url === '') return undefined;
  const title = inner['title'];
  return { url, title: typeof title === 'string' && title !== '' ? title : url };
}

/**
 * Where a segment lies. Its offsets are UTF-8 bytes of the whole text in every recording, streamed or not; the documentation says of part `partIndex`. The segment's own text
 * decides between the two, and is searched for when neither fits.
 */
function findRange(
  segment: JsonObject,
  { text, partStarts }: AnswerText,
  offsets: ByteOffsets,
): { start: number; end: number } | undefined {
  const { startIndex, endIndex, partIndex, text: quote } = segment;
  const from = typeof startIndex === 'number' ? startIndex : 0;
  const toRange = (base: number) => {
    const bytes = offsets.bytesBefore(base);
    const start = offsets.indexAt(bytes + from);
    return { start, end: typeof endIndex === 'number' ? Math.max(start, offsets.indexAt(bytes + endIndex)) : text.length };
  };
  const inPart = typeof partIndex === 'number' ? partStarts[partIndex] : undefined;
  const ranges = inPart === undefined || inPart === 0 ? [toRange(0)] : [toRange(inPart), toRange(0)];
  if (typeof quote !== 'string' || quote === '') return typeof endIndex === 'number' ? ranges[0] : undefined;
  const match = ranges.find(({ start, end }) => text.slice(start, end) === quote);
  if (match !== undefined) return match;
  const found = text.indexOf(quote);
  return found === -1 ? undefined : { start: found, end: found + quote.length };
}
