import { mapGeminiChunkError, mapGeminiHttpError } from '../backends/upstream/map-gemini-http-error.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { GatewayError } from '../model/errors.ts';
import type { FinishReason, ModelEvent, TokenUsage } from '../model/model-event.ts';
import { fromGeminiChunks, type GeminiChunkStage } from '../translate/gemini/from-gemini-chunks.ts';
import type { ToolNames } from '../translate/tool-names.ts';
import { ClientCalls, innerChunk, withInnerChunk } from './capture/client-calls.ts';
import type { Marks } from './marks.ts';
import type { AnswerFrame, AnswerStage } from './model-call.ts';

export interface CaptureOptions {
  /** Of the tap, for messages. */
  readonly name: string;
  readonly marks: Marks;
  readonly newId: (prefix: string) => string;
  /** The model that is really called: signatures are bound to it. */
  readonly model: string;
  /** The names that the request was sent with. */
  readonly names: ToolNames;
  /** Functions that the agent server declared: their calls are its own. */
  readonly ownNames: ReadonlySet<string>;
  readonly sink: CaptureSink;
}

/** Hears of one main call. At most one of `succeed` and `fail` is called, and exactly once, last, `close`. */
export interface CaptureSink {
  /** What the model did; never `usage`, `finish` or `failure`. */
  report(events: readonly ModelEvent[]): void;
  succeed(reason: FinishReason, usage: TokenUsage | null): void;
  /** `isFinal`: no later call can make it good, because the client has seen a part of this answer or the model was cut off. */
  fail(error: GatewayError, isFinal: boolean): void;
  close(): void;
}

/**
 * Reads along with the answer of a main call. The calls of the client's tools become events for the client and call marks for the agent server; everything else goes on as it
 * is. Texts come out as they come in: nothing is held back.
 */
export function captureAnswer(options: CaptureOptions): AnswerStage {
  return new AnswerCapture(options);
}

class AnswerCapture implements AnswerStage {
  readonly #options: CaptureOptions;
  readonly #chunks: GeminiChunkStage;
  readonly #calls: ClientCalls;
  #status: number | null = null;
  #usage: TokenUsage | null = null;
  #hasText = false;
  #hasCalls = false;
  #isClosed = false;

  constructor(options: CaptureOptions) {
    const { newId, model, names, ownNames, name } = options;
    this.#options = options;
    this.#chunks = fromGeminiChunks({
      newId,
      model,
      toolNames: names,
      mapError: (error) => mapGeminiChunkError(error, { backendName: name, secrets: [] }),
    });
    this.#calls = new ClientCalls((called) => names.isKnown(called) && !ownNames.has(called));
  }

  begin(status: number): void {
    this.#status = status;
  }

  push({ value, unread }: AnswerFrame): unknown {
    if (unread !== undefined && /function_?call/i.test(unread)) this.#refuse();
    if (!Array.isArray(value)) return isJsonObject(value) ? (this.#read(value) ?? undefined) : undefined;
    // A whole list in one frame: each of its chunks is read by itself.
    const chunks = value as readonly unknown[];
    const read = chunks.map((chunk) => (isJsonObject(chunk) ? (this.#read(chunk) ?? chunk) : chunk));
    return read.some((chunk, at) => chunk !== chunks[at]) ? read : undefined;
  }

  fail(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#isClosed) return;
    const error = mapGeminiHttpError({ status, headers, body }, { backendName: this.#options.name, secrets: [] });
    this.#options.sink.fail(error, false);
    this.#close();
  }

  end(): readonly unknown[] {
    if (this.#isClosed) return [];
    if (!this.#hasBegun) this.fail(this.#status ?? 502, {}, '');
    else this.#report(this.#chunks.end(), 'end');
    this.#close();
    return [];
  }

  break(): void {
    if (this.#isClosed) return;
    // A connection that breaks behind the end of the answer has taken nothing away.
    if (this.#hasBegun) this.#report(this.#chunks.end(), 'break');
    else this.#options.sink.fail(this.#status === null ? unreachable() : this.#mapStatus(this.#status), false);
    this.#close();
  }

  get #hasBegun(): boolean {
    return this.#status !== null && this.#status >= 200 && this.#status < 300;
  }

  /** What we cannot read, the agent server perhaps can: a call of the client must not come that way. */
  #refuse(): never {
    const error = new GatewayError('upstream_invalid_response', 'A part of the model’s answer with a function call is not JSON.');
    if (!this.#isClosed) this.#fail(error, 'push');
    this.#close();
    throw error;
  }

  #mapStatus(status: number): GatewayError {
    return mapGeminiHttpError({ status, headers: {}, body: '' }, { backendName: this.#options.name, secrets: [] });
  }

  /** What goes on instead of this chunk; null: the chunk itself. */
  #read(value: JsonObject): JsonObject | null {
    const chunk = innerChunk(value);
    const split = this.#calls.split(chunk);
    const events = this.#chunks.push(split.seen);
    const ids = events.flatMap((event) => (event.type === 'call-start' ? [event.callId] : []));
    this.#report(events, 'push');
    const replaced = split.replaceCalls(ids.map((id) => this.#options.marks.writeCallMark(id)));
    return replaced === null ? null : withInnerChunk(value, replaced);
  }

  #report(events: readonly ModelEvent[], during: 'push' | 'end' | 'break'): void {
    const { sink } = this.#options;
    const shown = events.filter(({ type }) => type !== 'usage' && type !== 'finish' && type !== 'failure');
    for (const event of events) {
      if (event.type === 'usage') this.#usage = event.usage;
      this.#hasText ||= event.type === 'text-delta';
      this.#hasCalls ||= event.type === 'call-start';
    }
    if (shown.length > 0) sink.report(shown);
    for (const event of events) {
      if (event.type === 'finish') sink.succeed(event.reason, this.#usage);
      else if (event.type === 'failure') this.#fail(event.error, during);
    }
  }

  #fail(error: GatewayError, during: 'push' | 'end' | 'break'): void {
    const isCut = during === 'break' || error.code === 'upstream_truncated';
    const isFinal = isCut || this.#hasCalls || (during === 'push' && this.#hasText);
    this.#options.sink.fail(during === 'break' ? truncated() : error, isFinal);
  }

  #close(): void {
    if (!this.#isClosed) this.#options.sink.close();
    this.#isClosed = true;
  }
}

function truncated(): GatewayError {
  return new GatewayError('upstream_truncated', 'The connection to the model broke off before the answer was complete.');
}

function unreachable(): GatewayError {
  return new GatewayError('upstream_unreachable', 'The model could not be reached through the tap.');
}
