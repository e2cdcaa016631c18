import { setImmediate } from 'node:timers';
import type { ModelEvent, TokenUsage } from '../../model/model-event.ts';
import { speak, type ScriptStep, type SpokenStep } from './turn-script.ts';

export interface PlayOptions {
  readonly countTextTokens: (text: string) => Promise<number>;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** What the model has read, as one text. */
  readonly input: string;
  /** Thinking counts too. Null: no limit. */
  readonly maxOutputTokens: number | null;
  /** Milliseconds between two batches; 0 only lets others have their turn. */
  readonly pause: number;
  readonly hidesUsage: boolean;
}

/** Events per batch: small, so that an answer grows before the reader's eyes. */
const batchSize = 3;

/** Acts a script out: batches with a breath between them, the token limit, the counts at the end. Throws the signal's reason as soon as it aborts. */
export async function* playScript(
  script: readonly ScriptStep[],
  options: PlayOptions,
  signal: AbortSignal,
): AsyncGenerator<readonly ModelEvent[]> {
  let batch: ModelEvent[] = [];
  for (const step of await settleScript(script, options)) {
    if (step.type === 'event') batch.push(step.event);
    if (step.type === 'event' && batch.length < batchSize) continue;
    await breathe(options, signal);
    yield batch;
    batch = [];
    if (step.type === 'stall') await untilAborted(signal);
    if (step.type === 'throw') throw step.error;
  }
  if (batch.length === 0) return;
  await breathe(options, signal);
  yield batch;
}

type SettledStep = Exclude<ScriptStep, { type: 'end' }>;

/** The script with its end written out: cut at the token limit, then what was counted, then the finish. */
async function settleScript(script: readonly ScriptStep[], options: PlayOptions): Promise<readonly SettledStep[]> {
  const counter = createTokenCounter(options);
  const settled: SettledStep[] = [];
  for (const step of script) {
    const isTooMuch = step.type === 'event' && !(await counter.accept(step));
    if (!isTooMuch && step.type !== 'end') {
      settled.push(step);
      continue;
    }
    const finish: ModelEvent = { type: 'finish', reason: step.type === 'end' ? step.reason : 'length' };
    const ending = [...(await counter.usageEvents()), finish];
    return [...settled, ...ending.map((event) => speak(event))];
  }
  return settled;
}

/** Lets the event loop turn: a client that leaves is noticed, and other answers grow at the same time. */
async function breathe({ pause, wait }: PlayOptions, signal: AbortSignal): Promise<void> {
  if (pause > 0) await wait(pause, signal);
  else await new Promise<void>((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

interface TokenCounter {
  /** Counts what the step costs; false when it would exceed the limit. */
  accept(step: SpokenStep): Promise<boolean>;
  usageEvents(): Promise<readonly ModelEvent[]>;
}

function createTokenCounter({ countTextTokens, input, maxOutputTokens, hidesUsage }: PlayOptions): TokenCounter {
  let outputTokens = 0;
  let reasoningTokens = 0;

  async function accept({ cost, isThinking }: SpokenStep): Promise<boolean> {
    const tokens = await countTextTokens(cost);
    if (maxOutputTokens !== null && outputTokens + tokens > maxOutputTokens) return false;
    outputTokens += tokens;
    if (isThinking) reasoningTokens += tokens;
    return true;
  }

  async function usageEvents(): Promise<readonly ModelEvent[]> {
    if (hidesUsage) return [];
    const inputTokens = await countTextTokens(input);
    const usage: TokenUsage = {
      inputTokens,
      cachedTokens: 0,
      outputTokens,
      reasoningTokens,
      totalTokens: inputTokens + outputTokens,
    };
    return [{ type: 'usage', usage }];
  }

  return { accept, usageEvents };
}
