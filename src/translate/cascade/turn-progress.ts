import type { FinishReason } from '../../model/model-event.ts';
import type { TapTurnState } from '../../model/model-tap.ts';
import { isActiveStep, isCutStep, isDeadStep, type CascadeStep } from './read-step.ts';

/** `quiet`: the server says that nothing runs (IDLE); `unknown`: it says nothing that we understand. */
export type RunState = 'quiet' | 'running' | 'unknown';

/** What one look at the agent server showed: its status first, then the steps (backends.md A.4). */
export interface TurnReading {
  /** Milliseconds; only differences count. */
  readonly at: number;
  readonly run: RunState;
  /** Steps from the baseline on. */
  readonly steps: readonly (CascadeStep | null)[];
  /** What the tap had seen before the status was asked for; null without a tap, and while it saw no main call. */
  readonly model: TapTurnState | null;
}

export type TurnVerdict =
  | { readonly type: 'go-on' }
  /** The agent waits for a person: decline. `step` counts from the baseline. */
  | { readonly type: 'asks'; readonly step: number; readonly trajectoryId: string | null }
  /** `isIdle` false: the agent still works although there is nothing left to wait for. */
  | { readonly type: 'done'; readonly reason: FinishReason; readonly isIdle: boolean }
  | { readonly type: 'failed'; readonly failure: TurnFailure };

/**
 * `empty`: no text and no call; `cut`: the model's answer broke off; `permission`: it asked for one, which is never given; `step`: it reported an error, in its words;
 * `model`: the tap saw a model call go wrong.
 */
export interface TurnFailure {
  readonly type: 'empty' | 'cut' | 'permission' | 'step' | 'model';
  readonly text: string;
}

/** Says what becomes of a turn after each look at it. */
export interface TurnProgress {
  judge(reading: TurnReading): TurnVerdict;
}

/** How long the server must be quiet, with nothing changing, before something missing counts as missing. The executor may need a second to begin. */
const emptyMs = 5_000;
/** The same for an answer that no status says is done, but nothing says otherwise: some steps never get one. */
const unmarkedMs = 1_000;
/** The agent may try a cut answer again. */
const cutMs = 2_000;
/** The agent may correct an error by itself. */
const errorMs = 1_000;
/** A server whose status we cannot read is believed only when its steps have stood still. */
const unknownMs = 2_000;
/** A declined request for permission must be gone by then, and the agent at work again. */
const declinedMs = 2_000;
/** The calls are the client's: the agent gets this long to end its turn. */
const capturedMs = 10_000;

const goOn: TurnVerdict = { type: 'go-on' };

/** The completion rule of one turn (backends.md A.4), as a state machine without a clock. */
export function createTurnProgress(): TurnProgress {
  return new Progress();
}

class Progress implements TurnProgress {
  #print = '';
  #stillSince: number | null = null;
  #asked: { readonly step: number; readonly at: number } | null = null;
  #capturedAt: number | null = null;

  judge(reading: TurnReading): TurnVerdict {
    const stillMs = this.#measure(reading);
    if (reading.model?.hasClientCalls === true) return this.#judgeCaptured(reading, reading.model, stillMs);
    const waiting = reading.steps.findIndex((step) => step?.asksUser === true);
    if (waiting >= 0) return this.#judgeQuestion(reading, waiting);
    if (reading.run === 'running') return goOn;
    if ((reading.model?.running ?? 0) > 0) return goOn;
    return this.#judgeQuiet(reading, stillMs);
  }

  /** How long the server has been quiet without a change. */
  #measure({ at, run, steps, model }: TurnReading): number {
    const print = steps.map(printStep).join();
    const changed = print !== this.#print || run === 'running' || (model?.running ?? 0) > 0;
    this.#print = print;
    if (changed || this.#stillSince === null) this.#stillSince = at;
    return at - this.#stillSince;
  }

  #judgeQuestion({ at, steps }: TurnReading, step: number): TurnVerdict {
    if (this.#asked === null) {
      this.#asked = { step, at };
      return { type: 'asks', step, trajectoryId: steps[step]?.trajectoryId ?? null };
    }
    const isAnother = this.#asked.step !== step;
    return isAnother || at - this.#asked.at >= declinedMs ? failed('permission') : goOn;
  }

  /** The turn belongs to the client: nothing the agent says about it now matters, as long as it stops. */
  #judgeCaptured(reading: TurnReading, model: TapTurnState, stillMs: number): TurnVerdict {
    const { at, run, steps } = reading;
    this.#capturedAt ??= at;
    const isBlocked = steps.some((step) => step?.asksUser === true);
    // Some steps never get their last status; an agent that is at rest for so long works on none of them.
    const isOver = !steps.some(isBusyStep) || (!isBlocked && stillMs >= unmarkedMs);
    const isIdle = run === 'quiet' && model.running === 0 && isOver;
    if (!isIdle && !isBlocked && at - this.#capturedAt < capturedMs) return goOn;
    if (model.failure !== null) return failed('model', model.failure.message);
    return { type: 'done', reason: model.finish ?? 'stop', isIdle };
  }

  #judgeQuiet(reading: TurnReading, stillMs: number): TurnVerdict {
    const outlook = assess(reading);
    switch (outlook.type) {
      case 'answered':
        if (reading.run === 'unknown' && stillMs < unknownMs) return goOn;
        return { type: 'done', reason: outlook.reason, isIdle: true };
      case 'broken':
        return stillMs < (outlook.failure.type === 'cut' ? cutMs : errorMs) ? goOn : { type: 'failed', failure: outlook.failure };
      case 'open':
        return stillMs < this.#patience(reading) ? goOn : this.#giveUp(reading);
    }
  }

  #patience({ steps }: TurnReading): number {
    if (this.#asked !== null) return declinedMs;
    return looksOver(steps) ? unmarkedMs : emptyMs;
  }

  /** Nothing has moved for long, and yet the end cannot be seen in the steps: a tool that runs in the background, or a status that never came. */
  #giveUp({ steps, model }: TurnReading): TurnVerdict {
    if (this.#asked !== null) return failed('permission');
    const last = lastAnswer(steps)?.step;
    // What the tap saw end well is whole, whatever the step says.
    if (last !== undefined && isActiveStep(last) && (model?.finish ?? null) === null) return failed('cut');
    if (!hasText(steps, model)) return failed('empty');
    return { type: 'done', reason: reasonOf(last, model), isIdle: true };
  }
}

