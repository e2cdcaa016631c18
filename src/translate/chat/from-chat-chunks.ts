import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { FinishReason, ModelEvent, UrlCitation } from '../../model/model-event.ts';
import type { ToolNames } from '../tool-names.ts';
import { readCitations, readLogprobs } from './chat-annotations.ts';
import { ChatCalls } from './chat-calls.ts';
import { readChatError, toChatFailure, type ChatErrorReport } from './chat-error.ts';
import { mapFinishReason } from './chat-finish.ts';
import type { ChatProfile } from './chat-profile.ts';
import { ChatReasoning, type ReasoningDelta } from './chat-reasoning.ts';
import { mapUsage } from './chat-usage.ts';
import { EchoFilter } from './echo-filter.ts';
import { readContent } from './read-content.ts';
import { reasoningReplay } from './reasoning-replay.ts';
import { ThinkTags } from './think-tags.ts';

export interface FromChatOptions {
  /** Makes ids for calls that came without one. */
  readonly newId: (prefix: string) => string;
  /** The upstream's model id; reasoning states are bound to it. */
  readonly model: string;
  readonly profile: ChatProfile;
  readonly toolNames: ToolNames;
  /** Some servers send logprobs unasked. */
  readonly wantsLogprobs?: boolean;
  /** What of a server's error text may go to a client; without it none does. */
  readonly cleanMessage?: (text: string) => string | undefined;
  /** Text of a last assistant message that the server will repeat (see `EchoFilter`). */
  readonly echo?: string;
}

/** A Stage that also says when the model is done and only usage may follow (the contract of `backends/upstream/turn-stage`). */
export interface ChatTurnStage extends Stage<unknown, ModelEvent> {
  readonly settled: boolean;
}

/**
 * Chat-completion chunks → what the model did. A whole (unstreamed) body is one chunk: `message` instead of `delta`. Reads loosely: nothing in an odd shape throws. The turn ends with
 * `finish` or `failure`, from `end()`; an error inside the stream fails it at once (parser rules: backends.md C).
 */
export function fromChatChunks(options: FromChatOptions): ChatTurnStage {
  return new ChatTurn(options);
}

class ChatTurn implements ChatTurnStage {
  readonly #reasoning: ChatReasoning;
  readonly #calls: ChatCalls;
  readonly #wantsLogprobs: boolean;
  readonly #echo: EchoFilter;
  readonly #cleanMessage: (text: string) => string | undefined;
  #thinkTags: ThinkTags | undefined;
  #events: ModelEvent[] = [];
  #open: 'nothing' | 'reasoning' | 'text' | 'call' = 'nothing';
  #citations: UrlCitation[] = [];
  #hasText = false;
  #hasModel = false;
  #hasChunks = false;
  #hasChoices = false;
  #isWholeBody = false;
  #finishReason: string | undefined;
  #hasLostMedia = false;
  #hasFailed = false;

