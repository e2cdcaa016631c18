import type { GatewayError } from '../../model/errors.ts';
import type { TurnEvent } from '../../model/model-event.ts';

/** How long the first event may take to decide what the status line of 200 is worth. */
const graceMs = 200;

type Batch<Event> = readonly Event[];

/**
 * Anthropic accepts a call with 200 and may then send an `error` as the first event (overload). The batches of a turn, but the first one is held back for a moment: when an error comes
 * with nothing before it, it is thrown, so that it can still become an HTTP status. `open` gets a signal that also ends with this generator.
 */
export async function* throwEarlyFailure<Event extends TurnEvent>(
  open: (signal: AbortSignal) => AsyncGenerator<Batch<Event>>,
  signal: AbortSignal,
): AsyncGenerator<Batch<Event>> {
  const stopping = new AbortController();
  const batches = open(AbortSignal.any([signal, stopping.signal]));
  let isDone = false;
  try {
    let next = await batches.next();
    let head: Batch<Event> = [];
    if (next.done !== true && next.value.every(({ type }) => type === 'native-head')) {
      head = next.value;
      const coming = batches.next();
      // Whoever stops this generator meanwhile does not wait for it.
      coming.catch(() => undefined);
      if (!(await isSoon(coming))) {
        yield head;
        head = [];
      }
      next = await coming;
    }
    const failure = next.done === true ? undefined : findLoneFailure(next.value);
    if (failure !== undefined) throw failure;
    if (head.length > 0) yield head;
    while (next.done !== true) {
      yield next.value;
      next = await batches.next();
    }
    isDone = true;
  } finally {
    // A read that waits for the server would keep the generator from ending.
    if (!isDone) stopping.abort();
    await batches.return(undefined);
  }
}

async function isSoon(coming: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, graceMs, false);
  });
  try {
    return await Promise.race([coming.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a batch that shows nothing else. */
function findLoneFailure(batch: Batch<TurnEvent>): GatewayError | undefined {
  const failure = batch.find((event) => event.type === 'failure');
  return failure?.type === 'failure' && batch.every(({ type }) => silentTypes.has(type)) ? failure.error : undefined;
}

const silentTypes: ReadonlySet<TurnEvent['type']> = new Set([
  'usage',
  'served-model',
  'loss',
  'native',
  'native-head',
  'failure',
]);
