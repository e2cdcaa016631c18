import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import { readChatError, toChatFailure } from '../chat/chat-error.ts';
import { AnswerItems, outputOf, type AnswerItemsOptions } from './answer-items.ts';
import { EventLinter } from './lint/event-linter.ts';
import { lintBody } from './lint/lint-body.ts';
import type { LintFault } from './lint/lint-rules.ts';
import { indexOf, wordOf } from './read-event.ts';
import { toRepairLoss } from './repair-losses.ts';
import { mapEnding, type ResponsesEnding } from './responses-ending.ts';
import { readResponsesUsage } from './responses-usage.ts';

export interface FromResponsesOptions extends AnswerItemsOptions {
  /** What of a server's error text may go to a client; without it none does. */
  readonly cleanMessage?: (text: string) => string | undefined;
}

/** A Stage that also says when the model is done (the contract of `backends/upstream/turn-stage`). */
export interface ResponsesTurnStage extends Stage<unknown, ModelEvent> {
  readonly settled: boolean;
  /** How often the server has broken a rule. */
  readonly faults: number;
  /** So many events are told together with the one that is pushed next. */
  skip(events: number): void;
}

/**
 * Events of a Responses stream → what the model did; a whole (unstreamed) response is one chunk. The linter reads along: every rule of the grammar that the server breaks is one loss, and
 * the reading does not depend on any of them. Nothing that was shown is taken back; an answer without a terminal event has failed, and a call ends only with whole arguments.
 */
export function fromResponsesChunks(options: FromResponsesOptions): ResponsesTurnStage {
  return new ResponsesTurn(options);
}

class ResponsesTurn implements ResponsesTurnStage {
  faults = 0;
  readonly #items: AnswerItems;
  readonly #linter = new EventLinter('wire');
  readonly #cleanMessage: (text: string) => string | undefined;
  /** Faults of what had no type. They are told with the next event: a body that is no response at all must be nothing but a failure. */
  readonly #strays: LintFault[] = [];
  #hasModel = false;
  #hasEvents = false;
  #hasChunks = false;
  #isOver = false;

  constructor(options: FromResponsesOptions) {
    this.#items = new AnswerItems(options);
    this.#cleanMessage = options.cleanMessage ?? (() => undefined);
  }

  get settled(): boolean {
    return this.#isOver;
  }

  skip(events: number): void {
    this.#linter.skip(events);
  }

  push(chunk: unknown): readonly ModelEvent[] {
    if (this.#isOver) return [];
    this.#hasChunks = true;
    try {
      this.#read(chunk);
    } catch (thrown) {
      // So that what came before in the same chunk is not lost.
      this.#fail(GatewayError.from(thrown));
    }
    return this.#items.floor.take();
  }

  end(): readonly ModelEvent[] {
    if (this.#isOver) return [];
    this.#fail(
      this.#hasChunks && !this.#hasEvents
        ? new GatewayError(
            'upstream_invalid_response',
            "The model server answered with JSON that is no response of OpenAI's Responses API.",
          )
        : new GatewayError('upstream_truncated', 'The model server ended the answer without saying that it was finished.'),
    );
    return this.#items.floor.take();
  }

  #read(chunk: unknown): void {
    if (isJsonObject(chunk) && typeof chunk['type'] !== 'string') {
      this.#readUntyped(chunk);
      return;
    }
    if (this.#strays.length > 0) this.#report(this.#strays.splice(0));
    this.#report(this.#linter.push(chunk));
    if (!isJsonObject(chunk) || typeof chunk['type'] !== 'string') return;
    const { type } = chunk;
    this.#hasEvents ||= type.startsWith('response.') || type === 'error';
    if (!this.#readDelta(type, chunk) && !this.#readItem(type, chunk)) this.#readLifecycle(type, chunk);
  }

  #report(faults: readonly LintFault[]): void {
    for (const { rule, severity } of faults) {
      if (severity === 'fault') this.faults += 1;
      const loss = toRepairLoss(rule);
      if (loss !== null) this.#items.floor.lose(loss);
    }
  }

  /** A whole response, an error, or something else altogether. */
  #readUntyped(chunk: JsonObject): void {
    const isResponse = (chunk['object'] ?? 'response') === 'response' && Array.isArray(chunk['output']);
    if (isResponse && chunk['status'] !== 'failed') {
      this.#hasEvents = true;
      this.#readBody(chunk);
      return;
    }
    const error = readChatError(chunk);
    if (error !== null || isResponse) this.#failWith(chunk);
    else this.#strays.push(...this.#linter.push(chunk));
  }

