import { assertNever } from '../../lib/never.ts';
import { decodeText, encodeText, PendingBytes, type FrameChange, type FrameFormat, type RawFrame } from './frame-format.ts';

/**
 * An event stream (WHATWG HTML): a frame ends after its blank line, whatever ends the lines (LF, CRLF, CR). Its JSON is its `data` lines, joined by LF. A replaced frame keeps its other
 * lines and its line ends. `maxFrameBytes` caps one frame.
 */
export function createSseFrames(maxFrameBytes: number): FrameFormat {
  const cutter = new SseCutter(maxFrameBytes);
  let last: RawFrame | null = null;

  return {
    split: (bytes) => cutter.cut(bytes).map(toFrame),
    splitEnd: () => cutter.rest().map(toFrame),
    join(frame, change) {
      if (frame.json !== null) last = frame;
      return joinFrame(frame, change);
    },
    joinEnd(more) {
      const lineEnd = last === null ? '\r\n' : lineEndOf(last.bytes);
      return encodeText(more.map((json) => `data: ${json}${lineEnd}${lineEnd}`).join(''));
    },
  };
}

function toFrame(bytes: Uint8Array): RawFrame {
  const data = readLines(bytes).filter(isData).map(dataOf);
  return { bytes, start: 0, json: data.length === 0 ? null : data.join('\n') };
}

function joinFrame({ bytes }: RawFrame, change: FrameChange): Uint8Array {
  switch (change.type) {
    case 'pass':
      return bytes;
    case 'leave-out':
      return new Uint8Array(0);
    case 'replace': {
      const kept = readLines(bytes).filter((line) => line !== '' && !isData(line));
      return encodeText([...kept, `data: ${change.json}`, '', ''].join(lineEndOf(bytes)));
    }
    default:
      return assertNever(change, 'change of a frame');
  }
}

/** How the first line of a frame ends. */
function lineEndOf(bytes: Uint8Array): string {
  return /\r\n|\n|\r/.exec(decodeText(bytes))?.[0] ?? '\r\n';
}

function readLines(bytes: Uint8Array): readonly string[] {
  return decodeText(bytes).split(/\r\n|\n|\r/);
}

function isData(line: string): boolean {
  return line.startsWith('data:') || line === 'data';
}

function dataOf(line: string): string {
  return line.slice(line.startsWith('data: ') ? 6 : 5);
}

/**
 * Finds the ends of frames. A CR can be a line end or the first half of one, and the byte that tells may come with the next read. After a line that ended with a lone CR another CR is
 * taken as a line end at once, so that the last frame of a CR stream does not wait; else the next byte decides.
 */
class SseCutter {
  readonly #pending: PendingBytes;
  /** The open line has no bytes yet. */
  #isLineEmpty = true;
  /** The last line of this frame ended with a lone CR. */
  #endedWithReturn = false;
  /** The last byte was a CR, and what it means is open. */
  #isReturnOpen = false;
  /** The line that was just read is the blank one. */
  #isFrameOver = false;

  constructor(maxBytes: number) {
    this.#pending = new PendingBytes(maxBytes);
  }

  cut(bytes: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let start = 0;
    let at = 0;
    while (at < bytes.length) {
      at = this.#readToLineEnd(bytes, at);
      if (!this.#isFrameOver) continue;
      this.#isFrameOver = false;
      this.#pending.add(bytes.subarray(start, at));
      frames.push(this.#pending.take());
      start = at;
    }
    this.#pending.add(bytes.subarray(start));
    return frames;
  }

  rest(): Uint8Array[] {
    return this.#pending.size === 0 ? [] : [this.#pending.take()];
  }

  /** Reads until a line is over, or nothing is left; returns how far it came. */
  #readToLineEnd(bytes: Uint8Array, from: number): number {
    if (this.#isReturnOpen) {
      this.#isReturnOpen = false;
      const isPair = bytes[from] === lineFeed;
      this.#endLine(!isPair);
      return isPair ? from + 1 : from;
    }
    const end = findLineEnd(bytes, from);
    if (end > from) this.#isLineEmpty = false;
    if (end === bytes.length) return end;
    if (bytes[end] === lineFeed) this.#endLine(false);
    else if (this.#isLineEmpty && this.#endedWithReturn) this.#endLine(true);
    else this.#isReturnOpen = true;
    return end + 1;
  }

  #endLine(byReturn: boolean): void {
    this.#isFrameOver = this.#isLineEmpty;
    this.#endedWithReturn = byReturn && !this.#isLineEmpty;
    this.#isLineEmpty = true;
  }
}

function findLineEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== lineFeed && bytes[at] !== carriageReturn) at++;
  return at;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
