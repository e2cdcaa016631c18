/** What the oracle looks at of a chunk; nothing of it is taken on trust. */
interface Chunk {
  readonly candidates?: readonly Candidate[];
  readonly usageMetadata?: Readonly<Record<string, unknown>>;
  readonly modelVersion?: unknown;
  readonly responseId?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly status?: unknown };
}

interface Candidate {
  readonly content?: { readonly role?: unknown; readonly parts?: readonly Part[] };
  readonly finishReason?: unknown;
  readonly index?: unknown;
  readonly groundingMetadata?: Grounding;
}

interface Part {
  readonly text?: unknown;
  readonly thought?: unknown;
  readonly thoughtSignature?: unknown;
  readonly functionCall?: { readonly id?: unknown; readonly name?: unknown; readonly args?: unknown };
}

interface Grounding {
  readonly groundingChunks?: readonly { readonly web?: { readonly uri?: unknown } }[];
  readonly groundingSupports?: readonly {
    readonly segment?: { readonly startIndex?: number; readonly endIndex?: number; readonly text?: unknown };
    readonly groundingChunkIndices?: readonly number[];
  }[];
}

const finishReasons: readonly unknown[] = ['STOP', 'MAX_TOKENS', 'SAFETY', 'OTHER'];
const counts = [
  'promptTokenCount',
  'cachedContentTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'totalTokenCount',
] as const;

/**
 * Our oracle of Gemini's stream: the rules of backends.md B.3 and of what Google's own SDKs bear (clients.md §4, §9), over the parsed chunks of one whole stream. A whole answer is a stream
 * of one chunk. Returns what is wrong, in words; it knows nothing of how the chunks were made.
 */
export function checkGeminiStream(chunks: readonly unknown[]): string[] {
  const faults: string[] = [];
  const callIds = new Set<unknown>();
  const first = chunks.find((chunk) => isObject(chunk) && chunk['error'] === undefined) as Chunk | undefined;
  chunks.forEach((raw, at) => {
    const found = isObject(raw) ? checkChunk(raw, { isLast: at === chunks.length - 1, first, callIds }) : ['is no object'];
    faults.push(...found.map((fault) => `#${String(at)}: ${fault}`));
  });
  if (chunks.length === 0) faults.push('the stream is empty');
  return [...faults, ...checkGrounding(chunks as readonly Chunk[])];
}

interface Place {
  readonly isLast: boolean;
  readonly first: Chunk | undefined;
  readonly callIds: Set<unknown>;
}

function checkChunk(chunk: Chunk, place: Place): string[] {
  if (chunk.error !== undefined) return checkError(chunk.error, place.isLast);
  const { candidates = [], modelVersion, responseId, usageMetadata } = chunk;
  const [candidate] = candidates;
  if (candidate === undefined || candidates.length !== 1) return ['has not exactly one candidate'];
  return [
    ...when(typeof modelVersion !== 'string' || modelVersion === '', 'has no modelVersion'),
    ...when(typeof responseId !== 'string' || responseId === '', 'has no responseId'),
    ...when(modelVersion !== place.first?.modelVersion, 'has another modelVersion than the first chunk'),
    ...when(responseId !== place.first?.responseId, 'has another responseId than the first chunk'),
    ...checkEnding(candidate, usageMetadata, place.isLast),
    ...checkContent(candidate, place),
  ];
}

function checkError({ code, message, status }: NonNullable<Chunk['error']>, isLast: boolean): string[] {
  return [
    ...when(!isLast, 'an error is not the last chunk'),
    ...when(typeof code !== 'number' || code < 400 || code > 599, 'an error without an HTTP status as its code'),
    ...when(typeof message !== 'string' || message === '', 'an error without a message'),
    ...when(typeof status !== 'string' || !/^[A-Z_]+$/.test(status), 'an error without a status word'),
  ];
}

