/** What a 2xx body turns out to be. */
export type BodyKind = 'events' | 'json' | 'empty' | 'other';

export interface Opening {
  readonly kind: BodyKind;
  /** What had to be read to know, without leading white space. */
  readonly pieces: readonly Uint8Array[];
}

/** How many bytes tell a field of an event stream from other text: `event:`, `retry:`, `error:`. */
const enough = 6;

/**
 * Reads until the body shows what it is; white space that only keeps a connection alive is passed over. The content type alone is not believed: servers send JSON errors
 * as text/event-stream and event streams as text/plain.
 */
export async function sniffBody(body: AsyncIterator<Uint8Array>, isEventStream: boolean): Promise<Opening> {
  const pieces: Uint8Array[] = [];
  let head = '';
  for (;;) {
    const read = await body.next();
    if (read.done === true) return { kind: head === '' ? 'empty' : 'other', pieces };
    const piece = head === '' ? dropBlank(read.value) : read.value;
    if (piece.length === 0) continue;
    pieces.push(piece);
    head += String.fromCharCode(...piece.subarray(0, enough));
    const kind = kindOf(head, isEventStream);
    if (kind !== undefined) return { kind, pieces };
  }
}

function kindOf(head: string, isEventStream: boolean): BodyKind | undefined {
  if (head.startsWith('{') || head.startsWith('[')) return 'json';
  if (head.startsWith('<')) return 'other';
  if (isEventStream || /^(data|event|id|retry|error)?:/.test(head)) return 'events';
  return head.length < enough ? undefined : 'other';
}

function dropBlank(piece: Uint8Array): Uint8Array {
  const start = piece.findIndex((byte) => !blank.has(byte));
  return start === -1 ? piece.subarray(0, 0) : piece.subarray(start);
}

/** Tab, LF, CR, space, and the three bytes of a byte order mark, which begin nothing else that could be a body. */
const blank = new Set([0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]);
