import type { GatewayError } from '../../model/errors.ts';
import type { Loss } from '../../model/loss.ts';
import type { FinishReason, ModelEvent } from '../../model/model-event.ts';
import type { TapTurnState } from '../../model/model-tap.ts';
import { toCascadeUsage } from '../../translate/cascade/cascade-usage.ts';
import { createCascadeSteps, type CascadeStepsStage, type WrittenSteps } from '../../translate/cascade/from-cascade-steps.ts';
import { hasUnseenAnswer } from '../../translate/cascade/has-unseen-answer.ts';
import { toPlainLosses } from '../../translate/cascade/to-cascade-losses.ts';
import { createTurnProgress, type TurnProgress } from '../../translate/cascade/turn-progress.ts';
import type { CascadeRun } from './cascade-run.ts';
import { LateThinking } from './late-thinking.ts';
import { RunReader, type RunReading } from './run-reader.ts';
import { keepSession } from './keep-session.ts';
import type { SentTurn } from './send-turn.ts';
import { notTapped, toTurnError } from './to-turn-error.ts';
import type { TurnContext } from './turn-context.ts';

export interface FollowerOptions {
  readonly context: TurnContext;
  readonly run: CascadeRun;
  readonly sent: SentTurn;
  readonly signal: AbortSignal;
  /** Aborts with `signal`, and when the turn is over. */
  readonly reading: AbortSignal;
}

interface Ending {
  readonly reason: FinishReason;
  readonly isIdle: boolean;
}

/**
 * From the accepted message to the end of the turn. With a tap the events come from the tap, the steps tell how the agent is, and only what they say that was no model call is an
 * event; without one, or when the tap saw nothing, the events come from the steps.
 */
export class RunFollower {
  readonly #options: FollowerOptions;
  readonly #reader: RunReader;
  readonly #stage: CascadeStepsStage;
  readonly #progress: TurnProgress = createTurnProgress();
  readonly #lateThinking: LateThinking;
  #latest: RunReading | null = null;
  #ending: Ending | null = null;
  #error: GatewayError | null = null;
  #wasModelRunning = false;
  /** All text that the tap saw. */
  #said = '';