function checkEnding({ finishReason, groundingMetadata }: Candidate, usage: Chunk['usageMetadata'], isLast: boolean): string[] {
  if (!isLast) {
    return [
      ...when(finishReason !== undefined, 'a finishReason before the last chunk'),
      ...when(usage !== undefined, 'usage before the last chunk'),
      ...when(groundingMetadata !== undefined, 'grounding before the last chunk'),
    ];
  }
  return [
    ...when(!finishReasons.includes(finishReason), `ends with the finishReason ${String(finishReason)}`),
    ...(usage === undefined ? ['the last chunk has no usage'] : checkUsage(usage)),
  ];
}

function checkUsage(usage: Readonly<Record<string, unknown>>): string[] {
  const needed = ['promptTokenCount', 'candidatesTokenCount', 'totalTokenCount'];
  return [
    ...counts.flatMap((name) =>
      when(usage[name] !== undefined && !(Number.isInteger(usage[name]) && Number(usage[name]) >= 0), `${name} is no count`),
    ),
    ...needed.flatMap((name) => when(usage[name] === undefined, `${name} is missing`)),
  ];
}

function checkContent({ content, index }: Candidate, { callIds, isLast }: Place): string[] {
  const parts = content?.parts ?? [];
  return [
    ...when(index !== 0, 'a candidate without the index 0'),
    ...when(content?.role !== 'model', 'a content that is not of the model'),
    // A chat of Google's SDK throws away the history of a stream with such a chunk.
    ...when(parts.length === 0, 'a content without parts'),
    ...parts.flatMap((part) => checkPart(part, callIds, isLast && parts.length === 1)),
  ];
}

function checkPart(part: Part, callIds: Set<unknown>, mayBeEmpty: boolean): string[] {
  const { text, thought, thoughtSignature: signature, functionCall } = part;
  if ((text === undefined) === (functionCall === undefined)) return ['a part that is not exactly one of text and functionCall'];
  const faults = [
    ...when(signature !== undefined && !isBase64(signature), 'a thoughtSignature that is not base64'),
    ...when(thought !== undefined && (thought !== true || text === undefined), 'a thought that is no text'),
    ...when(thought === true && signature !== undefined, 'a thought with a signature'),
  ];
  if (functionCall === undefined) {
    if (typeof text !== 'string') return [...faults, 'a text that is none'];
    return [...faults, ...when(text === '' && signature === undefined && !mayBeEmpty, 'an empty text')];
  }
  const { id, name, args } = functionCall;
  faults.push(
    ...when(typeof id !== 'string' || id === '', 'a call without an id'),
    ...when(callIds.has(id), `two calls with the id ${String(id)}`),
    ...when(typeof name !== 'string' || name === '', 'a call without a name'),
    ...when(!isObject(args), 'a call whose args are no object'),
  );
  callIds.add(id);
  return faults;
}

/** Every support lies where it says, in bytes of all visible text. */
function checkGrounding(chunks: readonly Chunk[]): string[] {
  const candidates = chunks.filter(isObject).flatMap((chunk) => (chunk as Chunk).candidates ?? []);
  const texts = candidates
    .flatMap(({ content }) => content?.parts ?? [])
    .map(({ text, thought }) => (typeof text === 'string' && thought !== true ? text : ''));
  const bytes = new TextEncoder().encode(texts.join(''));
  const grounding = candidates.at(-1)?.groundingMetadata;
  const sources = grounding?.groundingChunks ?? [];
  return (grounding?.groundingSupports ?? []).flatMap(({ segment = {}, groundingChunkIndices: indices = [] }) => {
    const { startIndex = 0, endIndex = 0, text } = segment;
    const there = new TextDecoder().decode(bytes.slice(startIndex, endIndex));
    return [
      ...when(there !== text, `a support says '${String(text)}' where the text is '${there}'`),
      ...when(indices.length === 0, 'a support without a source'),
      ...when(
        indices.some((at) => typeof sources[at]?.web?.uri !== 'string'),
        'a support of a source that is not there',
      ),
    ];
  });
}

function when(isBroken: boolean, fault: string): string[] {
  return isBroken ? [fault] : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
}
