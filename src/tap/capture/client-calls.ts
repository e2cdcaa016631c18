import { isJsonObject, type JsonObject } from '../../lib/json.ts';

/** One chunk of an answer, with the calls in it told apart. */
export interface SplitChunk {
  /** What the reader of model events gets: calls of the agent's own tools are blank. */
  readonly seen: JsonObject;
  /** What goes on to the agent server: one text for each call of the client that begins, nothing else of such calls. Null when the chunk has none and stays as it is. */
  replaceCalls(texts: readonly string[]): JsonObject | null;
}

type PartKind = 'client-begin' | 'client-more' | 'own' | 'other';

/**
 * Tells calls of the client's tools from those of the agent's own, in one answer. A call may stretch over many chunks, of which only the first has the name; calls do not
 * interleave, so what has no name belongs to the call before.
 */
export class ClientCalls {
  readonly #isClient: (name: string) => boolean;
  #isLastClient = false;

  constructor(isClient: (name: string) => boolean) {
    this.#isClient = isClient;
  }

  split(chunk: JsonObject): SplitChunk {
    const parts = partsOf(chunk);
    const kinds = parts.map((part) => this.#kindOf(part));
    const isOwn = kinds.includes('own');
    return {
      seen: isOwn
        ? withParts(
            chunk,
            parts.map((part, at) => (kinds[at] === 'own' ? blankCall : part)),
          )
        : chunk,
      replaceCalls: (texts) => (kinds.some(isClientKind) ? replaceParts(chunk, kinds, texts) : null),
    };
  }

  #kindOf(part: unknown): PartKind {
    const call = isJsonObject(part) ? part['functionCall'] : undefined;
    if (!isJsonObject(call)) return 'other';
    const { name } = call;
    if (typeof name !== 'string' || name === '') return this.#isLastClient ? 'client-more' : 'own';
    this.#isLastClient = this.#isClient(name);
    return this.#isLastClient ? 'client-begin' : 'own';
  }
}

/** Keeps its place among the parts, and means nothing. */
const blankCall: JsonObject = { functionCall: null };

function isClientKind(kind: PartKind): boolean {
  return kind === 'client-begin' || kind === 'client-more';
}

/** The signature of a call goes with it: it would belong to nothing. An empty text stands where a chunk would have no part left. */
function replaceParts(chunk: JsonObject, kinds: readonly PartKind[], texts: readonly string[]): JsonObject {
  const waiting = [...texts];
  const parts = partsOf(chunk).flatMap((part, at): unknown[] => {
    if (kinds[at] === 'client-begin') return [{ text: waiting.shift() ?? '' }];
    return kinds[at] === 'client-more' ? [] : [part];
  });
  return withParts(chunk, parts.length > 0 ? parts : [{ text: '' }]);
}

/** The parts of a chunk's first candidate. */
export function partsOf(chunk: JsonObject): readonly unknown[] {
  const content = firstCandidate(chunk)?.['content'];
  const parts = isJsonObject(content) ? content['parts'] : undefined;
  return Array.isArray(parts) ? (parts as readonly unknown[]) : [];
}

function withParts(chunk: JsonObject, parts: readonly unknown[]): JsonObject {
  const candidate = firstCandidate(chunk);
  const content = candidate?.['content'];
  const others = (chunk['candidates'] as readonly unknown[]).slice(1);
  return { ...chunk, candidates: [{ ...candidate, content: { ...(isJsonObject(content) && content), parts } }, ...others] };
}

function firstCandidate(chunk: JsonObject): JsonObject | undefined {
  const candidates = chunk['candidates'];
  const first: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
  return isJsonObject(first) ? first : undefined;
}

/** The GenerateContentResponse in what came over the wire: itself, or what lies under `response`. */
export function innerChunk(value: JsonObject): JsonObject {
  const inner = value['response'];
  return value['candidates'] === undefined && isJsonObject(inner) ? inner : value;
}

/** The same with another GenerateContentResponse in its place. */
export function withInnerChunk(value: JsonObject, inner: JsonObject): JsonObject {
  return innerChunk(value) === value ? inner : { ...value, response: inner };
}
