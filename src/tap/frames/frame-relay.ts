import { parseJson } from '../../lib/json.ts';
import type { AnswerStage } from '../model-call.ts';
import { joinBytes, type FrameChange, type FrameFormat, type RawFrame } from './frame-format.ts';

/** The bytes of an answer on their way through a stage. One read in, one write out. */
export class FrameRelay {
  readonly #format: FrameFormat;
  readonly #stage: AnswerStage;

  constructor(format: FrameFormat, stage: AnswerStage) {
    this.#format = format;
    this.#stage = stage;
  }

  /** What goes on for this read; may be empty. Throws FrameTooLargeError. */
  push(bytes: Uint8Array): Uint8Array {
    return joinBytes(this.#relay(this.#format.split(bytes)));
  }

  /** The body ended as it should: the rest of it, and what the stage adds. Called exactly once; ends the stage. */
  end(): Uint8Array {
    const last = this.#relay(this.#format.splitEnd());
    const more = this.#stage.end().map((chunk) => JSON.stringify(chunk));
    return joinBytes([...last, this.#format.joinEnd(more)]);
  }

  #relay(frames: readonly RawFrame[]): Uint8Array[] {
    return frames.map((frame) => this.#format.join(frame, this.#changeOf(frame)));
  }

  #changeOf({ json }: RawFrame): FrameChange {
    const value = json === null ? undefined : parseJson(json);
    const isUnread = json !== null && json !== '' && value === undefined;
    const replacement = this.#stage.push(isUnread ? { value, unread: json } : { value });
    if (replacement === undefined) return { type: 'pass' };
    return replacement === null ? { type: 'leave-out' } : { type: 'replace', json: JSON.stringify(replacement) };
  }
}
