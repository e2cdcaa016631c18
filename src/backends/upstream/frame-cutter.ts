/**
 * The bytes of an event stream in whole frames: a frame ends with a blank line, whatever ends the lines (LF, CRLF, CR), as `lib/sse-decoder` reads it. Nearly every read ends where a frame does;
 * then nothing is looked at but its last bytes, and nothing is copied.
 */
export class FrameCutter {
  #open: Uint8Array[] = [];

  /** The next read; what of it, and of the reads before, are whole frames. May be empty. */
  push(bytes: Uint8Array): Uint8Array {
    const before = this.#lastOpen();
    const joint = before.length === 0 ? bytes : Buffer.concat([before, bytes]);
    const end = endOfFrames(joint, { from: before.length, to: joint.length }) - before.length;
    if (end <= 0) {
      if (bytes.length > 0) this.#open.push(bytes);
      return new Uint8Array(0);
    }
    const whole = end === bytes.length ? bytes : bytes.subarray(0, end);
    const frames = this.#open.length === 0 ? whole : Buffer.concat([...this.#open, whole]);
    this.#open = end === bytes.length ? [] : [bytes.subarray(end)];
    return frames;
  }

  /** Whether nothing stands behind the last whole frame. */
  get isEmpty(): boolean {
    return this.#open.length === 0;
  }

  /** What stands behind the last whole frame. */
  rest(): Uint8Array {
    return Buffer.concat(this.#open);
  }

  /** As many bytes of the open frame as can belong to its end. */
  #lastOpen(): Uint8Array {
    if (this.#open.length === 0) return new Uint8Array(0);
    const last = this.#open.at(-1);
    const enough = last !== undefined && last.length >= longestEnd ? last : Buffer.concat(this.#open.slice(-longestEnd));
    return enough.subarray(-longestEnd);
  }
}

/** Of the end of a frame, without its last byte: `\n\r` in front of `\n`, and what they follow. */
const longestEnd = 3;

/** Where the last whole frame ends, behind `from` and not behind `to`; 0: nowhere there. */
export function endOfFrames(bytes: Uint8Array, { from, to }: { readonly from: number; readonly to: number }): number {
  for (let end = to; end > from; end -= 1) if (endsFrame(bytes, end)) return end;
  return 0;
}

/** Where the first frame ends; the length of the bytes when it does not. */
export function endOfFirst(bytes: Uint8Array): number {
  for (let end = 1; end < bytes.length; end += 1)
    if (endsFrame(bytes, end)) return bytes[end - 1] === carriageReturn && bytes[end] === lineFeed ? end + 1 : end;
  return bytes.length;
}

/** Where the frame behind the first `count` chunks begins that holds another one; frames without data hold none. Slow: for the reads in which a stream ends. */
export function endOfChunks(frames: Uint8Array, count: number): number {
  let [end, chunks] = [0, 0];
  for (let at = 1; at <= frames.length; at += 1) {
    if (!endsFrame(frames, at)) continue;
    if (hasChunk(frames.subarray(end, at))) chunks += 1;
    if (chunks > count) return end;
    end = at;
  }
  return end;
}

function hasChunk(frame: Uint8Array): boolean {
  return /^data: *\S/m.test(new TextDecoder().decode(frame));
}

/** Two line ends in a row. */
function endsFrame(bytes: Uint8Array, end: number): boolean {
  const last = bytes[end - 1];
  if (last !== lineFeed && last !== carriageReturn) return false;
  const isPair = last === lineFeed && bytes[end - 2] === carriageReturn;
  const before = bytes[end - (isPair ? 3 : 2)];
  return before === lineFeed || before === carriageReturn;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
