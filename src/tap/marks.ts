import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createMarkFinder, type MarkEnds } from './find-mark-texts.ts';

/** Numbers of conversation items, counted from the beginning of a history: messages of users and assistants, calls, outputs. */
export interface BlockSpan {
  /** Where the items of the block's turn begin … */
  readonly from: number;
  /** … where what the user says now begins (outputs of calls, the text itself), … */
  readonly current: number;
  /** … and where they end. */
  readonly end: number;
  /** Sixteen hexadecimal digits that depend on these items: a block is only ever read back as what it was made of. */
  readonly fingerprint: string;
}

/** What a mark says. */
export type Mark =
  /** The user's text of a turn stands behind it. */
  | { readonly kind: 'turn'; readonly turn: string }
  /** A block stands behind it, up to the turn mark of the same turn. */
  | { readonly kind: 'block'; readonly turn: string; readonly span: BlockSpan }
  /** It stands for a call that the agent server has not seen. `call` is what `hashCallId` makes of its id. */
  | { readonly kind: 'call'; readonly call: string };

/** A place in a text that goes away: a mark of ours with the one line end or blank behind it, or a piece of one (`mark` null). */
interface FoundMark {
  readonly mark: Mark | null;
  readonly start: number;
  readonly end: number;
}

export interface Marks {
  /** A new turn's id: unguessable. */
  newTurn(): string;
  writeTurnMark(turn: string): string;
  writeCallMark(callId: string): string;
  /** The text for the agent server. Without a span there is no block. */
  writeText(turn: string, parts: { readonly span: BlockSpan | null; readonly block: string; readonly text: string }): string;
  /** In the order of the text; only marks that one of the keys has made. */
  findMarks(text: string): readonly FoundMark[];
  stripMarks(text: string): string;
  /** The same on the source of a JSON document: everything but the marks keeps its bytes. */
  stripJsonSource(source: string): string;
  /** Whether there may be a mark in these bytes. False is certain. */
  mayContain(bytes: Uint8Array): boolean;
}

export interface MarksOptions {
  /** The first one writes, all verify. At least one. */
  readonly keys: readonly Uint8Array[];
  readonly randomBytes: (size: number) => Uint8Array;
}

/**
 * Marks are how the tap finds its own things again in what an agent server sends to its model. They are letters and digits only, so they survive JSON, templates, trimming,
 * other line ends and collapsed white space, and they carry a MAC, so nothing a client writes is ever taken for one. No memory is needed to recognise them.
 *
 *     antiphonq · 7 letters of the key · 64 letters: kind (1 byte), id (12), span (9), fingerprint (8), MAC (10) · 8 other letters of the key
 *
 * The letters of the key at both ends make a piece of a mark recognisable as something to be removed: a title prompt quotes the first hundred characters of a text, or the last.
 */
export function createMarks({ keys, randomBytes }: MarksOptions): Marks {
  const rings = keys.map((key) => ({ key, ...writeEnds(key) }));
  const writer = rings[0];
  if (writer === undefined) throw new Error('marks need a key');
  const finder = createMarkFinder({ start: opening, ends: rings, bodyLength });

  const write = (mark: Mark): string => writer.head + encodeBody(mark, writer.key) + writer.tail;

  function read(found: string): Mark | null {
    const ring = rings.find(({ head, tail }) => found.startsWith(head) && found.endsWith(tail));
    return ring === undefined ? null : decodeBody(found.slice(ring.head.length, -ring.tail.length), ring.key);
  }

  function find(text: string, form: TextForm): FoundMark[] {
    const separator = new RegExp(separators[form], 'y');
    return finder.find(text, form === 'source').map(({ start, end, isWhole, hasEnd }) => {
      const mark = isWhole ? read(text.slice(start, end)) : null;
      separator.lastIndex = end;
      const tail = mark === null && !hasEnd ? 0 : (separator.exec(text)?.[0].length ?? 0);
      return { mark, start, end: end + tail };
    });
  }

  function strip(text: string, form: TextForm): string {
    const found = find(text, form);
    if (found.length === 0) return text;
    let at = 0;
    const kept = found.map(({ start, end }) => {
      const piece = text.slice(at, start);
      at = end;
      return piece;
    });
    return kept.join('') + text.slice(at);
  }

  const stripMarks = (text: string) => strip(text, 'text');
  return {
    newTurn: () => toHex(randomBytes(idBytes).slice(0, idBytes)),
    writeTurnMark: (turn) => write({ kind: 'turn', turn }),
    writeCallMark: (callId) => write({ kind: 'call', call: hashCallId(callId) }),
    writeText(turn, { span, block, text }) {
      // A mark in the client's own text could only confuse; it would not reach the model anyway.
      const said = `${write({ kind: 'turn', turn })}\n${stripMarks(text)}`;
      return span === null ? said : `${write({ kind: 'block', turn, span })}\n${stripMarks(block)}\n${said}`;
    },
    findMarks: (text) => find(text, 'text'),
    stripMarks,
    stripJsonSource: (source) => strip(source, 'source'),
    mayContain: (bytes) => finder.mayContain(bytes),
  };
}