  constructor(options: FromChatOptions) {
    this.#reasoning = new ChatReasoning(options.model, reasoningReplay(options.profile.vendor, options.model));
    this.#wantsLogprobs = options.wantsLogprobs ?? false;
    this.#echo = new EchoFilter(options.echo ?? '');
    this.#cleanMessage = options.cleanMessage ?? (() => undefined);
    this.#thinkTags = options.profile.thinkTags ? new ThinkTags() : undefined;
    this.#calls = new ChatCalls({
      newId: options.newId,
      toolNames: options.toolNames,
      emit: (event) => this.#events.push(event),
      onStart: (callId, extra) => {
        this.#beginCall(callId, extra);
      },
      onLateExtra: (callId, extra) => {
        this.#reasoning.addCallExtra(callId, extra);
      },
    });
  }

  get settled(): boolean {
    return this.#hasFailed || this.#finishReason !== undefined;
  }

  push(chunk: unknown): readonly ModelEvent[] {
    this.#hasChunks = true;
    if (this.#hasFailed || !isJsonObject(chunk)) return [];
    const error = readChatError(chunk);
    if (error !== null) this.#failWith(error, chunk);
    else this.#readChunk(chunk);
    return this.#take();
  }

  end(): readonly ModelEvent[] {
    if (this.#hasFailed) return [];
    this.#endText();
    this.#endTurn();
    return this.#take();
  }

  #readChunk(chunk: JsonObject): void {
    if (!this.#hasModel && typeof chunk['model'] === 'string') this.#readModel(chunk['model']);
    if (Array.isArray(chunk['choices'])) this.#readChoice(chunk['choices'][0]);
    this.#readUsage(chunk);
  }

  /** An error that comes first stands alone, so that it can still become an HTTP status. */
  #failWith(error: ChatErrorReport, chunk: JsonObject): void {
    if (this.#hasChoices) this.#readUsage(chunk);
    this.#fail(toChatFailure(error, this.#cleanMessage));
  }

  #take(): readonly ModelEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #readModel(model: string): void {
    if (model === '') return;
    this.#hasModel = true;
    this.#events.push({ type: 'served-model', model });
  }

  /** Groq keeps it in `x_groq`. */
  #readUsage(chunk: JsonObject): void {
    const extension = chunk['x_groq'];
    const usage = chunk['usage'] ?? (isJsonObject(extension) ? extension['usage'] : undefined);
    if (!isJsonObject(usage)) return;
    const counts = mapUsage(usage);
    if (Object.keys(counts).length > 0) this.#events.push({ type: 'usage', usage: counts });
  }

  /** We never ask for more than one choice. */
  #readChoice(choice: unknown): void {
    this.#hasChoices = true;
    if (!isJsonObject(choice)) return;
    const { delta, message } = choice;
    if (isJsonObject(delta)) this.#readDelta(delta, choice);
    else if (isJsonObject(message)) {
      this.#isWholeBody = true;
      this.#readDelta(message, choice);
    }
    const error = choice['error'] === undefined ? null : readChatError({ error: choice['error'] });
    if (error !== null) this.#fail(toChatFailure(error, this.#cleanMessage));
    else this.#readFinish(choice['finish_reason']);
  }

  /** The first reason counts; only a failure may still follow it. */
  #readFinish(reason: unknown): void {
    if (typeof reason !== 'string' || reason === '') return;
    if (this.#finishReason === undefined || mapFinishReason(reason).type === 'failure') this.#finishReason = reason;
  }

  #readDelta(delta: JsonObject, choice: JsonObject): void {
    const { content } = delta;
    this.#addReasoning(this.#reasoning.read(delta));
    if (typeof content === 'string') {
      if (content !== '') this.#addContent(content, choice);
    } else if (content !== null && content !== undefined) this.#readParts(content, choice);
    if (delta['tool_calls'] !== undefined || delta['function_call'] !== undefined) this.#readCalls(delta);
    if (delta['refusal'] !== undefined) this.#addRefusal(delta['refusal']);
    if (delta['annotations'] !== undefined) this.#addCitations(readCitations(delta['annotations']));
    if (delta['images'] !== undefined || delta['audio'] !== undefined) this.#reportMedia(delta);
  }

  #readParts(content: unknown, choice: JsonObject): void {
    for (const piece of readContent(content)) {
      if (piece.type === 'reasoning') this.#addReasoning(this.#reasoning.addText(piece.text));
      else if (piece.type === 'refusal') this.#addRefusal(piece.text);
      else this.#addContent(piece.text, choice);
    }
  }

  #readCalls(delta: JsonObject): void {
    const { tool_calls: entries, function_call: legacy } = delta;
    if (Array.isArray(entries) && entries.length > 0) {
      this.#endText();
      if (this.#isWholeBody) this.#calls.pushWhole(entries);
      else this.#calls.pushDeltas(entries);
    } else if (isJsonObject(legacy)) this.#calls.pushLegacy(legacy);
  }

  #addReasoning({ text, beginsBlock }: ReasoningDelta): void {
    if (text === '') return;
    // A server that names its reasoning leaves no tags in the text.
    this.#thinkTags = undefined;
    this.#emitReasoning(text, beginsBlock);
  }

  #emitReasoning(text: string, beginsBlock: boolean): void {
    if (this.#open !== 'reasoning') this.#calls.startNamed();
    else if (beginsBlock) this.#events.push({ type: 'reasoning-break' });
    this.#open = 'reasoning';
    this.#events.push({ type: 'reasoning-delta', delta: text });
  }

  #addContent(content: string, choice: JsonObject): void {
    const text = this.#echo.push(content);
    if (this.#thinkTags === undefined) {
      if (text !== '') this.#emitText(text, choice['logprobs']);
      return;
    }
    for (const piece of this.#thinkTags.push(text)) {
      if (piece.type === 'text') this.#emitText(piece.text, choice['logprobs']);
      else this.#emitReasoning(this.#reasoning.addText(piece.text).text, false);
    }
  }

  #emitText(delta: string, logprobs: unknown): void {
    if (this.#open !== 'text') this.#beginText();
    const tokens = this.#wantsLogprobs ? readLogprobs(logprobs) : [];
    this.#events.push(tokens.length === 0 ? { type: 'text-delta', delta } : { type: 'text-delta', delta, logprobs: tokens });
    if (this.#citations.length > 0) this.#addCitations(this.#citations.splice(0));
  }

  #addRefusal(refusal: unknown): void {
    if (typeof refusal !== 'string' || refusal === '') return;
    if (this.#open !== 'text') this.#beginText();
    this.#events.push({ type: 'refusal-delta', delta: refusal });
  }

  #beginText(): void {
    this.#calls.startNamed();
    this.#sendState();
    this.#open = 'text';
    this.#hasText = true;
  }

  /** What was held back for a tag or an echo that did not come. */
  #endText(): void {
    const held = this.#echo.end();
    const pieces =
      this.#thinkTags === undefined ? [{ type: 'text', text: held }] : [...this.#thinkTags.push(held), ...this.#thinkTags.end()];
    for (const { type, text } of pieces) {
      if (text === '') continue;
      if (type === 'text') this.#emitText(text, undefined);
      else this.#emitReasoning(this.#reasoning.addText(text).text, false);
    }
  }

  #beginCall(callId: string, extra: unknown): void {
    if (extra !== undefined) this.#reasoning.addCallExtra(callId, extra);
    this.#sendState();
    this.#open = 'call';
  }

  /** State goes before what the model said or called with it; what comes too late for that waits for the next such place, so that it never cuts a text in two. */
  #sendState(): void {
    const state = this.#reasoning.takeState();
    if (state !== undefined) this.#events.push({ type: 'reasoning-state', state });
  }

  /** A citation needs a text that it belongs to. */
  #addCitations(citations: readonly UrlCitation[]): void {
    if (!this.#hasText) this.#citations.push(...citations);
    else for (const annotation of citations) this.#events.push({ type: 'annotation', annotation });
  }

  #reportMedia({ images, audio }: JsonObject): void {
    const hasMedia =
      (Array.isArray(images) && images.length > 0) ||
      (isJsonObject(audio) && typeof audio['data'] === 'string' && audio['data'] !== '');
    if (!hasMedia || this.#hasLostMedia) return;
    this.#hasLostMedia = true;
    this.#events.push({
      type: 'loss',
      loss: {
        path: 'output',
        action: 'dropped',
        reason: 'the model also answered with images or audio, which are not supported here',
      },
    });
  }

  #endTurn(): void {
    const reason = this.#finishReason;
    if (reason === undefined) {
      this.#endWithoutReason();
      return;
    }
    const finish = mapFinishReason(reason);
    if (finish.type === 'finish') this.#finish(finish.reason);
    else if (finish.type === 'failure')
      this.#fail(new GatewayError(finish.code, `The model server broke the answer off (finish_reason ${shown(reason)}).`));
    else if (this.#hasAnswer())
      this.#finishUnsure(
        `the model server stopped with an unknown finish_reason ${shown(reason)}, which was taken as a normal end`,
      );
    else
      this.#fail(
        new GatewayError('upstream_error', `The model server stopped without an answer (finish_reason ${shown(reason)}).`),
      );
  }

  /** A body arrived whole, so an answer in it is whole too (Snowflake leaves the reason empty). A stream without a reason was cut. */
  #endWithoutReason(): void {
    if (this.#isWholeBody && this.#hasAnswer()) {
      this.#finishUnsure('the model server did not say why it stopped; its answer was taken as complete');
      return;
    }
    this.#calls.startNamed();
    if (this.#hasChunks && !this.#hasChoices)
      this.#fail(
        new GatewayError('upstream_invalid_response', 'The model server answered with JSON that is not a chat completion.'),
      );
    else
      this.#fail(
        new GatewayError('upstream_truncated', 'The model server ended the answer without saying that it was finished.'),
      );
  }

  #hasAnswer(): boolean {
    return this.#hasText || this.#calls.hasCalls;
  }

  #finishUnsure(reason: string): void {
    this.#events.push({ type: 'loss', loss: { path: 'status', action: 'estimated', reason } });
    this.#finish('stop');
  }

  #finish(reason: FinishReason): void {
    const isComplete = this.#calls.end(reason);
    if (!isComplete) {
      this.#fail(new GatewayError('upstream_invalid_response', 'The model server sent a function call without a name.'));
      return;
    }
    this.#sendState();
    this.#events.push({ type: 'finish', reason });
  }

  #fail(error: GatewayError): void {
    this.#hasFailed = true;
    this.#events.push({ type: 'failure', error });
  }
}

/** A finish reason is a word; anything else is not repeated to clients. */
function shown(reason: string): string {
  return /^[\w-]{1,40}$/.test(reason) ? reason : '(not a word)';
}
