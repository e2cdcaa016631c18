import { parseJson } from '../../lib/json.ts';

/** What of an event may change from one delta to the next: which strings say something, and which numbers count. Keys of the dialect. */
export interface DeltaForm {
  /** Of these strings an event has exactly one; what is said in a run is put together. */
  readonly texts: readonly string[];
  /** Padding: strings that say nothing. */
  readonly padding: readonly string[];
  /** The last of them is the one that counts. */
  readonly counts: readonly string[];
  /** Grows by one with every event. */
  readonly number: string | null;
}

/** Several events of a stream that differ only in what they say, as one. */
export interface DeltaRun {
  /** How many they are; at least two. */
  readonly events: number;
  /** Where the last of them ends. */
  readonly to: number;
  /** The last one, saying all of it. */
  readonly chunk: unknown;
}

type SlotKind = 'text' | 'padding' | 'count' | 'number';

interface Slot {
  readonly kind: SlotKind;
  readonly from: number;
  readonly to: number;
}

/** A frame of which only the slots may change. */
interface Template {
  readonly first: Buffer;
  /** What stands behind each slot but the last. */
  readonly between: readonly Buffer[];
  readonly last: Buffer;
  /** `last`, and `first` of the next frame. */
  readonly joint: Buffer;
  readonly kinds: readonly SlotKind[];
  /** Where the JSON begins in the frame, and how many bytes end the frame behind it. */
  readonly head: number;
  readonly tail: number;
}

/**
 * Most of a stream are deltas that differ in nothing but a few letters. Where a read is made of them, it is enough to parse the last: the others are recognised byte by byte by what the stream showed before.
 * That takes a tenth of the time, and is exact: what is not the same in every other byte, not UTF-8 or not a JSON string is no part of a run.
 */
export class DeltaRuns {
  readonly #form: DeltaForm;
  #template: Template | null = null;
  #patience = mostPatience;

  constructor(form: DeltaForm) {
    this.#form = form;
  }

  /** Whether it is worth while to look for runs in this stream. */
  get isHopeful(): boolean {
    return this.#patience > 0;
  }

  /** The run with which these bytes begin; they begin where a frame does. Null: there is none. */
  read(bytes: Uint8Array): DeltaRun | null {
    const template = this.#template;
    if (template === null) return null;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const run = new RunReader(view, template);
    run.read();
    if (run.events < 2) return null;
    const { events, from, to } = run;
    const text = run.text;
    const before = view.toString('utf8', from + template.head, run.textFrom);
    const behind = view.toString('utf8', run.textTo, to - template.tail);
    // What is no UTF-8, or no JSON, is for those to judge who read event by event.
    const chunk = text.includes('\uFFFD') ? undefined : parseJson(before + text + behind);
    if (chunk === undefined) return null;
    this.#patience = mostPatience;
    return { events, to, chunk };
  }