type Outlook =
  | { readonly type: 'answered'; readonly reason: FinishReason }
  | { readonly type: 'broken'; readonly failure: TurnFailure }
  | { readonly type: 'open' };

/** What the model and the steps of a quiet server say. */
function assess(reading: TurnReading): Outlook {
  return assessModel(reading.model) ?? assessSteps(reading);
}

/** How the model ended is known from itself where there is a tap; an error step that says so, too, is no other news. Null: well, or not known. */
function assessModel(model: TapTurnState | null): Outlook | null {
  if (model === null) return null;
  const { failure, finish } = model;
  if (failure !== null) return { type: 'broken', failure: { type: 'model', text: failure.message } };
  return finish === null || finish === 'stop' ? null : { type: 'answered', reason: finish };
}

function assessSteps({ steps, model }: TurnReading): Outlook {
  const last = lastAnswer(steps);
  const error = steps.findLastIndex((step) => step?.kind === 'error');
  const errorStep = steps[error];
  if (errorStep && error > (last?.index ?? -1)) return { type: 'broken', failure: { type: 'step', text: errorStep.text } };
  if (last === null) return { type: 'open' };
  if (isCutStep(last.step)) return { type: 'broken', failure: { type: 'cut', text: '' } };
  const reason = reasonOf(last.step, model);
  // A limit or a filter may leave no text at all: that is an answer too.
  const isAnswer = reason !== 'stop' || hasText(steps, model);
  return isAnswer && isLast(steps, last) ? { type: 'answered', reason } : { type: 'open' };
}

interface PlacedStep {
  readonly index: number;
  readonly step: CascadeStep;
}

/** The last thing the agent said, taken-back ones aside. */
function lastAnswer(steps: readonly (CascadeStep | null)[]): PlacedStep | null {
  const index = steps.findLastIndex((step) => step !== null && isSpeaking(step) && !isDeadStep(step));
  const step = steps[index];
  return step ? { index, step } : null;
}

/** Whether nothing is to follow: that step is done and calls no tool, no tool came after it, and nothing is being worked on. */
function isLast(steps: readonly (CascadeStep | null)[], last: PlacedStep): boolean {
  return last.step.status === 'DONE' && isUnfollowed(steps, last);
}

function isUnfollowed(steps: readonly (CascadeStep | null)[], { index, step }: PlacedStep): boolean {
  return !step.callsTools && !steps.some(isBusyStep) && !steps.slice(index + 1).some((later) => later?.kind === 'tool');
}

/** Whether the last answer has all of an end but a status. */
function looksOver(steps: readonly (CascadeStep | null)[]): boolean {
  const last = lastAnswer(steps);
  if (last === null || last.step.text === '' || !isUnfollowed(steps, last)) return false;
  return last.step.status === 'UNSPECIFIED' || last.step.status === 'UNKNOWN';
}

function hasText(steps: readonly (CascadeStep | null)[], model: TapTurnState | null): boolean {
  if (model?.hasOutput === true) return true;
  return steps.some(
    (step) =>
      step !== null && isSpeaking(step) && (model === null || step.kind === 'notice') && step.text !== '' && !isDeadStep(step),
  );
}

function isSpeaking({ kind }: CascadeStep): boolean {
  return kind === 'answer' || kind === 'notice';
}

function isBusyStep(step: CascadeStep | null): boolean {
  return step !== null && (isActiveStep(step) || step.asksUser);
}

/** Why the model stopped: as the tap saw it, else as the step says. */
function reasonOf(step: CascadeStep | undefined, model: TapTurnState | null): FinishReason {
  if (model !== null && model.finish !== null) return model.finish;
  const reason = step?.stopReason ?? '';
  if (/MAX_TOKENS|MAX_OUTPUT|LENGTH/.test(reason)) return 'length';
  return /SAFETY|FILTER|RECITATION|PROHIBITED|BLOCK/.test(reason) ? 'content-filter' : 'stop';
}

function failed(type: TurnFailure['type'], text = ''): TurnVerdict {
  return { type: 'failed', failure: { type, text } };
}

/** What changes when a step changes; lengths stand for texts. */
function printStep(step: CascadeStep | null): string {
  if (step === null) return '';
  const { kind, status, text, thinking, stopReason, callsTools, asksUser } = step;
  return [kind, status, text.length, thinking.length, stopReason, callsTools, asksUser].join(' ');
}