/** What a call mark says of the call with this id. */
export function hashCallId(callId: string): string {
  return toHex(createHash('sha256').update(callId).digest().subarray(0, idBytes));
}

/** A text, or the source of a JSON document, where line ends are escaped. */
type TextForm = 'text' | 'source';

const separators = { text: /\r?\n| /, source: /(?:\\r|\\u000[dD])?(?:\\n|\\u000[aA])| / } as const;

const idBytes = 12;
const countBytes = 3;
const fingerprintBytes = 8;
const macBytes = 10;
const payloadBytes = 1 + idBytes + 3 * countBytes + fingerprintBytes;
const bodyLength = ((payloadBytes + macBytes) * 8) / 5;
const kinds = { turn: 1, block: 2, call: 3 } as const;
const noSpan: BlockSpan = { from: 0, current: 0, end: 0, fingerprint: '0'.repeat(2 * fingerprintBytes) };

/** No word goes on like that, so that even its first letters are not a client's. */
const opening = 'antiphonq';

function writeEnds(key: Uint8Array): MarkEnds {
  const letters = encodeDigits(hmac(key, 'ends').subarray(0, 10));
  return { head: opening + letters.slice(0, 7), tail: letters.slice(8) };
}

function encodeBody(mark: Mark, key: Uint8Array): string {
  const { from, current, end, fingerprint } = mark.kind === 'block' ? mark.span : noSpan;
  const counts = [from, current, end].map((count) => count.toString(16).padStart(2 * countBytes, '0')).join('');
  const id = mark.kind === 'call' ? mark.call : mark.turn;
  const payload = Buffer.from(`0${kinds[mark.kind]}${id}${counts}${fingerprint}`, 'hex');
  return encodeDigits(Buffer.concat([payload, seal(payload, key)]));
}

function decodeBody(body: string, key: Uint8Array): Mark | null {
  if (body.length !== bodyLength) return null;
  const bytes = decodeDigits(body);
  const payload = bytes.subarray(0, payloadBytes);
  if (!timingSafeEqual(seal(payload, key), bytes.subarray(payloadBytes))) return null;
  const id = toHex(payload.subarray(1, 1 + idBytes));
  switch (payload[0]) {
    case kinds.turn:
      return { kind: 'turn', turn: id };
    case kinds.call:
      return { kind: 'call', call: id };
    case kinds.block:
      return { kind: 'block', turn: id, span: decodeSpan(payload.subarray(1 + idBytes)) };
    default:
      return null;
  }
}

function decodeSpan(bytes: Buffer): BlockSpan {
  return {
    from: bytes.readUIntBE(0, countBytes),
    current: bytes.readUIntBE(countBytes, countBytes),
    end: bytes.readUIntBE(2 * countBytes, countBytes),
    fingerprint: toHex(bytes.subarray(3 * countBytes)),
  };
}

function seal(payload: Uint8Array, key: Uint8Array): Buffer {
  return hmac(key, Buffer.concat([Buffer.from('mark'), payload])).subarray(0, macBytes);
}

function hmac(key: Uint8Array, message: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Five bytes are eight digits; the number of bytes must be a multiple of five. */
function encodeDigits(bytes: Uint8Array): string {
  return BigInt(`0x${toHex(bytes)}`)
    .toString(32)
    .padStart((bytes.length * 8) / 5, '0');
}

function decodeDigits(text: string): Buffer {
  let value = 0n;
  for (const digit of text) value = value * 32n + BigInt(Number.parseInt(digit, 32));
  return Buffer.from(value.toString(16).padStart((text.length * 5) / 4, '0'), 'hex');
}
