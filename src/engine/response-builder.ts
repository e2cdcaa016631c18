import { assertNever } from '../lib/never.ts';
import type { Stage } from '../lib/stage.ts';
import { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { ModelEvent, TokenUsage, UrlCitation } from '../model/model-event.ts';
import type { ResponseEvent, UnnumberedEvent } from '../protocol/responses/event.ts';
import type { OutputItem } from '../protocol/responses/items.ts';
import type { ResponseResource } from '../protocol/responses/response.ts';
import { toFinalResponse, type Ending } from './finish-response.ts';
import { CallWriter } from './items/call-writer.ts';
import type { ItemEnding, ItemPlace } from './items/item-writer.ts';
import { MessageWriter } from './items/message-writer.ts';
import { ReasoningWriter, type SealStates } from './items/reasoning-writer.ts';
import { writeWebSearch } from './items/web-search-call.ts';
import type { BuilderInput } from './model-event-log.ts';

export interface BuilderOptions {
  /** Id for a new item: `newId('msg')`; and `newId('call')`, right after that of its item, for a call whose own id is taken. */
  readonly newId: (prefix: string) => string;
  /** Unix seconds at which the response ended; asked once. */
  readonly completedAt: () => number;
  readonly seal: SealStates;
}

/**
 * Turns what a model did into the Responses protocol. The only code that numbers, indexes, names, opens and closes items. `begin()` sends created and in_progress; each pushed batch
 * sends what it brought; a pushed `finish` or `failure` closes what is open; `end()` sends the one terminal event. Deterministic: the same input gives the same events.
 */
export class ResponseBuilder implements Stage<readonly BuilderInput[], ResponseEvent> {
  readonly losses: Loss[] = [];
  #base: ResponseResource;
  readonly #options: BuilderOptions;
  readonly #output: OutputItem[] = [];
  #events: ResponseEvent[] = [];
  #sequence = 0;
  #open: MessageWriter | ReasoningWriter | CallWriter | undefined;
  /** Items are strictly sequential: what a model does beside an open call waits here until the call has ended. */
  #waiting: ModelEvent[] = [];
  #sourcesWithoutText: UrlCitation[] = [];
  readonly #callIds = new Set<string>();
  #usage: TokenUsage = {};
  #servedModel: string | null = null;
  #stopSequence: string | null = null;
  #ending: Ending | undefined;
  #final: ResponseResource | undefined;
  #isShownAlready = false;

  constructor(base: ResponseResource, options: BuilderOptions) {
    this.#base = base;
    this.#options = options;
  }

  /** What the model has reported so far. */
  get usage(): TokenUsage {
    return this.#usage;
  }

  /** Which model answered, as the backend reported it; null when it did not say. */
  get servedModel(): string | null {
    return this.#servedModel;
  }

  /** Which of the request's `stop` ended the answer; null: none did. */
  get stopSequence(): string | null {
    return this.#stopSequence;
  }

  /** True once a `finish` or `failure` was pushed. */
  get isEnded(): boolean {
    return this.#ending !== undefined;
  }

  /** Why the response failed; null when it did not (yet). */
  get failure(): GatewayError | null {
    return this.#ending?.type === 'failure' ? this.#ending.error : null;
  }

  /** The items so far, an open one as it stands. */
  get output(): OutputItem[] {
    return this.#open === undefined ? [...this.#output] : [...this.#output, this.#open.snapshot()];
  }

  /** The response as its terminal event will show it. Only after a `finish` or `failure`. */
  get response(): ResponseResource {
    if (this.#ending === undefined) throw new Error('the response has not ended');
    this.#final ??= toFinalResponse(this.#base, {
      ending: this.#ending,
      output: this.#output,
      usage: this.#usage,
      completedAt: this.#options.completedAt(),
    });
    return this.#final;
  }

  /** `model`: which one answers, where that was open until now. */
  begin(model: string = this.#base.model): readonly ResponseEvent[] {
    if (model !== this.#base.model) this.#base = { ...this.#base, model };
    this.#emit({ type: 'response.created', response: this.#base });
    this.#emit({ type: 'response.in_progress', response: this.#base });
    return this.#take();
  }

  /** The client sees what the model did before we do: calls that are cut or broken are told as they are, and are no reason to fail. */
  trustCalls(): void {
    this.#isShownAlready = true;
  }

  push(batch: readonly BuilderInput[]): readonly ResponseEvent[] {
    for (const input of batch) this.#accept(input);
    return this.#take();
  }

  end(): readonly ResponseEvent[] {
    if (this.#ending === undefined) this.#accept({ type: 'failure', error: truncated() });
    const response = this.response;
    if (response.status !== 'in_progress') this.#emit({ type: `response.${response.status}`, response });
    return this.#take();
  }

  #accept(input: BuilderInput): void {
    if (input.type === 'failure') {
      this.#fail(input.error);
      return;
    }
    if (this.#ending !== undefined) return;
    if (this.#mustWait(input)) this.#waiting.push(input);
    else this.#apply(input);
  }

  /** Everything but the open call's own events, and what belongs to no item, waits for the end of the call. */
  #mustWait(input: Exclude<BuilderInput, { type: 'failure' }>): input is Exclude<ModelEvent, { type: 'failure' }> {
    if (this.#open?.kind !== 'call') return false;
    switch (input.type) {
      case 'call-delta':
      case 'call-end':
        return input.callId !== this.#open.callId;
      case 'usage':
      case 'served-model':
      case 'stop-sequence':
      case 'loss':
      case 'keep-alive':
      case 'finish':
        return false;
      default:
        return true;
    }
  }

  // A dispatch table: one line per kind of input.
  #apply(input: Exclude<BuilderInput, { type: 'failure' }>): void {
    switch (input.type) {
      case 'text-delta':
        return this.#message().text(input.delta, input.logprobs);
      case 'refusal-delta':
        return this.#message().refusal(input.delta);
      case 'reasoning-delta':
        return this.#reasoning('text').text(input.delta);
      case 'reasoning-break':
        return this.#open?.kind === 'reasoning' ? this.#open.break() : undefined;
      case 'reasoning-state':
        return this.#reasoning('state').state(input.state);
      case 'message-break':
        return this.#breakMessage();
      case 'call-start':
        return this.#startCall(input);
      case 'call-delta':
        return this.#open?.kind === 'call' ? this.#open.delta(input.delta) : undefined;
      case 'call-end':
        return this.#endCall();
      default:
        return this.#applyRest(input);
    }
  }

  #applyRest(
    input: Extract<
      BuilderInput,
      { type: 'annotation' | 'web-search' | 'usage' | 'served-model' | 'stop-sequence' | 'loss' | 'keep-alive' | 'finish' }
    >,
  ): void {
    switch (input.type) {
      case 'annotation':
        return this.#annotate(input.annotation);
      case 'web-search':
        this.#closeOpen('completed');
        this.#output.push(writeWebSearch(this.#place('ws'), input));
        return;
      case 'usage':
        this.#usage = { ...this.#usage, ...input.usage };
        return;
      case 'loss':
        this.losses.push(input.loss);
        return;
      case 'served-model':
        this.#servedModel = input.model;
        return;
      case 'stop-sequence':
        this.#stopSequence = input.sequence;
        return;
      case 'keep-alive':
        return this.#keepAlive();
      case 'finish':
        return this.#finish(input.reason);
      default:
        return assertNever(input, 'model event');
    }
  }

  #message(): MessageWriter {
    if (this.#open?.kind === 'message') return this.#open;
    this.#closeOpen('completed');
    const message = new MessageWriter(this.#place('msg'));
    this.#open = message;
    for (const source of this.#sourcesWithoutText.splice(0)) message.annotate(source);
    return message;
  }

  #breakMessage(): void {
    if (this.#open?.kind === 'message') this.#closeOpen('completed');
  }

  #reasoning(use: 'text' | 'state'): ReasoningWriter {
    // Signed thinking is one item: what is thought after its state begins the next one.
    if (this.#open?.kind === 'reasoning' && !(use === 'text' && this.#open.hasState)) return this.#open;
    this.#closeOpen('completed');
    const reasoning = new ReasoningWriter(this.#place('rs'), this.#options.seal);
    this.#open = reasoning;
    return reasoning;
  }

  #annotate(source: UrlCitation): void {
    if (this.#open?.kind === 'message') this.#open.annotate(source);
    else this.#sourcesWithoutText.push(source);
  }

  #startCall(call: { readonly callId: string; readonly name: string }): void {
    this.#closeOpen('completed');
    const place = this.#place('fc');
    // Two calls with one id could never be told apart again; some small servers number each call `call_0`.
    const shownId = this.#callIds.has(call.callId) ? this.#options.newId('call') : call.callId;
    this.#callIds.add(shownId);
    this.#open = new CallWriter(place, { ...call, shownId });
  }

  #endCall(): void {
    const call = this.#open;
    if (call?.kind !== 'call') return;
    const isWhole = call.checkArguments();
    if (!isWhole && !this.#isShownAlready) {
      this.#fail(
        new GatewayError('invalid_tool_arguments', 'The model called a function with arguments that are not a JSON object.'),
      );
      return;
    }
    this.#closeOpen('completed');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#accept(event);
  }

  #finish(reason: 'stop' | 'length' | 'content-filter' | 'timeout'): void {
    if (reason === 'stop' && this.#open?.kind === 'call' && !this.#isShownAlready) {
      this.#fail(
        new GatewayError(
          'upstream_truncated',
          'The model server reported a finished answer, but a function call in it was cut off.',
        ),
      );
      return;
    }
    if (reason === 'stop' && !this.#output.some(isAnswer) && this.#open?.kind !== 'message') this.#message();
    this.#dropWaiting();
    this.#closeOpen(reason === 'stop' ? 'completed' : 'incomplete');
    for (const source of this.#sourcesWithoutText.splice(0)) {
      this.losses.push({ path: 'output', action: 'dropped', reason: `the source ${source.url} belonged to no text` });
    }
    this.#ending = { type: 'finish', reason };
  }

  /** May follow a `finish`, as long as the terminal event was not sent: a response that could not be stored has failed. */
  #fail(error: GatewayError): void {
    if (this.#ending?.type === 'failure') return;
    this.#dropWaiting();
    this.#closeOpen('incomplete');
    this.#ending = { type: 'failure', error };
    this.#final = undefined;
  }

  /** What waited behind a call that was cut: an incomplete item has to be the last one, so it cannot be shown. */
  #dropWaiting(): void {
    if (this.#waiting.length > 0) {
      this.losses.push({
        path: 'output',
        action: 'dropped',
        reason: 'the answer was cut while several items were growing at once; only the first is kept',
      });
    }
    this.#waiting = [];
  }

  #keepAlive(): void {
    if (this.#open?.keepAlive() === true) return;
    this.#emit({ type: 'response.in_progress', response: { ...this.#base, output: this.output } });
  }

  #closeOpen(ending: ItemEnding): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#output.push(open.close(ending));
  }

  #place(prefix: string): ItemPlace {
    return { id: this.#options.newId(prefix), outputIndex: this.#output.length, emit: this.#emit };
  }

  readonly #emit = (event: UnnumberedEvent): void => {
    this.#events.push(Object.assign(event, { sequence_number: this.#sequence++ }));
  };

  #take(): readonly ResponseEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** The error of a stream that just stopped. */
export function truncated(): GatewayError {
  return new GatewayError('upstream_truncated', 'The model server ended the answer without saying that it was finished.');
}

/** What an agent can act on. A response without any would make several clients ask again for ever. */
function isAnswer(item: OutputItem): boolean {
  return item.type === 'message' || item.type === 'function_call';
}
