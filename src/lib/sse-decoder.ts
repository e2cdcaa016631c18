import type { Stage } from './stage.ts';
import { createUtf8Decoder } from './utf8-decoder.ts';

/** One server-sent event. `event` is null when the stream named no type. */
export interface SseEvent {
  readonly event: string | null;
  readonly data: string;
}

export type SseFault = 'invalid-utf8' | 'event-too-large';

/** The stream cannot be read any further. */
export class SseError extends Error {
  override readonly name = 'SseError';
  readonly fault: SseFault;
  /** Whole events of the same push that came before the fault. */
  readonly events: readonly SseEvent[];

  constructor(
    fault: SseFault,
    message: string,
    options: { readonly cause?: unknown; readonly events?: readonly SseEvent[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.fault = fault;
    this.events = options.events ?? [];
  }
}

/**
 * Bytes → server-sent events as WHATWG HTML interprets an event stream; ids and retry times are of no use here. Two additions, each because real servers need it:
 * an event without its closing blank line is delivered at `end()`, and a field named `error` makes its value an event of that type with `{"error": value}` as data.
 * `maxEventBytes` caps one event, also one whose line never ends; it counts UTF-16 code units, so an event of that many bytes always fits.
 * Throws SseError, which carries the events of the same push that came before the fault.
 *
 * Written by hand: eventsource-parser holds a CR at the end of a read back until more comes (the last event of a CR-framed stream would wait for ever), searches the
 * whole rest for every line once a read holds one CR, and takes 1.2 (LF) to 1.5 (CRLF, Gemini's framing) times as long. Ten frames cost about 1.3 µs here, of which
 * decoding and slicing alone are 1.2.
 */
export function createSseDecoder(options: { readonly maxEventBytes: number }): Stage<Uint8Array, SseEvent> {
  const lines = new SseLines(options.maxEventBytes);
  const decoder = createUtf8Decoder();
  return {
    push(bytes) {
      let text: string;
      try {
        text = decoder.push(bytes);
      } catch (error) {
        throw new SseError('invalid-utf8', 'the event stream is not UTF-8', {
          cause: error,
          events: lines.read(validStart(bytes)),
        });
      }
      return lines.read(text);
    },
    end() {
      try {
        decoder.end();
      } catch (error) {
        throw new SseError('invalid-utf8', 'the event stream ends inside a character', { cause: error });
      }
      // Ends the open line, and then the open event.
      return lines.read('\n\n');
    },
  };
}

/** The text in front of the first byte that is no UTF-8. */
function validStart(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return text.slice(0, Math.max(0, text.indexOf('\uFFFD')));
}

/** The state between two reads: the open line and the open event. */
class SseLines {
  readonly #maxLength: number;
  #line = '';
  #event: string | null = null;
  #data: string | null = null;
  #endedWithReturn = false;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  read(raw: string): SseEvent[] {
    const out: SseEvent[] = [];
    try {
      this.#read(raw, out);
    } catch (error) {
      throw error instanceof SseError ? new SseError(error.fault, error.message, { events: out }) : error;
    }
    return out;
  }

  #read(raw: string, out: SseEvent[]): void {
    const fresh = this.#endedWithReturn || hasLoneReturn(raw) ? this.#toLineFeeds(raw) : raw;
    if (!fresh.includes('\n')) {
      this.#line += fresh;
    } else {
      const text = this.#line === '' ? fresh : this.#line + fresh;
      this.#line = text.slice(this.#readLines(text, out));
    }
    this.#checkLength(this.#line.length + (this.#data?.length ?? 0));
  }

  /** Reads all whole lines, ended by LF or CRLF, and returns where the open one begins. */
  #readLines(text: string, out: SseEvent[]): number {
    let start = 0;
    for (let feed = text.indexOf('\n'); feed !== -1; feed = text.indexOf('\n', start)) {
      const end = feed > start && text.charCodeAt(feed - 1) === RETURN ? feed - 1 : feed;
      const blank = blankLineLength(text, feed + 1);
      if (blank > 0 && this.#data === null && isDataLine(text, start)) {
        // One line of data and its blank line: nearly all there is. Nothing goes through the state.
        this.#checkLength(end - start);
        out.push({ event: this.#event, data: text.slice(start + 6, end) });
        this.#event = null;
        start = feed + 1 + blank;
        continue;
      }
      if (start < end) this.#readField(text.slice(start, end));
      else this.#endEvent(out);
      start = feed + 1;
    }
    return start;
  }

  #endEvent(out: SseEvent[]): void {
    if (this.#data !== null) out.push({ event: this.#event, data: this.#data });
    this.#event = null;
    this.#data = null;
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1);
    if (name === 'data') {
      this.#addData(value);
    } else if (name === 'event') {
      this.#event = value === '' ? null : value;
    } else if (name === 'error') {
      this.#event = 'error';
      this.#addData(toErrorData(value));
    }
  }

  #addData(value: string): void {
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    this.#checkLength(this.#data.length);
  }

  /** Leaves one kind of line end. A CR at the end of a read ends its line at once; an LF at the start of the next read then belongs to it. */
  #toLineFeeds(raw: string): string {
    if (raw === '') return raw;
    const text = this.#endedWithReturn && raw.startsWith('\n') ? raw.slice(1) : raw;
    this.#endedWithReturn = raw.endsWith('\r');
    return text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  }

  #checkLength(length: number): void {
    if (length > this.#maxLength) throw new SseError('event-too-large', `an event is larger than ${this.#maxLength} bytes`);
  }
}

/** Old llama.cpp writes `error: {"code":500,…}` or `error: {"error":{…}}` where others write data; a bare text is possible too. */
function toErrorData(value: string): string {
  if (/^\{\s*"error"\s*:/.test(value)) return value;
  return `{"error":${value.startsWith('{') ? value : JSON.stringify(value)}}`;
}

/** Whether the line at `at` is blank, as the length of its line end; 0 when it is not, or not there yet. */
function blankLineLength(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === LINE_FEED) return 1;
  return first === RETURN && text.charCodeAt(at + 1) === LINE_FEED ? 2 : 0;
}

/** Whether a CR stands without its LF, or at the end, where the LF may still come. Gemini frames with CRLF, so that pair must stay cheap. */
function hasLoneReturn(text: string): boolean {
  for (let at = text.indexOf('\r'); at !== -1; at = text.indexOf('\r', at + 2)) {
    if (text.charCodeAt(at + 1) !== LINE_FEED) return true;
  }
  return false;
}

/** `data: `, letter by letter: half the cost of startsWith, which does not inline. */
function isDataLine(text: string, at: number): boolean {
  return (
    text.charCodeAt(at) === 0x64 &&
    text.charCodeAt(at + 1) === 0x61 &&
    text.charCodeAt(at + 2) === 0x74 &&
    text.charCodeAt(at + 3) === 0x61 &&
    text.charCodeAt(at + 4) === COLON &&
    text.charCodeAt(at + 5) === SPACE
  );
}

const COLON = 0x3a;
const SPACE = 0x20;
const RETURN = 0x0d;
const LINE_FEED = 0x0a;
