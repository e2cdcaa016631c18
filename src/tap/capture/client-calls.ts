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
 * interleave, so what has no name belongs to the call before. The client gets the first candidate; calls of its tools in another one go nowhere.
 */
export class ClientCalls {
  readonly #isClient: (name: string) => boolean;
  /** Whether the last call of each candidate is the client's. */
  readonly #isLastClient: boolean[] = [];

  constructor(isClient: (name: string) => boolean) {
    this.#isClient = isClient;
  }

  split(chunk: JsonObject): SplitChunk {
    const candidates = candidatesOf(chunk);
    const kinds = candidates.map((candidate, at) => partsOfCandidate(candidate).map((part) => this.#kindOf(part, at)));
    const [first] = candidates;
    const isOwn = kinds[0]?.includes('own') === true;
    const blanked = partsOf(chunk).map((part, at) => (kinds[0]?.[at] === 'own' ? blankCall : part));
    return {
      seen: isOwn ? { ...chunk, candidates: [withParts(first, blanked), ...candidates.slice(1)] } : chunk,
      replaceCalls(texts) {
        if (!kinds.some((each) => each.some(isClientKind))) return null;
        const replaced = candidates.map((candidate, at) => replaceParts(candidate, kinds[at] ?? [], at === 0 ? texts : null));
        return { ...chunk, candidates: replaced };
      },
    };
  }

  #kindOf(part: unknown, candidate: number): PartKind {
    const call = isJsonObject(part) ? part['functionCall'] : undefined;
    if (!isJsonObject(call)) return 'other';
    const { name } = call;
    if (typeof name !== 'string' || name === '') return this.#isLastClient[candidate] === true ? 'client-more' : 'own';
    const isClient = this.#isClient(name);
    this.#isLastClient[candidate] = isClient;
    return isClient ? 'client-begin' : 'own';
  }
}

/** Keeps its place among the parts, and means nothing. */
const blankCall: JsonObject = { functionCall: null };

function isClientKind(kind: PartKind): boolean {
  return kind === 'client-begin' || kind === 'client-more';
}

/**
 * Null for `texts`: calls go without a trace. The signature of a call goes with it: it would belong to nothing. An empty text stands where a chunk would have no part left.
 */
function replaceParts(candidate: unknown, kinds: readonly PartKind[], texts: readonly string[] | null): unknown {
  if (!kinds.some(isClientKind)) return candidate;
  const waiting = [...(texts ?? [])];
  const parts = partsOfCandidate(candidate).flatMap((part, at): unknown[] => {
    if (kinds[at] === 'client-begin') return texts === null ? [] : [{ text: waiting.shift() ?? '' }];
    return kinds[at] === 'client-more' ? [] : [part];
  });
  return withParts(candidate, parts.length > 0 ? parts : [{ text: '' }]);
}

/** The parts of a chunk's first candidate. */
export function partsOf(chunk: JsonObject): readonly unknown[] {
  return partsOfCandidate(candidatesOf(chunk)[0]);
}

function partsOfCandidate(candidate: unknown): readonly unknown[] {
  const content = isJsonObject(candidate) ? candidate['content'] : undefined;
  const parts = isJsonObject(content) ? content['parts'] : undefined;
  return Array.isArray(parts) ? (parts as readonly unknown[]) : [];
}

function withParts(candidate: unknown, parts: readonly unknown[]): JsonObject {
  const known = isJsonObject(candidate) ? candidate : {};
  const content = known['content'];
  return { ...known, content: { ...(isJsonObject(content) && content), parts } };
}

function candidatesOf(chunk: JsonObject): readonly unknown[] {
  const candidates = chunk['candidates'];
  return Array.isArray(candidates) ? (candidates as readonly unknown[]) : [];
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
