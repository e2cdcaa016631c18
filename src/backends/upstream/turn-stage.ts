import type { Stage } from '../../lib/stage.ts';
import type { ModelEvent } from '../../model/model-event.ts';

/** Turns the JSON chunks of one answer into what the model did. An unstreamed body is one chunk. */
export interface TurnStage extends Stage<unknown, ModelEvent> {
  /** The model has said that it is done; only usage may still come. The reader then waits a short grace instead of the idle time. */
  readonly settled: boolean;
}
