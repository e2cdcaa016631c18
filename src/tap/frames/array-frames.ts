import {
  decodeText,
  encodeText,
  joinBytes,
  PendingBytes,
  type FrameChange,
  type FrameFormat,
  type RawFrame,
} from './frame-format.ts';
import { closeBracket, comma, JsonArrayScanner, openBracket } from '../../lib/json-array-scanner.ts';

/**
 * The elements of a JSON array, each with what separates it from the one before, so that it can be written as soon as it is there. The closing bracket waits for the end of the body:
 * more elements may have to go in front of it.
 */
export class ArrayFrames implements FrameFormat {
  readonly #scanner = new JsonArrayScanner();
  /** What stands in front of the next element, or of the end. */
  readonly #lead: PendingBytes;
  readonly #element: PendingBytes;
  #isOpened = false;
  #isInElement = false;
  /** What was written so far. */
  #isBracketWritten = false;
  #isElementWritten = false;

  constructor(maxBytes: number) {
    this.#lead = new PendingBytes(maxBytes);
    this.#element = new PendingBytes(maxBytes);
  }

  split(bytes: Uint8Array): RawFrame[] {
    const frames: RawFrame[] = [];
    let start = 0;
    const closeElement = (end: number): void => {
      this.#element.add(bytes.subarray(start, end));
      frames.push(this.#takeFrame());
      start = end;
    };
    for (let at = this.#readOpening(bytes); at < bytes.length; at++) {
      const spot = this.#scanner.read(bytes[at] ?? 0);
      if (spot === 'element-end') closeElement(at + 1);
      else if (spot === 'between' && this.#isInElement) closeElement(at);
      else if (spot === 'element' && !this.#isInElement) {
        this.#isInElement = true;
        this.#lead.add(bytes.subarray(start, at));
        start = at;
      }
    }
    (this.#isInElement ? this.#element : this.#lead).add(bytes.subarray(start));
    return frames;
  }

  splitEnd(): RawFrame[] {
    return this.#isInElement ? [this.#takeFrame()] : [];
  }

  join({ bytes, start }: RawFrame, change: FrameChange): Uint8Array {
    const lead = this.#joinLead(bytes.subarray(0, start));
    if (change.type === 'leave-out') {
      const isFirst = !this.#isBracketWritten;
      this.#isBracketWritten = true;
      return isFirst ? lead : new Uint8Array(0);
    }
    this.#isBracketWritten = true;
    this.#isElementWritten = true;
    return joinBytes([lead, change.type === 'pass' ? bytes.subarray(start) : encodeText(change.json)]);
  }

  joinEnd(more: readonly string[]): Uint8Array {
    const tail = this.#lead.take();
    const added = more.map((json, index) => (this.#isElementWritten || index > 0 ? `,\r\n${json}` : json)).join('');
    if (added === '') return tail;
    if (!this.#isOpened) return joinBytes([tail, encodeText(`[${added}]`)]);
    const bracket = tail.indexOf(closeBracket);
    const end = bracket === -1 ? tail.length : bracket;
    return joinBytes([tail.subarray(0, end), encodeText(added), tail.subarray(end)]);
  }

  /** Where reading begins: behind the opening bracket when it is in these bytes. */
  #readOpening(bytes: Uint8Array): number {
    if (this.#isOpened) return 0;
    const at = bytes.indexOf(openBracket);
    this.#isOpened = at !== -1;
    return this.#isOpened ? at + 1 : bytes.length;
  }

  #takeFrame(): RawFrame {
    const lead = this.#lead.take();
    const element = this.#element.take();
    this.#isInElement = false;
    return { bytes: joinBytes([lead, element]), start: lead.length, json: decodeText(element) };
  }

  /** When everything in front of an element was left out, so must be the comma. */
  #joinLead(lead: Uint8Array): Uint8Array {
    return this.#isBracketWritten && !this.#isElementWritten ? lead.filter((byte) => byte !== comma) : lead;
  }
}
