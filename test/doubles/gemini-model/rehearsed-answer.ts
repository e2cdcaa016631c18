import { setTimeout as sleep } from 'node:timers/promises';
import { createRehearsalBackend } from '../../../src/backends/rehearsal/create-rehearsal-backend.ts';
import { rehearsalModelIds } from '../../../src/backends/rehearsal/rehearsal-models.ts';
import { countTextTokens } from '../../../src/lib/count-text-tokens.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { GatewayError } from '../../../src/model/errors.ts';
import type { FinishReason, ModelEvent, TokenUsage, UrlCitation } from '../../../src/model/model-event.ts';
import type { ChunkWriter, Counts } from './chunk-writer.ts';
import { CutError } from './directed-answer.ts';
import type { GeminiChunk, ScriptedAnswer } from './gemini-model-options.ts';
import { googleError } from './google-error.ts';
import { toModelRequest } from './to-model-request.ts';

export interface RehearsalStage {
  readonly model: string;
  readonly body: JsonObject;
  readonly streams: boolean;
  readonly writer: ChunkWriter;
  readonly signal: AbortSignal;
}

/** The rehearsal backend's answer as chunks. A model id of that backend (`stall`, `cut`, `429` …) plays it; any other id is its `default`. */
export async function rehearseAnswer(stage: RehearsalStage): Promise<ScriptedAnswer> {
  const model = rehearsalModelIds().includes(stage.model) ? stage.model : 'default';
  let count = 0;
  const wait = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    await sleep(milliseconds, undefined, { signal });
  };
  const backend = createRehearsalBackend({ newId: (prefix) => `${prefix}_${++count}`, countTextTokens, wait });
  const batches = backend
    .prepareTurn(toModelRequest(stage.body, model, stage.streams))
    .stream(stage.signal)
    [Symbol.asyncIterator]();
  try {
    // The first batch is empty: it says that the call was accepted.
    await batches.next();
  } catch (error) {
    const status = error instanceof GatewayError ? Number(/^[45]\d\d$/.exec(model)?.[0] ?? error.status) : 500;
    return { status, body: JSON.stringify(googleError(status, 'The rehearsal model refuses on purpose.')) };
  }
  return { chunks: toChunks({ [Symbol.asyncIterator]: () => batches }, stage) };
}

async function* toChunks(batches: AsyncIterable<readonly ModelEvent[]>, stage: RehearsalStage): AsyncGenerator<GeminiChunk> {
  const rehearsal = new RehearsalReader(stage);
  for await (const batch of batches) for (const event of batch) yield* rehearsal.read(event);
  if (!rehearsal.hasEnded) throw new CutError('cut');
}

class RehearsalReader {
  readonly #stage: RehearsalStage;
  readonly #calls = new Map<string, { name: string; text: string }>();
  readonly #citations: UrlCitation[] = [];
  #queries: readonly string[] = [];
  #text = '';
  #usage: TokenUsage | null = null;
  hasEnded = false;

  constructor(stage: RehearsalStage) {
    this.#stage = stage;
  }

  *read(event: ModelEvent): Generator<GeminiChunk> {
    const { writer } = this.#stage;
    switch (event.type) {
      case 'reasoning-delta': {
        const chunk = writer.thought(event.delta);
        if (chunk !== null) yield chunk;
        return;
      }
      case 'text-delta':
      case 'refusal-delta':
        this.#text += event.delta;
        yield writer.text(event.delta);
        return;
      case 'failure':
        this.hasEnded = true;
        yield googleError(event.error.status, 'The rehearsal model fails on purpose.');
        return;
      case 'finish':
        yield this.#finish(mapReason(event.reason));
        return;
      default:
        yield* this.#readQuiet(event);
    }
  }

  *#readQuiet(event: ModelEvent): Generator<GeminiChunk> {
    switch (event.type) {
      case 'call-start':
        this.#calls.set(event.callId, { name: event.name, text: '' });
        return;
      case 'call-delta': {
        const call = this.#calls.get(event.callId);
        if (call !== undefined) call.text += event.delta;
        return;
      }
      case 'call-end':
        yield* this.#endCall(event.callId);
        return;
      case 'annotation':
        this.#citations.push(event.annotation);
        return;
      case 'web-search':
        this.#queries = event.queries;
        return;
      case 'usage':
        this.#usage = event.usage;
        return;
      default:
    }
  }

  /** Arguments that are no JSON are what Gemini calls a malformed function call. */
  *#endCall(callId: string): Generator<GeminiChunk> {
    const { name, text } = this.#calls.get(callId) ?? { name: '', text: '' };
    const args = parseJson(text);
    if (isJsonObject(args)) yield this.#stage.writer.call(name, args);
    else yield this.#finish('MALFORMED_FUNCTION_CALL');
  }

  #finish(reason: string): GeminiChunk {
    this.hasEnded = true;
    if (this.#citations.length > 0) this.#stage.writer.ground(toGrounding(this.#citations, this.#queries, this.#text));
    return this.#stage.writer.finish(reason, this.#counts());
  }

  #counts(): Counts | null {
    if (this.#usage === null) return null;
    const { inputTokens = 0, outputTokens = 0, reasoningTokens = 0 } = this.#usage;
    return {
      prompt: inputTokens,
      cached: Math.floor(inputTokens / 4),
      answer: outputTokens - reasoningTokens,
      thoughts: reasoningTokens,
    };
  }
}

function mapReason(reason: FinishReason): string {
  switch (reason) {
    case 'length':
      return 'MAX_TOKENS';
    case 'content-filter':
      return 'SAFETY';
    default:
      return 'STOP';
  }
}

/** Offsets of supports are UTF-8 bytes. */
function toGrounding(citations: readonly UrlCitation[], queries: readonly string[], text: string): JsonObject {
  return {
    webSearchQueries: queries,
    groundingChunks: citations.map(({ url, title }) => ({ web: { uri: url, title } })),
    groundingSupports: citations.map(({ startIndex, endIndex }, at) => ({
      segment: {
        startIndex: Buffer.byteLength(text.slice(0, startIndex)),
        endIndex: Buffer.byteLength(text.slice(0, endIndex)),
        text: text.slice(startIndex, endIndex),
      },
      groundingChunkIndices: [at],
    })),
  };
}
