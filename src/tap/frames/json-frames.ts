import { ArrayFrames } from './array-frames.ts';
import { decodeText, encodeText, PendingBytes, type FrameChange, type FrameFormat, type RawFrame } from './frame-format.ts';
import { isJsonSpace, openBracket } from '../../lib/json-array-scanner.ts';

/**
 * A JSON body: an array whose elements come one by one (Gemini's stream without `alt=sse`), or anything else, which is one frame as a whole. The first byte that is no white space tells.
 * `maxFrameBytes` caps one element, and a whole body. `isArrayExpected`: what an empty body is when chunks must be added to it.
 */
export function createJsonFrames(options: { readonly maxFrameBytes: number; readonly isArrayExpected: boolean }): FrameFormat {
  const { maxFrameBytes, isArrayExpected } = options;
  const pending = new PendingBytes(maxFrameBytes);
  let chosen: FrameFormat | null = null;

  function choose(isArray: boolean): FrameFormat {
    chosen = isArray ? new ArrayFrames(maxFrameBytes) : new WholeFrame(maxFrameBytes);
    return chosen;
  }

  return {
    split(bytes) {
      if (chosen !== null) return chosen.split(bytes);
      pending.add(bytes);
      const first = bytes.find((byte) => !isJsonSpace(byte));
      return first === undefined ? [] : choose(first === openBracket).split(pending.take());
    },
    splitEnd() {
      if (chosen !== null) return chosen.splitEnd();
      const format = choose(isArrayExpected);
      return [...format.split(pending.take()), ...format.splitEnd()];
    },
    join: (frame, change) => (chosen ?? choose(isArrayExpected)).join(frame, change),
    joinEnd: (more) => (chosen ?? choose(isArrayExpected)).joinEnd(more),
  };
}

/** A body that is one frame. */
class WholeFrame implements FrameFormat {
  readonly #body: PendingBytes;
  #isWritten = false;

  constructor(maxBytes: number) {
    this.#body = new PendingBytes(maxBytes);
  }

  split(bytes: Uint8Array): RawFrame[] {
    this.#body.add(bytes);
    return [];
  }

  splitEnd(): RawFrame[] {
    const bytes = this.#body.take();
    return bytes.length === 0 ? [] : [{ bytes, start: 0, json: decodeText(bytes) }];
  }

  join({ bytes }: RawFrame, change: FrameChange): Uint8Array {
    if (change.type === 'leave-out') return new Uint8Array(0);
    this.#isWritten = true;
    return change.type === 'pass' ? bytes : encodeText(change.json);
  }

  /** Where there is one answer, only one can take its place. */
  joinEnd([first]: readonly string[]): Uint8Array {
    return this.#isWritten || first === undefined ? new Uint8Array(0) : encodeText(first);
  }
}
