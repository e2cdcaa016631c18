import { type FrameFormat, PendingBytes, type RawFrame } from './frame-format.ts';
import { createJsonFrames } from './json-frames.ts';
import { createSseFrames } from './sse-frames.ts';

export interface SniffedFramesOptions {
  /** As in createJsonFrames. */
  readonly maxFrameBytes: number;
  readonly isArrayExpected: boolean;
  /** What it is while nothing says otherwise. */
  readonly isEventStreamExpected: boolean;
}

/** How many bytes tell a field of an event stream from other text: `event:`, `retry:`. */
const enough = 6;

/**
 * A body that shows by its first bytes what it is: an event stream or JSON. The content type alone is not believed: a proxy that calls an event stream `text/plain` must not
 * carry a call past the one who looks for it.
 */
export function createSniffedFrames(options: SniffedFramesOptions): FrameFormat {
  const { maxFrameBytes, isEventStreamExpected } = options;
  const pending = new PendingBytes(maxFrameBytes);
  let head = '';
  let chosen: FrameFormat | null = null;

  function choose(isEventStream: boolean): FrameFormat {
    chosen ??= isEventStream ? createSseFrames(maxFrameBytes) : createJsonFrames(options);
    return chosen;
  }

  return {
    split(bytes) {
      if (chosen !== null) return chosen.split(bytes);
      pending.add(bytes);
      head += readHead(head === '' ? dropBlank(bytes) : bytes);
      const isEventStream = sniffHead(head, isEventStreamExpected);
      return isEventStream === null ? [] : choose(isEventStream).split(pending.take());
    },
    splitEnd(): readonly RawFrame[] {
      const format = choose(isEventStreamExpected);
      return [...(pending.size > 0 ? format.split(pending.take()) : []), ...format.splitEnd()];
    },
    join: (frame, change) => choose(isEventStreamExpected).join(frame, change),
    joinEnd: (more) => choose(isEventStreamExpected).joinEnd(more),
  };
}

/** Whether it is an event stream; null while nothing tells. */
function sniffHead(head: string, isEventStreamExpected: boolean): boolean | null {
  if (head === '') return null;
  if (/^[{["]/.test(head)) return false;
  if (isEventStreamExpected || /^(?:data|event|id|retry)?:/.test(head)) return true;
  return head.length < enough ? null : false;
}

function readHead(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, enough));
}

function dropBlank(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => !blank.has(byte));
  return start === -1 ? bytes.subarray(0, 0) : bytes.subarray(start);
}

/** Tab, LF, CR, space, and the three bytes of a byte order mark. */
const blank = new Set([0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf]);
