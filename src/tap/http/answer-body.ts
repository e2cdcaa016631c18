import type { IncomingMessage } from 'node:http';
import { ByteQueue } from '../../backends/upstream/byte-queue.ts';
import { createDecodingSink, isKnownEncoding, type ByteSink, type DecodingSink } from '../../backends/upstream/decode-content.ts';

/** From this much on the model API waits for the caller. */
const capacity = 256 * 1024;

/** The answer ended before it was complete, or its bytes are not what its encoding says. */
export class AnswerCutError extends Error {
  override readonly name = 'AnswerCutError';
}

export interface AnswerBodyOptions {
  /** Decompresses what has a known encoding. */
  readonly decode: boolean;
  /** Sees every piece as it came. */
  readonly onPiece?: (bytes: Uint8Array) => void;
}

/**
 * The body of an answer, one piece for each read of its connection. Throws AnswerCutError behind everything that came before the cut. Whoever stops reading breaks the connection off.
 */
export function openAnswerBody(answer: IncomingMessage, options: AnswerBodyOptions): AsyncIterable<Uint8Array> {
  const encoding = answerEncoding(answer);
  const queue: ByteQueue = new ByteQueue(capacity, {
    onWait: () => undefined,
    onDrained() {
      if (decoder === null) answer.resume();
      else decoder.resume();
    },
    onStopped() {
      answer.destroy();
    },
  });
  const decoder: DecodingSink | null =
    options.decode && isKnownEncoding(encoding)
      ? createDecodingSink(encoding, queue, {
          onRoom() {
            answer.resume();
          },
          onCorrupt(cause) {
            queue.fail(new AnswerCutError(`the answer is not ${encoding}`, { cause }));
            answer.destroy();
          },
        })
      : null;
  readAnswer(answer, decoder ?? queue, options.onPiece);
  return queue;
}

function readAnswer(answer: IncomingMessage, sink: ByteSink, onPiece: ((bytes: Uint8Array) => void) | undefined): void {
  let isOver = false;
  const over = (isWhole: boolean): void => {
    if (isOver) return;
    isOver = true;
    if (isWhole) sink.end();
    else sink.fail(new AnswerCutError('the answer broke off'));
  };
  answer.on('data', (piece: Buffer) => {
    onPiece?.(piece);
    if (!sink.push(piece)) answer.pause();
  });
  answer.once('end', () => {
    over(answer.complete);
  });
  answer.once('close', () => {
    over(false);
  });
  if (answer.destroyed) over(false);
}

/** `content-encoding`, lower case; '' for none. */
export function answerEncoding(answer: IncomingMessage): string {
  const encoding = answer.headers['content-encoding']?.trim().toLowerCase() ?? '';
  return encoding === 'identity' ? '' : encoding;
}

/** The first bytes of a body that goes by, decompressed. */
export interface BodyPeek {
  push(bytes: Uint8Array): void;
  /** Nothing more comes: what there is, as text. */
  end(): Promise<string>;
}

/** Keeps at most `maxBytes` of the decompressed body. */
export function createBodyPeek(encoding: string, maxBytes: number): BodyPeek {
  const kept: Uint8Array[] = [];
  let size = 0;
  let whole: (() => void) | null = null;
  let isOver = false;
  const over = (): void => {
    isOver = true;
    whole?.();
  };
  const collector: ByteSink = {
    push(bytes) {
      const piece = bytes.subarray(0, maxBytes - size);
      size += piece.length;
      // Copied: the view would keep the whole read alive.
      if (piece.length > 0) kept.push(piece.slice());
      return true;
    },
    end: over,
    fail: over,
    cancel: over,
  };
  const sink: ByteSink = isKnownEncoding(encoding)
    ? createDecodingSink(encoding, collector, { onRoom: () => undefined, onCorrupt: over })
    : collector;

  return {
    push(bytes) {
      if (!isOver && size < maxBytes) sink.push(bytes);
    },
    async end() {
      sink.end();
      if (!isOver) await new Promise<void>((resolve) => (whole = resolve));
      return Buffer.concat(kept).toString();
    },
  };
}
