import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ToolNames } from '../tool-names.ts';
import { AnswerWriter } from './answer-writer.ts';
import { CallReader, readSignature } from './call-reader.ts';
import { Citations } from './citations.ts';
import { mapFinishReason } from './map-finish-reason.ts';
import { toTokenLogprobs } from './to-token-logprobs.ts';
import { UsageReader } from './usage-reader.ts';

export interface GeminiChunksOptions {
  readonly newId: (prefix: string) => string;
  /** The upstream model id: signatures are bound to it. */
  readonly model: string;
  /** The names the request was sent with. */
  readonly toolNames: ToolNames;
  /** What an error object inside an answer of status 200 means: `{ code, message, status, details }`. */
  readonly mapError: (error: JsonObject) => GatewayError;
}

/** A Stage that also says when the model is done and only usage may follow (the contract of `backends/upstream/turn-stage`). */
export interface GeminiChunkStage extends Stage<unknown, ModelEvent> {
  readonly settled: boolean;
}

/**
 * Chunks of `streamGenerateContent`, or the one body of `generateContent`, or an array of chunks → what the model did. Reads loosely and never throws. One
 * `finish` or `failure`, last: a failure at once, a finish at the end, since usage may follow the finish reason. Where the positions of states, annotations and web searches are
 * decided: `answer-writer`.
 */
export function fromGeminiChunks(options: GeminiChunksOptions): GeminiChunkStage {
  return new GeminiAnswer(options);
}

type PartKind = 'text' | 'thought' | 'call' | 'other';

class GeminiAnswer implements GeminiChunkStage {
  readonly #options: GeminiChunksOptions;
  readonly #citations = new Citations();
  readonly #usage = new UsageReader();
  readonly #writer: AnswerWriter;
  readonly #calls: CallReader;
  readonly #losses = new Set<string>();
  #chunks = 0;
  #lastKind: PartKind | undefined;
  #reason: string | undefined;
  #reasonText = '';
  #isBlocked = false;
  #hasFailed = false;
  #servedModel: string | undefined;

  constructor(options: GeminiChunksOptions) {
    this.#options = options;
    this.#writer = new AnswerWriter({ model: options.model, citations: this.#citations });
    this.#calls = new CallReader({ writer: this.#writer, newId: options.newId, toolNames: options.toolNames });
  }

  get settled(): boolean {
    return this.#hasFailed || this.#isBlocked || (this.#reason !== undefined && this.#reason !== unspecified);
  }

  push(input: unknown): readonly ModelEvent[] {
    if (Array.isArray(input)) for (const chunk of input as readonly unknown[]) this.#read(chunk);
    else this.#read(input);
    return this.#writer.take();
  }

  end(): readonly ModelEvent[] {
    if (!this.#hasFailed) this.#end();
    return this.#writer.take();
  }

  #read(chunk: unknown): void {
    if (this.#hasFailed || !isJsonObject(chunk)) return;
    if (isJsonObject(chunk['error'])) {
      this.#fail(this.#options.mapError(chunk['error']));
      return;
    }
    this.#usage.add(chunk['usageMetadata']);
    const candidates = chunk['candidates'];
    const candidate: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
    if (this.#servedModel === undefined && typeof chunk['modelVersion'] === 'string') this.#servedModel = chunk['modelVersion'];
    if (isJsonObject(candidate)) this.#readCandidate(candidate);
    else if (isJsonObject(chunk['promptFeedback'])) this.#readFeedback(chunk['promptFeedback']);
  }

  #readCandidate(candidate: JsonObject): void {
    const { content, finishReason, finishMessage } = candidate;
    // First: text of this chunk may end its message in this very chunk.
    this.#citations.add(candidate['groundingMetadata'], candidate['citationMetadata']);
    const parts = isJsonObject(content) ? content['parts'] : undefined;
    if (Array.isArray(parts)) this.#readParts(parts, candidate['logprobsResult']);
    if (typeof finishReason === 'string' && finishReason !== '') this.#reason = finishReason;
    if (typeof finishMessage === 'string') this.#reasonText = finishMessage;
  }

  #readFeedback({ blockReason }: JsonObject): void {
    if (typeof blockReason === 'string' && blockReason !== '' && !blockReason.endsWith('UNSPECIFIED')) this.#isBlocked = true;
  }

