import { parseJson } from '../../lib/json.ts';
import type { NativeEvent, TurnEvent } from '../../model/model-event.ts';
import type { Secret } from '../../model/secret.ts';
import { DeltaRuns, type DeltaForm, type DeltaRun } from './delta-runs.ts';
import { EventStreamStage } from './event-stream-stage.ts';
import { endOfChunks, endOfFirst, endOfFrames, FrameCutter } from './frame-cutter.ts';
import type { PassedStage } from './turn-stage.ts';

export interface PassedStreamOptions {
  readonly stage: PassedStage;
  /** How the deltas of the dialect look; null: each is read by itself. */
  readonly deltas: DeltaForm | null;
  readonly maxEventBytes: number;
  /** Nothing that holds one of them goes on where the server tells of an error: some repeat their caller's key in it. */
  readonly secrets: readonly Secret[];
}

/**
 * An event stream on its way to a client that speaks the server's dialect: what is read in it, and behind that the bytes of it. Only whole frames that could be read go on. The server's own error goes
 * on too; what the server does not tell (a cut, an event that is not JSON) is left for the client's writer to say.
 */
export class PassedEventStream {
  readonly #stage: PassedStage;
  readonly #events: EventStreamStage<TurnEvent>;
  readonly #cutter = new FrameCutter();
  readonly #secrets: readonly Secret[];
  readonly #runs: DeltaRuns | null;
  #isOver = false;

  constructor({ stage, maxEventBytes, secrets, deltas }: PassedStreamOptions) {
    this.#runs = deltas === null ? null : new DeltaRuns(deltas);
    this.#stage = stage;
    this.#events = new EventStreamStage(stage, maxEventBytes);
    this.#secrets = secrets;
  }

  /** Nothing more is to be read. A complete answer is read to the end of its body all the same: `[DONE]` may come behind it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isComplete(): boolean {
    return this.#events.isComplete;
  }

  get settled(): boolean {
    return this.#events.settled;
  }

  push(bytes: Uint8Array): readonly TurnEvent[] {
    const wasBroken = this.#isBroken;
    const passed = this.#stage.progress?.passed ?? 0;
    const events = this.#events.isOver ? [] : this.#read(bytes);
    if (wasBroken) {
      this.#isOver = this.#events.isOver;
      return events;
    }
    const native = this.#pass(this.#cutter.push(bytes), passed);
    return native === null ? events : [...events, native];
  }

  end(): readonly TurnEvent[] {
    const events = this.#events.isOver ? [] : this.#events.end();
    this.#isOver = true;
    if (!this.#events.isToldByServer || this.#isBroken) return events;
    const rest = this.#cutter.rest();
    return [...events, { type: 'native', bytes: isReadable(rest) ? rest : new Uint8Array(0), isEnd: true }];
  }

  /** Deltas that differ only in what they say are read as one, all other events by themselves. */
  #read(bytes: Uint8Array): readonly TurnEvent[] {
    const runs = this.#cutter.isEmpty ? this.#runs : null;
    if (runs === null) return this.#events.push(bytes);
    const events: TurnEvent[] = [];
    let rest = bytes;
    while (rest.length > 0 && !this.#events.isOver) {
      const run = runs.read(rest);
      const end = run?.to ?? (runs.isHopeful ? endOfFirst(rest) : rest.length);
      events.push(...(run === null ? this.#events.push(rest.subarray(0, end)) : this.#readRun(run)));
      if (run === null) runs.learn(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return events;
  }

  #readRun({ events, chunk }: DeltaRun): readonly TurnEvent[] {
    this.#stage.skip?.(events - 1);
    return this.#events.pushChunk(chunk);
  }

  /** From here on nothing goes on. */
  get #isBroken(): boolean {
    return this.#stage.progress?.isBroken === true;
  }

  /** What goes on of these frames; `passed`: how many chunks went on before them. */
  #pass(frames: Uint8Array, passed: number): NativeEvent | null {
    const { isOver, isComplete } = this.#events;
    const { progress } = this.#stage;
    this.#isOver = isOver && (this.#isBroken || !isComplete);
    if (progress !== undefined && (this.#isBroken || isComplete))
      return pass(frames.subarray(0, endOfChunks(frames, progress.passed - passed)), !this.#isBroken);
    return this.#isOver ? this.#passLast(frames) : pass(frames, isComplete);
  }

  /** What goes on of the read in which the answer failed: everything that the server tells, or the frames in front of the one that must not. */
  #passLast(frames: Uint8Array): NativeEvent | null {
    const { isToldByServer, unreadable } = this.#events;
    const words = isToldByServer ? this.#secrets.map((secret) => secret.reveal()) : [unreadable?.split('\n', 1)[0] ?? ''];
    const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.length);
    const places = words.map((word) => (word === '' ? -1 : bytes.indexOf(word))).filter((at) => at !== -1);
    if (places.length > 0) return pass(frames.subarray(0, endOfFrames(frames, { from: 0, to: Math.min(...places) })), false);
    return isToldByServer ? pass(frames, true) : null;
  }
}

function pass(bytes: Uint8Array, isEnd: boolean): NativeEvent | null {
  return bytes.length === 0 && !isEnd ? null : { type: 'native', bytes, isEnd };
}

/** Whether a last frame without its blank line is whole all the same. */
function isReadable(rest: Uint8Array): boolean {
  const lines = Buffer.from(rest)
    .toString()
    .split(/[\r\n]+/);
  return lines.every(
    (line) => !line.startsWith('data:') || /^data: ?\[DONE\]/.test(line) || parseJson(line.slice(5)) !== undefined,
  );
}
