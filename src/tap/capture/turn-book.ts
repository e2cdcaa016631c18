import type { GatewayError } from '../../model/errors.ts';
import type { Loss } from '../../model/loss.ts';
import type { FinishReason, ModelEvent, TokenUsage } from '../../model/model-event.ts';
import type { TapTurn, TapTurnSettings, TapTurnState } from '../../model/model-tap.ts';
import type { CaptureSink } from '../capture-answer.ts';
import type { Marks } from '../marks.ts';
import { spanOfTurn } from '../rewrite/span-of-turn.ts';
import { addUsage } from './add-usage.ts';
import type { ThoughtSink } from './collect-thoughts.ts';

export interface TurnBookOptions {
  readonly turn: string;
  readonly settings: TapTurnSettings;
  readonly marks: Marks;
  /** Called once. */
  readonly onClose: () => void;
}

/** One main call on its way: what it did waits until the calls before it are over, so that two answers never mix. */
interface Lane {
  readonly waiting: (() => void)[];
  isOver: boolean;
}

/** The books of one turn: what its main calls did, in order. */
export class TurnBook implements TapTurn {
  readonly settings: TapTurnSettings;
  readonly #options: TurnBookOptions;
  readonly #stopped = new AbortController();
  readonly #lanes: Lane[] = [];
  readonly #losses = new Set<string>();
  #events: ModelEvent[] = [];
  #mainCalls = 0;
  #running = 0;
  #runningSubRequests = 0;
  #hasOutput = false;
  #hasThinking = false;
  #usage: TokenUsage = {};
  #finish: FinishReason | null = null;
  #failure: { readonly error: GatewayError; readonly isFinal: boolean } | null = null;
  #lateThinking = '';
  /** Who said the last text, who thought last, whose calls the client got. */
  #textLane: Lane | null = null;
  #thinkingLane: Lane | null = null;
  #callLane: Lane | null = null;

  constructor(options: TurnBookOptions) {
    this.settings = options.settings;
    this.#options = options;
  }

  get state(): TapTurnState {
    return {
      mainCalls: this.#mainCalls,
      running: this.#running,
      runningSubRequests: this.#runningSubRequests,
      hasClientCalls: this.#callLane !== null,
      hasOutput: this.#hasOutput,
      hasThinking: this.#hasThinking,
      thinkingTokens: this.#usage.reasoningTokens ?? 0,
      finish: this.#finish,
      failure: this.#failure?.error ?? null,
    };
  }

  /** Aborts when the turn closes. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Nothing the model could do now would still reach the client: the agent's loop has to end. */
  get isSettled(): boolean {
    return this.#callLane !== null || this.#failure?.isFinal === true;
  }

  markText({ block, text }: { readonly block: string; readonly text: string }): string {
    const { turn, settings, marks } = this.#options;
    const { span, isNeeded } = spanOfTurn(settings.request, settings.replayedItems);
    return marks.writeText(turn, { span: isNeeded || block !== '' ? span : null, block, text });
  }

  takeEvents(): readonly ModelEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  close(): void {
    if (this.stopped.aborted) return;
    this.#options.onClose();
    this.#stopped.abort();
  }

  /** A main call goes out. */
  openCall(losses: readonly Loss[]): CaptureSink {
    const lane: Lane = { waiting: [], isOver: false };
    this.#lanes.push(lane);
    this.#mainCalls += 1;
    this.#running += 1;
    this.#run(lane, () => {
      this.#reportLosses(losses);
    });
    return {
      report: (events) => {
        this.#run(lane, () => {
          for (const event of events) this.#report(lane, event);
        });
      },
      succeed: (reason, usage) => {
        this.#run(lane, () => {
          this.#succeed(reason, usage);
        });
      },
      fail: (error, isFinal) => {
        this.#run(lane, () => {
          if (this.#failure?.isFinal !== true) this.#failure = { error, isFinal };
        });
      },
      close: () => {
        this.#running -= 1;
        lane.isOver = true;
        this.#endLanes();
        this.#reportLateThinking();
        this.#notify();
      },
    };
  }

  /** A sub-request goes out. Only one that follows a main call can hold its thinking: what a title call thinks is about titles. */
  openSubRequest(): ThoughtSink {
    const isLate = this.#mainCalls > 0;
    this.#runningSubRequests += 1;
    this.#notify();
    return {
      report: (text) => {
        if (isLate && this.#lateThinking === '') this.#lateThinking = text;
        this.#reportLateThinking();
      },
      close: () => {
        this.#runningSubRequests -= 1;
        this.#notify();
      },
    };
  }

  #run(lane: Lane, step: () => void): void {
    if (this.#lanes[0] === lane) step();
    else lane.waiting.push(step);
    this.#notify();
  }

  #endLanes(): void {
    while (this.#lanes.at(0)?.isOver === true) {
      this.#lanes.shift();
      for (const step of this.#lanes.at(0)?.waiting.splice(0) ?? []) step();
    }
  }

  #report(lane: Lane, event: ModelEvent): void {
    // A model call beside the one whose calls the client got, or behind a failure that stays, has no reader any more.
    if ((this.#callLane !== null && this.#callLane !== lane) || this.#failure?.isFinal === true) return;
    switch (event.type) {
      case 'loss':
        this.#reportLosses([event.loss]);
        return;
      case 'text-delta':
        if (this.#textLane !== null && this.#textLane !== lane) this.#events.push({ type: 'message-break' });
        this.#textLane = lane;
        this.#thinkingLane = null;
        this.#hasOutput = true;
        break;
      case 'reasoning-delta':
        if (this.#thinkingLane !== null && this.#thinkingLane !== lane) this.#events.push({ type: 'reasoning-break' });
        this.#thinkingLane = lane;
        this.#hasThinking = true;
        break;
      case 'call-start':
        this.#callLane = lane;
        this.#thinkingLane = null;
        this.#hasOutput = true;
        break;
      default:
        break;
    }
    this.#events.push(event);
  }

  #succeed(reason: FinishReason, usage: TokenUsage | null): void {
    this.#finish = reason;
    if (this.#failure?.isFinal !== true) this.#failure = null;
    if (usage === null) return;
    this.#usage = addUsage(this.#usage, usage);
    this.#events.push({ type: 'usage', usage: this.#usage });
  }

  /** Each loss once: every main call of the turn is translated anew. */
  #reportLosses(losses: readonly Loss[]): void {
    for (const loss of losses) {
      const key = JSON.stringify(loss);
      if (!this.#losses.has(key)) this.#events.push({ type: 'loss', loss });
      this.#losses.add(key);
    }
  }

  /** Between two answers, never inside of one. */
  #reportLateThinking(): void {
    if (this.#lateThinking === '' || this.#hasThinking || this.#running > 0) return;
    this.#hasThinking = true;
    this.#events.push({ type: 'reasoning-delta', delta: this.#lateThinking });
  }

  #notify(): void {
    if (!this.stopped.aborted) this.settings.onChange();
  }
}
