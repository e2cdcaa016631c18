import { isJsonObject } from '../../lib/json.ts';
import { pushAll } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { AiSdkCallOptions } from '../../protocol/ai-sdk/call-options.ts';
import type { AiSdkModel } from '../../protocol/ai-sdk/model.ts';
import type { AiSdkStage } from '../../translate/ai-sdk/from-ai-sdk-parts.ts';
import { toAiSdkParts } from '../../translate/ai-sdk/to-ai-sdk-parts.ts';

export interface AiSdkTurnOptions {
  readonly model: AiSdkModel;
  readonly callOptions: AiSdkCallOptions;
  readonly isStream: boolean;
  readonly stage: AiSdkStage;
  /** What the provider threw; `isReading`: in the middle of its answer. */
  readonly mapError: (thrown: unknown, isReading: boolean) => GatewayError;
  /** Until the provider has an answer, and between two of its parts. */
  readonly timeouts: { readonly firstByteMs: number; readonly idleMs: number };
  readonly signal: AbortSignal;
}

/** How one wait ends early. */
interface Waiting {
  readonly signal: AbortSignal;
  readonly milliseconds: number;
}

interface PartReader {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(reason?: unknown): Promise<void>;
}

/**
 * One call of a provider's model. A stream yields `[]` when the provider has its server's answer, then a batch for each part; a whole answer yields its events at once, and when it is nothing but a failure
 * that is thrown. Thrown too: what `mapError` makes of the provider's errors, `upstream_timeout`, the signal's reason. Stopping the generator, or the signal, breaks the provider's call off, and does not wait
 * for a provider that does not listen.
 */
export async function* runAiSdkTurn(options: AiSdkTurnOptions): AsyncGenerator<readonly ModelEvent[]> {
  const { signal, isStream } = options;
  signal.throwIfAborted();
  const calling = new AbortController();
  const onAbort = (): void => {
    calling.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (isStream) yield* streamParts(options, calling.signal);
    else yield await readWhole(options, calling.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    calling.abort(new Error('the turn is over'));
  }
}

async function readWhole(options: AiSdkTurnOptions, abortSignal: AbortSignal): Promise<readonly ModelEvent[]> {
  const { model, callOptions, stage, timeouts } = options;
  const result = await attempt(options, false, () =>
    waitFor(model.doGenerate({ ...callOptions, abortSignal }), { signal: abortSignal, milliseconds: timeouts.firstByteMs }),
  );
  const events = [...pushAll(stage, toAiSdkParts(result)), ...stage.end()];
  const last = events.at(-1);
  const isSilent = events.slice(0, -1).every(({ type }) => type === 'usage' || type === 'served-model' || type === 'loss');
  if (last?.type === 'failure' && isSilent) throw last.error;
  return events;
}

async function* streamParts(options: AiSdkTurnOptions, abortSignal: AbortSignal): AsyncGenerator<readonly ModelEvent[]> {
  const { model, callOptions, stage, timeouts } = options;
  const answer = await attempt(options, false, () =>
    waitFor(model.doStream({ ...callOptions, abortSignal }), { signal: abortSignal, milliseconds: timeouts.firstByteMs }),
  );
  const reader = openReader(answer);
  try {
    yield [];
    while (!stage.settled) {
      const { done, value } = await attempt(options, true, () =>
        waitFor(reader.read(), { signal: abortSignal, milliseconds: timeouts.idleMs }),
      );
      const batch = done ? stage.end() : stage.push(value);
      if (batch.length > 0) yield batch;
      if (done) return;
    }
  } finally {
    // Not awaited: a provider may take its time, or never answer.
    reader.cancel().catch(() => undefined);
  }
}

function openReader(answer: unknown): PartReader {
  const stream = isJsonObject(answer) ? answer['stream'] : undefined;
  if (stream instanceof ReadableStream) return stream.getReader();
  throw new GatewayError('upstream_invalid_response', "The provider's answer is no stream.");
}

async function attempt<T>({ signal, mapError }: AiSdkTurnOptions, isReading: boolean, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    // Whoever left wants to hear why it ended, not how the provider took it.
    signal.throwIfAborted();
    throw mapError(thrown, isReading);
  }
}

/** What comes of it, unless the time is over or the signal aborts before. */
async function waitFor<T>(work: PromiseLike<T>, { signal, milliseconds }: Waiting): Promise<T> {
  let stop = (): void => undefined;
  const early = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      reject(new GatewayError('upstream_timeout', `The provider said nothing for ${milliseconds / 1000} seconds.`));
    }, milliseconds);
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, early]);
  } finally {
    stop();
  }
}
