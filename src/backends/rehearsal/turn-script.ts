import type { FinishReason, ModelEvent } from '../../model/model-event.ts';

/** One thing the model does, with the text that it costs tokens for. */
export interface SpokenStep {
  readonly type: 'event';
  readonly event: ModelEvent;
  /** Empty where an event says nothing new. */
  readonly cost: string;
  readonly isThinking: boolean;
}

/**
 * What happens in one turn, in order. A script that ends without `end`, `stall`, `throw` or a failure event is a stream that was cut.
 */
export type ScriptStep =
  | SpokenStep
  /** Silence until the caller gives up. */
  | { readonly type: 'stall' }
  | { readonly type: 'throw'; readonly error: Error }
  | { readonly type: 'end'; readonly reason: FinishReason };

/** A step that costs the text it shows. */
export function speak(event: ModelEvent, cost = '', isThinking = false): SpokenStep {
  return { type: 'event', event, cost, isThinking };
}