  constructor(options: FollowerOptions) {
    const { context, run, sent, reading } = options;
    const { server, request, now, wait } = context;
    const { cascadeId, baseline, updates, tapTurn } = sent;
    this.#options = options;
    this.#stage = createCascadeSteps({ model: request.model, isStreamed: request.stream && tapTurn === null });
    this.#lateThinking = new LateThinking({ now, wait, onTime: run.wake.ring, signal: reading });
    this.#reader = new RunReader({
      ...{ server, cascadeId, baseline, updates, tapTurn, now, wait },
      isNew: sent.session === null,
      onChange: run.wake.ring,
      signal: reading,
    });
  }

  async *follow(): AsyncGenerator<readonly ModelEvent[]> {
    const { run, signal } = this.#options;
    for (;;) {
      await run.wake.next();
      const events = this.#takeEvents();
      if (signal.aborted) {
        const left = [...events, ...this.#stage.breakOff(this.#writtenSteps())];
        if (left.length > 0) yield left;
        signal.throwIfAborted();
      }
      if (events.length > 0) yield events;
      const error = this.#error ?? (this.#ending === null ? this.#reader.trouble : null);
      if (error !== null) throw error;
      if (this.#ending !== null && !this.#mustWait()) {
        yield await this.#finish(this.#ending);
        return;
      }
    }
  }

  /** What has happened since the last time; also decides whether the turn is over. */
  #takeEvents(): readonly ModelEvent[] {
    this.#wakeReader();
    const reading = this.#reader.take();
    const events = this.#takeModelEvents();
    if (reading === null) return events;
    this.#latest = reading;
    if (this.#ending === null) this.#judge(reading);
    return [...events, ...this.#stage.push(reading.steps)];
  }

  #takeModelEvents(): readonly ModelEvent[] {
    const events = this.#options.run.takeEvents();
    for (const event of events) if (event.type === 'text-delta') this.#said += event.delta;
    return events;
  }

  /** The end of a model call is news about the cascade too. */
  #wakeReader(): void {
    const isRunning = (this.#options.sent.tapTurn?.state.running ?? 0) > 0;
    if (this.#wasModelRunning && !isRunning) this.#reader.hurry();
    this.#wasModelRunning = isRunning;
  }

  #judge(reading: RunReading): void {
    const { name, server } = this.#options.context;
    const verdict = this.#progress.judge(reading);
    switch (verdict.type) {
      case 'go-on':
        return;
      case 'asks':
        this.#decline(verdict.step, verdict.trajectoryId ?? reading.trajectoryId);
        return;
      case 'failed':
        this.#error = toTurnError(verdict.failure, {
          ...{ backendName: name, server, model: reading.model },
          tapName: this.#options.context.tap?.name ?? null,
        });
        return;
      case 'done':
        if (verdict.isIdle) this.#lateThinking.begin();
        this.#ending = verdict;
        return;
    }
  }

  /** Nobody is there to ask, so the answer is no. Whether the agent understood shows in the steps. */
  #decline(step: number, trajectoryId: string | null): void {
    const { context, run, sent, reading } = this.#options;
    if (trajectoryId === null) return;
    const place = { cascadeId: sent.cascadeId, trajectoryId, stepIndex: sent.baseline.steps + step };
    void context.server.declineInteraction(place, reading).then(run.wake.ring, run.wake.ring);
  }

  /** Whether thinking text is owed and may still come. */
  #mustWait(): boolean {
    const { context, sent } = this.#options;
    const { hasThinking, tokens, isBeingMade } = this.#thinkingSoFar(sent.tapTurn?.state);
    const isExpected = context.request.reasoning.summary !== null || tokens > 0;
    return isExpected && !hasThinking && this.#lateThinking.mayCome(isBeingMade);
  }

  #thinkingSoFar(state: TapTurnState | undefined): { hasThinking: boolean; tokens: number; isBeingMade: boolean } {
    if (state !== undefined && state.mainCalls > 0) {
      return { hasThinking: state.hasThinking, tokens: state.thinkingTokens, isBeingMade: state.runningSubRequests > 0 };
    }
    return { hasThinking: this.#stage.hasThinking, tokens: this.#stepUsage()?.reasoningTokens ?? 0, isBeingMade: false };
  }

  async #finish({ reason, isIdle }: Ending): Promise<readonly ModelEvent[]> {
    const { context, run, sent, signal } = this.#options;
    const taken = this.#takeModelEvents();
    const missed = this.#checkTap();
    const state = sent.tapTurn?.state;
    if (state !== undefined && state.failure !== null) throw state.failure;
    const events: ModelEvent[] = [...taken, ...this.#stage.end(this.#writtenSteps()), ...this.#toNumbers()];
    const kept = isIdle ? await keepSession(context, sent, signal) : [];
    if (isIdle) run.release();
    else run.abandon();
    return [...events, ...[...missed, ...kept].map((loss) => ({ type: 'loss', loss }) as const), { type: 'finish', reason }];
  }

  /** A tap that saw nothing: what only it could have done makes the turn fail, everything else is a loss. One that missed the end has no whole answer. */
  #checkTap(): readonly Loss[] {
    const { request, tap, name } = this.#options.context;
    if (tap === null) return [];
    if (this.#hasModelCalls()) {
      if (this.#missesAnswer()) throw notTapped(name, tap.name);
      return [];
    }
    if (request.tools.length > 0 || request.input.some(({ type }) => type === 'call-output')) throw notTapped(name, tap.name);
    const lost = toPlainLosses(request, []).map((loss): Loss => ({ ...loss, action: 'dropped', reason: unseen }));
    return [{ path: 'model', action: 'emulated', reason: unseen }, ...lost];
  }

  #missesAnswer(): boolean {
    const { mainCalls = 0, hasClientCalls = false, failure = null } = this.#options.sent.tapTurn?.state ?? {};
    if (hasClientCalls || failure !== null) return false;
    return hasUnseenAnswer(this.#latest?.steps ?? [], { mainCalls, said: this.#said });
  }

  #hasModelCalls(): boolean {
    return (this.#options.sent.tapTurn?.state.mainCalls ?? 0) > 0;
  }

  #writtenSteps(): WrittenSteps {
    return this.#hasModelCalls() ? 'notices' : 'all';
  }

  /** Usage and the model's name, unless the tap has them from the model itself. */
  #toNumbers(): readonly ModelEvent[] {
    if (this.#hasModelCalls()) return [];
    const usage = this.#stepUsage();
    const served = this.#findServedModel();
    return [
      ...(served === null ? [] : [{ type: 'served-model', model: served } as const]),
      ...(usage === null ? [] : [{ type: 'usage', usage } as const]),
    ];
  }

  #stepUsage(): ReturnType<typeof toCascadeUsage> {
    return this.#latest === null ? null : toCascadeUsage(this.#latest.steps, this.#latest.generatorMetadata);
  }

  /** Agent servers fall back to other models by themselves. */
  #findServedModel(): string | null {
    const { model, models } = this.#options.sent;
    const served = this.#latest?.steps.findLast((step) => step?.kind === 'answer' && step.model !== null)?.model ?? null;
    if (served === null || served === model.enumName) return null;
    return models.find(({ enumName }) => enumName === served)?.id ?? served;
  }
}

const unseen = "the tap did not see this turn's model calls, so the answer was read from the agent server's steps";