  #readParts(parts: readonly unknown[], logprobs: unknown): void {
    let left = logprobs === undefined ? undefined : toTokenLogprobs(logprobs);
    for (const [at, part] of parts.entries()) {
      if (!isJsonObject(part) || this.#hasFailed) continue;
      const kind = kindOf(part);
      // Later chunks go on with the part that is open; a whole body has its parts already divided.
      if (this.#chunks === 0 || kind !== this.#lastKind) this.#writer.beginPart();
      this.#lastKind = kind;
      if (kind === 'call') this.#readCall(part, parts, at);
      else if (kind === 'text') {
        this.#writer.text(textOf(part), readSignature(part), left);
        left = undefined;
      } else this.#readOther(part, kind);
    }
    this.#chunks += 1;
  }

  #readCall(part: JsonObject, parts: readonly unknown[], at: number): void {
    const call = part['functionCall'];
    if (isJsonObject(call)) {
      this.#attempt(() => {
        this.#calls.read(call, parts, at);
      });
    }
  }

  #attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(GatewayError.from(error));
    }
  }

  #readOther(part: JsonObject, kind: 'thought' | 'other'): void {
    const signature = readSignature(part);
    if (kind === 'thought') {
      this.#writer.thought(textOf(part));
      if (signature !== undefined) this.#writer.keepPart(part);
      return;
    }
    const name = Object.keys(part).find((key) => isJsonObject(part[key]) && /^\w{1,40}$/.test(key));
    if (name === undefined && signature === undefined) return;
    const isServerWork = name !== undefined && serverWork.has(name);
    // Media is not kept: nobody has seen it, and its bytes would travel with every later request.
    if (name !== 'inlineData' && (isServerWork || signature !== undefined)) this.#writer.keepPart(part);
    if (name === 'toolCall') this.#readServerCall(part['toolCall']);
    else if (name !== 'toolResponse') this.#lose(`the model's ${name ?? 'unknown'} part cannot be shown in a response`);
  }

  #readServerCall(call: unknown): void {
    const { toolType, args } = isJsonObject(call) ? call : {};
    if (typeof toolType !== 'string' || !toolType.startsWith('GOOGLE_SEARCH')) {
      this.#lose("the call of one of Gemini's own tools cannot be shown in a response");
      return;
    }
    const queries = isJsonObject(args) && Array.isArray(args['queries']) ? (args['queries'] as readonly unknown[]) : [];
    this.#writer.search(queries.filter((query) => typeof query === 'string' && query !== '').map(String));
  }

  #end(): void {
    const reason = this.#reason;
    if (reason === undefined && !this.#isBlocked) {
      this.#fail(this.#missingEnd());
      return;
    }
    const outcome = reason === undefined ? blocked : mapFinishReason(reason, this.#writer.hasOutput);
    if (outcome.finish === null) {
      this.#fail(new GatewayError('upstream_error', describeFailure(reason ?? unspecified, this.#reasonText)));
      return;
    }
    if (!outcome.isKnown)
      this.#lose(`the finish reason ${toWord(reason ?? unspecified)} is not known and was taken for a normal end`);
    // A call cut by a limit has no end; one whose end mark is merely missing does.
    if (outcome.finish === 'stop') {
      this.#attempt(() => {
        this.#calls.finishOpen();
      });
    }
    if (this.#hasFailed) return;
    this.#writer.close();
    this.#reportNumbers();
    this.#writer.emit({ type: 'finish', reason: outcome.finish });
  }

  #missingEnd(): GatewayError {
    if (this.#chunks === 0)
      return new GatewayError('upstream_invalid_response', "The model server's answer is not one of Gemini's.");
    return new GatewayError('upstream_truncated', 'The model server ended the answer without saying that it was finished.');
  }

  /** A failure that nothing came before stays alone, so that it can still become an HTTP status. */
  #fail(error: GatewayError): void {
    this.#hasFailed = true;
    if (this.#writer.hasOutput) {
      this.#writer.close();
      this.#reportNumbers();
    }
    this.#writer.emit({ type: 'failure', error });
  }

  #reportNumbers(): void {
    const usage = this.#usage.usage;
    if (this.#servedModel !== undefined) this.#writer.emit({ type: 'served-model', model: this.#servedModel });
    if (usage !== undefined) this.#writer.emit({ type: 'usage', usage });
  }

  /** Each kind once: a stream repeats its parts. */
  #lose(reason: string): void {
    if (this.#losses.has(reason)) return;
    this.#losses.add(reason);
    this.#writer.emit({ type: 'loss', loss: { path: 'output', action: 'dropped', reason } });
  }
}

const unspecified = 'FINISH_REASON_UNSPECIFIED';
/** What Gemini did by itself. Each second part belongs to the one before it, so they go back together, signed or not. */
const serverWork: ReadonlySet<string> = new Set(['toolCall', 'toolResponse', 'executableCode', 'codeExecutionResult']);
/** The prompt was refused: the same for streams and whole bodies. */
const blocked = { finish: 'content-filter', isKnown: true } as const;

function kindOf(part: JsonObject): PartKind {
  if (typeof part['text'] === 'string') return part['thought'] === true ? 'thought' : 'text';
  if (part['functionCall'] !== undefined) return 'call';
  // A part with nothing but a signature stands for an empty text.
  return readSignature(part) !== undefined && Object.keys(part).length === 1 ? 'text' : 'other';
}

function textOf(part: JsonObject): string {
  return typeof part['text'] === 'string' ? part['text'] : '';
}

/** Names that a server sends go into sentences only as far as they look like names. */
function toWord(name: string): string {
  return /^\w{1,64}$/.test(name) ? name : 'it gave';
}

const maxReasonText = 300;

function describeFailure(reason: string, text: string): string {
  const sentence = `The model ended its answer with the finish reason ${toWord(reason)}.`;
  const words = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return words === '' ? sentence : `${sentence} It said: ${words.slice(0, maxReasonText)}`;
}
