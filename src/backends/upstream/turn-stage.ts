import type { Stage } from '../../lib/stage.ts';
import type { ModelEvent, TurnEvent } from '../../model/model-event.ts';
import type { ShownStream } from '../../model/shown-stream.ts';

/** Turns the JSON chunks of one answer into what the model did. An unstreamed body is one chunk. */
export interface TurnStage<Event extends TurnEvent = ModelEvent> extends Stage<unknown, Event> {
  /** The model has said that it is done; only usage may still come. The reader then waits a short grace instead of the idle time. */
  readonly settled: boolean;
}

/** Of a native turn. */
export interface PassedStage extends TurnStage<TurnEvent> {
  /** Where the rest of a stream can be written in our words: how far it has come. Absent: the client's writer can only tell that it failed. */
  readonly progress?: PassedProgress;
  /** So many events are told together with the one that is pushed next. */
  skip?(events: number): void;
}

interface PassedProgress {
  readonly shown: ShownStream;
  /** How many chunks may go on. */
  readonly passed: number;
  /** The answer breaks a rule: from here on it must not go on as it is. */
  readonly isBroken: boolean;
}