  #readBody(response: JsonObject): void {
    const { status } = response;
    // A body is whole, whatever word a server has for that.
    const isWaiting = status === 'queued' || status === 'in_progress';
    const ending = mapEnding(isWaiting ? 'waiting' : 'completed', response);
    if (ending === null) {
      this.#fail(
        new GatewayError('upstream_invalid_response', 'The model server answered with a response that is not finished.'),
      );
    } else if (ending.type === 'failure') this.#failWith(response);
    else {
      this.#report(lintBody(response));
      this.#readResponse(response);
      this.#items.completeAll(outputOf(response));
      this.#finish(ending);
    }
  }

  /** Text in all its forms: most of every stream. False when the event is none. */
  #readDelta(type: string, event: JsonObject): boolean {
    switch (type) {
      case 'response.output_text.delta':
        this.#items.message(event).textDelta(event);
        return true;
      case 'response.function_call_arguments.delta':
        this.#items.call(event).delta(event);
        return true;
      case 'response.reasoning_summary_text.delta':
        this.#items.reasoning(event).delta(event, 'summary');
        return true;
      case 'response.reasoning_text.delta':
      case 'response.reasoning.delta':
        this.#items.reasoning(event).delta(event, 'content');
        return true;
      case 'response.refusal.delta':
        this.#items.message(event).refusalDelta(event);
        return true;
      default:
        return false;
    }
  }

  /** Beginnings and ends. False when the event is none. */
  #readItem(type: string, event: JsonObject): boolean {
    switch (type) {
      case 'response.output_item.added':
        if (isJsonObject(event['item'])) this.#items.add(event['item'], indexOf(event, 'output_index'));
        return true;
      case 'response.output_item.done':
        if (isJsonObject(event['item'])) this.#items.complete(event['item'], indexOf(event, 'output_index'));
        return true;
      case 'response.function_call_arguments.done':
        this.#items.call(event).argumentsDone(event);
        return true;
      case 'response.content_part.added':
      case 'response.reasoning_summary_part.added':
        return true;
      case 'response.content_part.done':
        if (isReasoningPart(event)) this.#items.reasoning(event).partDone(event, 'content');
        else this.#items.message(event).partDone(event);
        return true;
      default:
        return this.#readTextDone(type, event);
    }
  }

  #readTextDone(type: string, event: JsonObject): boolean {
    switch (type) {
      case 'response.output_text.done':
        this.#items.message(event).textDone(event);
        return true;
      case 'response.output_text.annotation.added':
        this.#items.message(event).annotation(event);
        return true;
      case 'response.refusal.done':
        this.#items.message(event).refusalDone(event);
        return true;
      case 'response.reasoning_summary_text.done':
        this.#items.reasoning(event).textDone(event, 'summary');
        return true;
      case 'response.reasoning_summary_part.done':
        this.#items.reasoning(event).partDone(event, 'summary');
        return true;
      case 'response.reasoning_text.done':
      case 'response.reasoning.done':
        this.#items.reasoning(event).textDone(event, 'content');
        return true;
      default:
        return false;
    }
  }

  #readLifecycle(type: string, event: JsonObject): void {
    const response = isJsonObject(event['response']) ? event['response'] : {};
    switch (type) {
      case 'error':
        return this.#failWith(event);
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.#readResponse(response);
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        return this.#readTerminal(type, response, event);
    }
  }

  #readTerminal(type: string, response: JsonObject, event: JsonObject): void {
    const ending = mapEnding(type.slice('response.'.length), response) ?? { type: 'failure' };
    this.#report(this.#linter.end());
    this.#readResponse(response);
    this.#items.completeAll(outputOf(response));
    const isBeside = readChatError(response) === null && readChatError(event) !== null;
    if (ending.type === 'failure') this.#failWith(isBeside ? event : response);
    else this.#finish(ending);
  }

  /** The members of a response object that any event may bring. */
  #readResponse(response: JsonObject): void {
    const { floor } = this.#items;
    const model = wordOf(response, 'model');
    if (model !== undefined && !this.#hasModel) {
      this.#hasModel = true;
      floor.emit({ type: 'served-model', model });
    }
    const usage = readResponsesUsage(response['usage']);
    if (usage !== null) floor.emit({ type: 'usage', usage });
  }

  #finish({ reason, isUnsure }: Extract<ResponsesEnding, { type: 'finish' }>): void {
    const { floor } = this.#items;
    const calls = this.#items.finishCalls();
    if (calls === 'nameless') {
      this.#fail(new GatewayError('upstream_invalid_response', 'The model server sent a function call without a name.'));
      return;
    }
    if (calls === 'cut' && reason === 'stop') {
      const message = 'The model server reported a finished answer, but a function call in it was cut off.';
      this.#fail(new GatewayError('upstream_truncated', message));
      return;
    }
    if (isUnsure)
      floor.lose({
        path: 'status',
        action: 'estimated',
        reason: 'the model server did not say why it stopped early; it was taken for the limit of output tokens',
      });
    floor.emit({ type: 'finish', reason });
    this.#isOver = true;
  }

  #failWith(said: JsonObject): void {
    const report = readChatError(said);
    if (report !== null) this.#fail(toChatFailure(report, this.#cleanMessage));
    else if (said['status'] === 'cancelled')
      this.#fail(new GatewayError('upstream_error', 'The model server cancelled the answer.'));
    else this.#fail(new GatewayError('upstream_error', 'The model server reported that the answer failed, but not why.'));
  }

  #fail(error: GatewayError): void {
    this.#isOver = true;
    this.#items.floor.emit({ type: 'failure', error });
  }
}

function isReasoningPart({ part }: JsonObject): boolean {
  return isJsonObject(part) && part['type'] === 'reasoning_text';
}
