import { assertNever } from './never.ts';

/** What a byte of a JSON array belongs to. `between`: brackets of the array, commas, white space, and whatever follows the array. `element-end`: the last byte of an element. */
export type JsonSpot = 'between' | 'element' | 'element-end';

/**
 * Reads the bytes of a JSON array behind its opening bracket and says where its elements are. Judges nothing: what stands in an element is the parser's matter. Works on bytes, since all
 * of JSON's own signs are ASCII, which never occurs inside another UTF-8 sequence.
 */
export class JsonArrayScanner {
  #state: 'between' | 'scalar' | 'string' | 'container' | 'over' = 'between';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** The next byte. Behind a number or a word the spot is `between`, although nothing had said that it was over. */
  read(byte: number): JsonSpot {
    switch (this.#state) {
      case 'between':
        return this.#readBetween(byte);
      case 'scalar':
        return isSeparator(byte) ? this.#readBetween(byte) : 'element';
      case 'string':
        return this.#readString(byte) ? this.#endElement() : 'element';
      case 'container':
        return this.#readContainer(byte);
      case 'over':
        return 'between';
      default:
        return assertNever(this.#state, 'state of a JSON scanner');
    }
  }

  #readBetween(byte: number): JsonSpot {
    this.#state = 'between';
    if (byte === closeBracket) this.#state = 'over';
    if (isSeparator(byte)) return 'between';
    if (byte === quote) {
      this.#state = 'string';
    } else if (byte === openBrace || byte === openBracket) {
      this.#state = 'container';
      this.#depth = 1;
    } else {
      this.#state = 'scalar';
    }
    return 'element';
  }

  #readContainer(byte: number): JsonSpot {
    if (this.#isInString) {
      if (this.#readString(byte)) this.#isInString = false;
      return 'element';
    }
    if (byte === quote) this.#isInString = true;
    else if (byte === openBrace || byte === openBracket) this.#depth++;
    else if (byte === closeBrace || byte === closeBracket) this.#depth--;
    return this.#depth === 0 ? this.#endElement() : 'element';
  }

  /** Whether the string is over. */
  #readString(byte: number): boolean {
    const isEnd = byte === quote && !this.#isEscaped;
    this.#isEscaped = byte === backslash && !this.#isEscaped;
    return isEnd;
  }

  #endElement(): JsonSpot {
    this.#state = 'between';
    return 'element-end';
  }
}

/** White space of JSON. */
export function isJsonSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isSeparator(byte: number): boolean {
  return byte === comma || byte === closeBracket || isJsonSpace(byte);
}

export const openBracket = 0x5b;
export const closeBracket = 0x5d;
export const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const quote = 0x22;
const backslash = 0x5c;
