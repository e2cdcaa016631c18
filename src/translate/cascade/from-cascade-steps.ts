import type { ModelEvent } from '../../model/model-event.ts';
import { isActiveStep, isCutStep, isDeadStep, type CascadeStep } from './read-step.ts';
import { SnapshotText } from './snapshot-text.ts';

export interface CascadeStepsOptions {
  /** The model that was asked: reasoning state is bound to it. */
  readonly model: string;
  /** False: nothing is written before the turn is over, so that every text is the one the server ended with. */
  readonly isStreamed: boolean;
}

/** Which steps are written at the end: all that users see, or only what the agent said through NOTIFY_USER, because the model's own words were seen elsewhere. */
export type WrittenSteps = 'all' | 'notices';

export interface CascadeStepsStage {
  /** Takes all steps of the turn as they are now, by their index from the baseline; null where there is none. */
  push(steps: readonly (CascadeStep | null)[]): readonly ModelEvent[];
  /** The turn ended well: what is missing. */
  end(which: WrittenSteps): readonly ModelEvent[];
  /** The turn is broken off: what is there of it. */
  breakOff(which: WrittenSteps): readonly ModelEvent[];
  /** Whether there was any thinking text so far. */
  readonly hasThinking: boolean;
}

/**
 * Growing snapshots of an agent server's steps → what the model did: a message for each step that says something, its thinking before it, thinking that comes late as a later item. No word twice, and no
 * word taken back; what becomes of text that is rewritten is in docs/decisions/0005. Calls of the agent's own tools are its own affair and never events.
 */
export function createCascadeSteps(options: CascadeStepsOptions): CascadeStepsStage {
  return new CascadeSteps(options);
}

/** How far one step has been written. */
interface WrittenStep {
  latest: CascadeStep;
  readonly text: SnapshotText;
  readonly thinking: SnapshotText;
  hasSignature: boolean;
  /** Its text was written as the server ended it; a later change waits for the end of the turn. */
  isSettled: boolean;
}

class CascadeSteps implements CascadeStepsStage {
  readonly #options: CascadeStepsOptions;
  readonly #written = new Map<number, WrittenStep>();
  /** The steps whose text and whose thinking were written last. */
  #speaking: WrittenStep | undefined;
  #thinking: WrittenStep | undefined;
  #events: ModelEvent[] = [];
  #hasThinking = false;

  constructor(options: CascadeStepsOptions) {
    this.#options = options;
  }

  get hasThinking(): boolean {
    return this.#hasThinking;
  }

  push(steps: readonly (CascadeStep | null)[]): readonly ModelEvent[] {
    let mustWait = !this.#options.isStreamed;
    for (const [index, step] of steps.entries()) {
      if (step === null || !isSpeaking(step)) continue;
      this.#hasThinking ||= step.thinking !== '';
      const written = this.#remember(index, step);
      if (!mustWait) this.#follow(written);
      // What comes after a step that still grows waits for it: events are in the order of the steps.
      mustWait ||= isActiveStep(step);
    }
    return this.#take();
  }

  end(which: WrittenSteps): readonly ModelEvent[] {
    for (const written of this.#inOrder(which)) {
      if (!isDeadStep(written.latest) && !isCutStep(written.latest)) this.#settle(written, true);
    }
    return this.#take();
  }

  breakOff(which: WrittenSteps): readonly ModelEvent[] {
    for (const written of this.#inOrder(which)) {
      if (isDeadStep(written.latest)) continue;
      this.#writeThinking(written, written.thinking.complete(written.latest.thinking) ?? '');
      this.#writeText(written, written.text.complete(written.latest.text) ?? '');
    }
    return this.#take();
  }

  #inOrder(which: WrittenSteps): readonly WrittenStep[] {
    return [...this.#written.entries()]
      .toSorted(([a], [b]) => a - b)
      .map(([, written]) => written)
      .filter(({ latest }) => which === 'all' || latest.kind === 'notice');
  }

  #remember(index: number, latest: CascadeStep): WrittenStep {
    const known = this.#written.get(index);
    if (known !== undefined) {
      known.latest = latest;
      return known;
    }
    const written = { latest, text: new SnapshotText(), thinking: new SnapshotText(), hasSignature: false, isSettled: false };
    this.#written.set(index, written);
    return written;
  }

  #follow(written: WrittenStep): void {
    const { latest, text, thinking } = written;
    if (isDeadStep(latest) || isCutStep(latest)) return;
    if (latest.status === 'DONE') {
      this.#settle(written, !written.isSettled);
      written.isSettled = true;
      return;
    }
    // Thinking that goes on below its own text would cut the message in two: it waits for the end of the step.
    if (latest.text === '') this.#writeThinking(written, thinking.grow(latest.thinking));
    else if (!text.hasSent) this.#settleThinking(written);
    this.#writeText(written, text.grow(latest.text));
  }

  #settle(written: WrittenStep, mayRestart: boolean): void {
    const { latest, text } = written;
    if (!text.hasSent) this.#settleThinking(written);
    const rest = text.complete(latest.text);
    if (rest !== null) this.#writeText(written, rest);
    else if (mayRestart && latest.text !== '') {
      this.#speaking = undefined;
      this.#events.push({ type: 'message-break' });
      this.#writeText(written, text.restart(latest.text));
    }
    this.#settleThinking(written);
  }

  /** Thinking that was rewritten stays as it was shown: it is a summary, and nothing is built upon its words. */
  #settleThinking(written: WrittenStep): void {
    const { latest, thinking } = written;
    this.#writeThinking(written, thinking.complete(latest.thinking) ?? '');
    if (latest.signature === null || written.hasSignature) return;
    written.hasSignature = true;
    const { model } = this.#options;
    this.#events.push({
      type: 'reasoning-state',
      state: { format: 'cascade', model, data: { thinkingSignature: latest.signature } },
    });
  }

  #writeThinking(written: WrittenStep, delta: string): void {
    if (delta === '') return;
    if (this.#thinking !== undefined && this.#thinking !== written) this.#events.push({ type: 'reasoning-break' });
    this.#thinking = written;
    this.#events.push({ type: 'reasoning-delta', delta });
  }

  #writeText(written: WrittenStep, delta: string): void {
    if (delta === '') return;
    if (this.#speaking !== undefined && this.#speaking !== written) this.#events.push({ type: 'message-break' });
    this.#speaking = written;
    this.#events.push({ type: 'text-delta', delta });
  }

  #take(): readonly ModelEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

function isSpeaking({ kind }: CascadeStep): boolean {
  return kind === 'answer' || kind === 'notice';
}
