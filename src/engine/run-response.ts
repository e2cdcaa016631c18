import { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { FinishReason, ModelEvent, TokenUsage, TurnEvent } from '../model/model-event.ts';
import type { ResponseEvent } from '../protocol/responses/event.ts';
import type { ResponseResource } from '../protocol/responses/response.ts';
import type { EngineDeps } from './deps.ts';
import { estimateInputTokens, estimateOutputTokens } from './estimate-tokens.ts';
import { addSpent } from './finish-response.ts';
import { encodeEventLog, type BuilderInput } from './model-event-log.ts';
import { Passage } from './passage.ts';
import type { PreparedResponse } from './prepare-response.ts';
import { ResponseBuilder, truncated } from './response-builder.ts';
import type { RouteReport } from './routing/route-report.ts';
import type { AcceptedCall } from './routing/routed-call.ts';
import { toStoredItem } from './stored-items.ts';
import { notFollowed, toReask, ToolGuard } from './tool-guard.ts';

export interface RunSignals {
  /** The client went away: break everything off, keep nothing. */
  readonly gone: AbortSignal;
  /** The request's whole time is over: end with what there is. */
  readonly deadline: AbortSignal;
}

/** A server that is asked in the client's words knows the client's `tool_choice`; what it does with it has been shown already. */
const unguarded = { toolChoice: { type: 'auto' }, parallelToolCalls: true, tools: [] } as const;

/** A model is asked at most twice within one response: the second time with an order to follow `tool_choice`. */
const maxAttempts = 2;

/**
 * One response, from the first event to the last: the only producer of Responses events. JSON drains `events`, SSE encodes it. Batches: one array per upstream read.
 *
 * - The first batch comes when the model server has accepted the call; whatever fails before is thrown by the first `next()` and becomes an HTTP status.
 * - Later failures become `response.failed`. The response is durable before its terminal event is yielded.
 * - When the client is gone the generator ends by throwing `gone.reason`; nothing is stored.
 */
export class ResponseRun {
  readonly events: AsyncGenerator<readonly ResponseEvent[]>;
  readonly #prepared: PreparedResponse;
  readonly #deps: EngineDeps;
  readonly #signals: RunSignals;
  readonly #signal: AbortSignal;
  readonly #builder: ResponseBuilder;
  readonly #states: Record<string, string> = {};
  /** What the builder was fed: kept for replay. */
  readonly #inputs: BuilderInput[] = [];
  /** One for each model call so far. */
  readonly #guards: ToolGuard[] = [];
  /** Counts of model calls that are over, when the model had to be asked again. */
  #spent: TokenUsage = {};
  /** Undefined until a model server has accepted the call. */
  #call: AcceptedCall | undefined;
  #begun = false;
  /** The events with which the response began. */
  #opening: readonly ResponseEvent[] = [];
  #passage: Passage | null = null;

  constructor(prepared: PreparedResponse, signals: RunSignals, deps: EngineDeps) {
    this.#prepared = prepared;
    this.#deps = deps;
    this.#signals = signals;
    this.#signal = AbortSignal.any([signals.gone, signals.deadline]);
    this.#builder = new ResponseBuilder(prepared.response, {
      newId: deps.newId,
      completedAt: () => Math.floor(deps.now() / 1000),
      seal: (itemId, states) => {
        const sealed = deps.envelope.seal(states, prepared.context.owner);
        this.#states[itemId] = sealed;
        return prepared.showsState ? sealed : undefined;
      },
    });
    this.events = this.#run();
  }

  /** Why the response failed; null when it did not (yet). A delivery that has sent nothing can still turn it into an HTTP status. */
  get failure(): GatewayError | null {
    return this.#builder.failure;
  }

  /** Whether the response has come to its end, so that `response` can be read. */
  get isEnded(): boolean {
    return this.#builder.isEnded;
  }

  /** The response as its terminal event shows it. Only when `isEnded`. */
  get response(): ResponseResource {
    return this.#builder.response;
  }

  /** Which model answered, as the backend reported it; null when it did not say. */
  get servedModel(): string | null {
    return this.#builder.servedModel;
  }

  /** Which of the request's `stop` ended the answer; null: none did. */
  get stopSequence(): string | null {
    return this.#builder.stopSequence;
  }

  /** Where the request went, and what came of it there. */
  get route(): RouteReport {
    return this.#prepared.call.report;
  }

  /** Which model answers, as `backend/model`; before one does, the one that was asked for. */
  get model(): string {
    return this.route.answeredBy ?? this.#prepared.response.model;
  }

  /** The answer in the server's own bytes, which speak the client's dialect; null: it is to be written. Known with the first batch. */
  get passage(): Passage | null {
    return this.#passage;
  }

  /** The bytes since the last time; null: there are none. */
  takeNative(): Uint8Array | null {
    return this.#passage?.take() ?? null;
  }

  /** Everything that did not survive so far: of the request, on its way to the model that answers, and of the answer. */
  get losses(): readonly Loss[] {
    const asked = this.#call?.isNative === true ? [] : [...this.#prepared.losses, ...(this.#call?.losses ?? [])];
    return [...asked, ...this.lateLosses];
  }

  /** Losses that were found only while the model answered. */
  get lateLosses(): readonly Loss[] {
    return [...this.#guards.flatMap(({ losses }) => losses), ...this.#builder.losses];
  }

  /**
   * A real event, correctly numbered, for clients whose idle timer ignores comments: an empty delta, or `response.in_progress` with what there is (clients.md §11.2). To be sent at once.
   * Empty before the first batch and after the end, and where the server's own bytes go on.
   */
  keepAlive(): readonly ResponseEvent[] {
    if (!this.#begun || this.#builder.isEnded || this.#passage !== null) return [];
    return this.#feed([{ type: 'keep-alive' }]);
  }

  async *#run(): AsyncGenerator<readonly ResponseEvent[]> {
    try {
      let closing: readonly ResponseEvent[];
      try {
        closing = yield* this.#runAttempts();
      } catch (thrown) {
        this.#signals.gone.throwIfAborted();
        if (!this.#begun) throw this.#toError(thrown);
        closing = this.#feed(await this.#toEnding(thrown));
      }
      if (!this.#builder.isEnded) closing = this.#feed([failureOf(truncated())]);
      this.#signals.gone.throwIfAborted();
      await this.#save();
      // One batch, one socket write: what closes the last item and the terminal event.
      yield this.#toLast(closing);
    } finally {
      this.#prepared.leave();
    }
  }

  /** Returns the events that close the response; they go out together with its terminal event. */
  async *#runAttempts(): AsyncGenerator<readonly ResponseEvent[], readonly ResponseEvent[]> {
    const call = (this.#call = await this.#prepared.call.open(this.#signal));
    let { request, batches } = call;
    for (let attempt = 1; ; attempt++) {
      const guard = new ToolGuard(call.isNative ? unguarded : request);
      this.#guards.push(guard);
      yield* this.#runTurn(batches, guard);
      if (guard.finish === undefined || this.#builder.isEnded) return [];
      const verdict = guard.judge({ isLast: attempt === maxAttempts });
      if (verdict === 'refuse') return this.#feed([failureOf(notFollowed(request.toolChoice))]);
      if (verdict === 'accept') return this.#feed(await this.#finish(guard.finish));
      this.#spent = this.#builder.usage;
      request = toReask(request);
      batches = (await call.target.backend.prepareTurn(request)).stream(this.#signal);
    }
  }

  /** One call to the model server. The only loop over a model's events: no await and no allocation per event beyond the event itself. */
  async *#runTurn(batches: AsyncIterable<readonly TurnEvent[]>, guard: ToolGuard): AsyncGenerator<readonly ResponseEvent[]> {
    for await (const batch of batches) {
      const begin = this.#begun ? [] : (this.#opening = this.#builder.begin(this.model));
      this.#begun = true;
      const read = this.#read(batch, guard);
      const events = begin.length === 0 ? read : [...begin, ...read];
      if (events.length > 0 || this.#passage !== null) yield this.#toShown(events);
      // Nothing that comes now could still be used; leaving breaks the call off.
      if (this.#builder.isEnded) return;
    }
  }

  /** What the builder makes of a batch. */
  #read(batch: readonly TurnEvent[], guard: ToolGuard): readonly ResponseEvent[] {
    const inputs: BuilderInput[] = [];
    let [at, resumedAt] = [0, -1];
    for (const event of batch) {
      at += 1;
      if (event.type === 'native-break') resumedAt = at;
      else if (event.type === 'native-head') this.#passOn(event);
      else if (event.type === 'native') this.#passage?.add(event);
      else if (resumedAt === -1 && guard.accepts(event)) inputs.push(this.#withSpent(event));
    }
    const events = this.#feed(inputs);
    // What stands in front of the break has been shown by the server.
    return resumedAt === -1 ? events : this.#resume(batch.slice(resumedAt), guard);
  }

  #passOn(head: Extract<TurnEvent, { type: 'native-head' }>): void {
    this.#passage = new Passage(head);
    if (this.#passage.showsAll) this.#builder.trustCalls();
  }

  #resume(rest: readonly TurnEvent[], guard: ToolGuard): readonly ResponseEvent[] {
    this.#passage?.resume(this.#builder.output);
    return [
      ...this.#opening,
      ...this.#read(
        rest.filter(({ type }) => type !== 'native'),
        guard,
      ),
    ];
  }

  #toShown(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
    if (this.#passage === null) return events;
    const shown = this.#passage.toShown(events);
    const fault = this.#builder.isEnded ? null : this.#passage.fault;
    if (fault !== null) this.#feed([failureOf(fault)]);
    return shown;
  }

  /** The events that end the response. A failure that the server's bytes do not show is told in our words, where the dialect allows it. */
  #toLast(closing: readonly ResponseEvent[]): readonly ResponseEvent[] {
    const passage = this.#passage;
    if (passage === null) return [...closing, ...this.#builder.end()];
    if (this.failure !== null && !passage.isEnd) passage.resume(this.#builder.output);
    const events = passage.toShown(passage.isResumed ? [...this.#opening, ...closing] : closing);
    passage.settle({ isWhole: this.response.status === 'completed' });
    const fault = this.failure === null ? passage.fault : null;
    if (fault !== null) this.#feed([failureOf(fault)]);
    return [...events, ...passage.toShown(this.#builder.end())];
  }

  #withSpent(event: ModelEvent): ModelEvent {
    return event.type === 'usage' ? { type: 'usage', usage: addSpent(event.usage, this.#spent) } : event;
  }

  #feed(inputs: readonly BuilderInput[]): readonly ResponseEvent[] {
    for (const input of inputs) this.#inputs.push(input);
    return this.#builder.push(inputs);
  }

  /** The end of a turn; with counted tokens when the backend reported none, because several clients loop for ever without usage. */
  async #finish(reason: FinishReason): Promise<readonly BuilderInput[]> {
    const { usage } = this.#builder;
    if (usage.inputTokens !== undefined && usage.outputTokens !== undefined) return [{ type: 'finish', reason }];
    return [...(await this.#estimateUsage(usage)), { type: 'finish', reason }];
  }

  async #estimateUsage(usage: TokenUsage): Promise<readonly BuilderInput[]> {
    const count = this.#deps.countTextTokens;
    const asked = this.#call?.request;
    const said = await estimateOutputTokens(this.#builder.output, count);
    const estimated: TokenUsage = {
      inputTokens: usage.inputTokens ?? (asked === undefined ? 0 : await estimateInputTokens(asked, count)),
      outputTokens: usage.outputTokens ?? said.output,
      reasoningTokens: usage.reasoningTokens ?? said.reasoning,
    };
    const loss: Loss = {
      path: 'usage',
      action: 'estimated',
      reason: 'the model server reported no usage; a general tokenizer counted',
    };
    return [
      { type: 'usage', usage: estimated },
      { type: 'loss', loss },
    ];
  }

  /** Our own deadline keeps what there is; with nothing to keep, or in the middle of the server's own bytes, it is a failure like every other. */
  async #toEnding(thrown: unknown): Promise<readonly BuilderInput[]> {
    const { output } = this.#builder;
    const isOurs = this.#passage?.resume(output) ?? true;
    if (isOurs && this.#signals.deadline.aborted && output.length > 0) return this.#finish('timeout');
    return [failureOf(this.#toError(thrown))];
  }

  #toError(thrown: unknown): GatewayError {
    if (!this.#signals.deadline.aborted) return GatewayError.from(thrown);
    const message = 'The model did not answer within the time this request had.';
    return new GatewayError('upstream_timeout', message, { cause: thrown, isFinal: true });
  }

  async #save(): Promise<void> {
    const { response, context, ownInput, session } = this.#prepared;
    if (!response.store) return;
    try {
      await this.#deps.store.saveResponse({
        id: response.id,
        owner: context.owner,
        createdAt: response.created_at,
        previousResponseId: session.previousResponseId,
        conversation: session.conversation,
        response: this.#builder.response,
        input: ownInput.map((item) => toStoredItem(item, this.#deps.newId)),
        states: this.#states,
        events: encodeEventLog(this.#inputs),
        losses: this.losses,
      });
    } catch (thrown) {
      // What could not be stored must not be called complete: the client relies on it with its next request.
      this.#feed([failureOf(GatewayError.from(thrown))]);
    }
  }
}

function failureOf(error: GatewayError): ModelEvent {
  return { type: 'failure', error };
}