  /** Remembers a frame, when it is a delta. */
  learn(frame: Uint8Array): void {
    if (this.#patience === 0) return;
    this.#patience -= 1;
    const text = Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString();
    if (!this.#form.texts.some((key) => text.includes(`"${key}"`))) return;
    const [whole, tail] = /^(?:event:[^\r\n]*\r?\n)?data: ?\{[^\r\n]*\}(\r?\n\r?\n)$/.exec(text) ?? [];
    if (whole !== undefined && tail !== undefined) this.#template = toTemplate(whole, tail, this.#form) ?? this.#template;
  }
}

/** How many events in a row may be no part of a run: not all streams are made of deltas. */
const mostPatience = 24;

function toTemplate(frame: string, tail: string, form: DeltaForm): Template | null {
  const head = frame.indexOf('{');
  const slots = findSlots(frame, head, form);
  if (slots.filter(({ kind }) => kind === 'text').length !== 1) return null;
  const numbered = slots.filter(({ kind }) => kind === 'number').length === (form.number === null ? 0 : 1);
  if (!numbered) return null;
  const pieces = [...slots, null].map((slot, index) => Buffer.from(frame.slice(slots[index - 1]?.to ?? 0, slot?.from)));
  const [first, last] = [pieces.at(0), pieces.at(-1)];
  if (first === undefined || last === undefined) return null;
  const length = { head: Buffer.byteLength(frame.slice(0, head)), tail: tail.length };
  const kinds = slots.map(({ kind }) => kind);
  return { first, between: pieces.slice(1, -1), last, joint: Buffer.concat([last, first]), kinds, ...length };
}

/** A string, with the colon behind a key, or a number. */
const tokens = /"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d[\d.eE+-]*/g;

/** Every string or number of a key that the form names; a string without its quotes. */
function findSlots(frame: string, from: number, form: DeltaForm): Slot[] {
  const slots: Slot[] = [];
  let key = '';
  for (const { 0: whole, 1: inner, 2: colon, index } of frame.slice(from).matchAll(tokens)) {
    if (colon !== undefined) key = inner ?? '';
    const kind = inner === undefined ? kindOfNumber(key, whole, form) : kindOfString(key, form);
    if (colon !== undefined || kind === null) continue;
    const quotes = inner === undefined ? 0 : 1;
    slots.push({ kind, from: from + index + quotes, to: from + index + whole.length - quotes });
  }
  return slots;
}

function kindOfString(key: string, { texts, padding }: DeltaForm): SlotKind | null {
  if (texts.includes(key)) return 'text';
  return padding.includes(key) ? 'padding' : null;
}

function kindOfNumber(key: string, text: string, { counts, number }: DeltaForm): SlotKind | null {
  if (!/^\d+$/.test(text)) return null;
  if (key === number) return 'number';
  return counts.includes(key) ? 'count' : null;
}

/** Goes over the frames of one run. Nothing is allocated per frame. */
class RunReader {
  events = 0;
  /** Where the last frame begins, and where it ends. */
  from = 0;
  to = 0;
  /** Where in it stands what it says. */
  textFrom = 0;
  textTo = 0;
  readonly #bytes: Buffer;
  readonly #template: Template;
  /** What all of them say, as JSON has it. */
  readonly #said: Buffer;
  #saidBytes = 0;
  #number = NaN;
  /** Where the next byte to read stands. */
  #at = 0;

  constructor(bytes: Buffer, template: Template) {
    this.#bytes = bytes;
    this.#template = template;
    this.#said = Buffer.allocUnsafe(bytes.length);
  }

  get text(): string {
    return this.#said.toString('utf8', 0, this.#saidBytes);
  }

  read(): void {
    const { first, last, joint } = this.#template;
    if (!this.#takes(first)) return;
    let isFollowed = true;
    while (isFollowed) {
      const [saidBefore, fromText, toText] = [this.#saidBytes, this.textFrom, this.textTo];
      const isRead = this.#readSlots();
      const end = this.#at;
      // Nearly always another one follows; then one comparison is enough.
      isFollowed = isRead && this.#takes(joint);
      if (isFollowed || (isRead && this.#takes(last))) {
        this.events += 1;
        this.from = this.to;
        this.to = end + last.length;
      } else [this.#saidBytes, this.textFrom, this.textTo] = [saidBefore, fromText, toText];
    }
  }

  #takes(piece: Buffer): boolean {
    const to = this.#at + piece.length;
    const isThere = to <= this.#bytes.length && this.#bytes.compare(piece, 0, piece.length, this.#at, to) === 0;
    if (isThere) this.#at = to;
    return isThere;
  }

  #readSlots(): boolean {
    const { kinds, between } = this.#template;
    for (let index = 0; index < kinds.length; index += 1) {
      if (!this.#readSlot(kinds[index])) return false;
      const piece = between[index];
      if (piece !== undefined && !this.#takes(piece)) return false;
    }
    return true;
  }

  #readSlot(kind: SlotKind | undefined): boolean {
    if (kind === 'text') return this.#readText();
    if (kind === 'padding') return this.#readPadding();
    const from = this.#at;
    while (isDigit(this.#bytes[this.#at])) this.#at += 1;
    const isNumber = this.#at > from && (this.#bytes[from] !== 0x30 || this.#at === from + 1);
    return isNumber && (kind === 'count' || this.#readNumber(from));
  }

  #readNumber(from: number): boolean {
    const number = Number(this.#bytes.toString('latin1', from, this.#at));
    const isNext = Number.isNaN(this.#number) || number === this.#number + 1;
    this.#number = number;
    return isNext;
  }

  /** Up to the quote. Not what no string may hold, nor a character by its number: it may be half of one, which must not be joined to what follows. */
  #readText(): boolean {
    const [bytes, said] = [this.#bytes, this.#said];
    this.textFrom = this.#at;
    for (let at = this.#at; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === quote) {
        this.textTo = this.#at = at;
        return true;
      }
      if (byte < 0x20) return false;
      said[this.#saidBytes++] = byte;
      if (byte !== backslash) continue;
      at += 1;
      if (bytes[at] === unicodeMark) return false;
      said[this.#saidBytes++] = bytes[at] ?? 0;
    }
    return false;
  }

  /** Nobody looks at it again, so it has to be plain. */
  #readPadding(): boolean {
    for (let at = this.#at; at < this.#bytes.length; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      if (byte === quote) {
        this.#at = at;
        return true;
      }
      if (byte < 0x20 || byte > 0x7e || byte === backslash) return false;
    }
    return false;
  }
}

const quote = 0x22;
const backslash = 0x5c;
/** The `u` of an escape that names a character. */
const unicodeMark = 0x75;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
