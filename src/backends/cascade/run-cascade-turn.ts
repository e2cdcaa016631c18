import type { Loss } from '../../model/loss.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { CascadeRun } from './cascade-run.ts';
import { RunFollower } from './run-follower.ts';
import { sendTurn } from './send-turn.ts';
import type { TurnContext } from './turn-context.ts';

/**
 * One turn in a cascade (the contract of `BackendTurn.stream`). The first batch comes right after the agent server has accepted the message. However the turn ends but well, its run
 * is cancelled: by the signal itself, without waiting for whoever reads the events.
 */
export async function* runCascadeTurn(context: TurnContext, signal: AbortSignal): AsyncGenerator<readonly ModelEvent[]> {
  signal.throwIfAborted();
  const run = new CascadeRun(context);
  const reading = new AbortController();
  const stop = (): void => {
    run.abandon();
    run.wake.ring();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const sent = await sendTurn(context, run, signal);
    yield sent.losses.map(toLossEvent);
    const follower = new RunFollower({ context, run, sent, signal, reading: AbortSignal.any([signal, reading.signal]) });
    yield* follower.follow();
  } finally {
    signal.removeEventListener('abort', stop);
    reading.abort();
    run.abandon();
  }
}

function toLossEvent(loss: Loss): ModelEvent {
  return { type: 'loss', loss };
}
