import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { FinishReason, ModelEvent } from '../../model/model-event.ts';
import { AnthropicBlockReader, type BlockReaderOptions } from './anthropic-block-reader.ts';
import { AnthropicContentCollector } from './anthropic-content-collector.ts';
import { AnthropicUsageReader } from './anthropic-usage-reader.ts';

export interface FromAnthropicOptions extends BlockReaderOptions {
  /** What an `error` event or an error body means; it gets the whole of it. */
  readonly mapError: (error: JsonObject) => GatewayError;
  /** The server runs tools by itself, so the answer may pause and has to be sent back. */
  readonly hasServerTools: boolean;
}

/** The stage of one turn, which may take several calls (`pause_turn`). */
export interface AnthropicTurnStage extends Stage<unknown, ModelEvent> {
  /** Nothing of an answer may follow `message_stop`, and without one it is not complete. */
  readonly settled: boolean;
  /** What the model has written so far when the server paused; null when it did not. The `finish` before it does not count then. */
  readonly paused: readonly JsonObject[] | null;
  /** The answer goes on in another call. */
  continue(): void;
}

/**
 * Events of a Messages stream → what the model did (backends.md D). A whole (unstreamed) body is one chunk. Reads loosely: unknown events are passed over, unknown blocks are losses, nothing in
 * an odd shape throws. Only `message_stop` completes an answer.
 */
export function fromAnthropicChunks(options: FromAnthropicOptions): AnthropicTurnStage {
  return new AnthropicTurn(options);
}

class AnthropicTurn implements AnthropicTurnStage {
  readonly #options: FromAnthropicOptions;
  readonly #reader: AnthropicBlockReader;
  readonly #usage = new AnthropicUsageReader();
  readonly #collector: AnthropicContentCollector | undefined;
  #state: 'new' | 'open' | 'over' = 'new';
  #hasChunks = false;
  #messageId: unknown;
  #stopReason: string | undefined;
  #stopSequence: string | undefined;
  #refusal = '';
  #isPaused = false;

  constructor(options: FromAnthropicOptions) {
    this.#options = options;
    this.#reader = new AnthropicBlockReader(options);
    this.#collector = options.hasServerTools ? new AnthropicContentCollector() : undefined;
  }

  get settled(): boolean {
    return this.#state === 'over';
  }

  get paused(): readonly JsonObject[] | null {
    const blocks = this.#isPaused ? (this.#collector?.blocks ?? []) : [];
    return blocks.length > 0 ? blocks : null;
  }

  continue(): void {
    this.#state = 'new';
    this.#hasChunks = false;
    this.#messageId = undefined;
    this.#stopReason = undefined;
    this.#stopSequence = undefined;
    this.#isPaused = false;
    this.#usage.continue();
  }

  push(chunk: unknown): readonly ModelEvent[] {
    this.#hasChunks = true;
    if (this.#state !== 'over' && isJsonObject(chunk)) this.#read(chunk);
    return this.#reader.take();
  }

  end(): readonly ModelEvent[] {
    if (this.#state === 'over') return [];
    const isForeign = this.#state === 'new' && this.#hasChunks;
    this.#fail(
      isForeign
        ? new GatewayError('upstream_invalid_response', 'The model server answered with JSON that is not a message of Anthropic.')
        : new GatewayError('upstream_truncated', 'The model server ended the answer without saying that it was finished.'),
    );
    return this.#reader.take();
  }

  #read(chunk: JsonObject): void {
    switch (chunk['type']) {
      case 'content_block_delta':
        if (isJsonObject(chunk['delta'])) this.#readDelta(chunk['delta']);
        return;
      case 'content_block_start':
        if (isJsonObject(chunk['content_block'])) this.#readBlock(chunk['content_block']);
        return;
      case 'content_block_stop':
        return this.#stopBlock();
      case 'message_start':
        return this.#readStart(chunk['message']);
      case 'message_delta':
        this.#readEnding(chunk['delta']);
        return this.#readUsage(chunk['usage']);
      case 'message_stop':
        return this.#finish();
      case 'message':
        return this.#readWhole(chunk);
      case 'error':
        return this.#fail(this.#options.mapError(chunk));
      default:
        return this.#readOther(chunk);
    }
  }

  /** Ping means nothing; an error may come without its outer type. */
  #readOther(chunk: JsonObject): void {
    if (chunk['error'] !== undefined && chunk['error'] !== null) this.#fail(this.#options.mapError(chunk));
    else if (chunk['type'] !== 'ping' && typeof chunk['type'] === 'string' && this.#state === 'open')
      this.#reader.lose('the model server sent an event of a type that is not known here');
  }

  #readWhole(body: JsonObject): void {
    this.#readStart(body);
    if (this.#state === 'over') return;
    const content: readonly unknown[] = Array.isArray(body['content']) ? body['content'] : [];
    for (const block of content) {
      if (!isJsonObject(block)) continue;
      this.#readBlock(block);
      this.#stopBlock();
    }
    this.#readEnding(body);
    this.#finish();
  }

  /** A message that begins while another is open: the same one again (a proxy's mistake), or a second try spliced in, which nobody can tell from the first any more. */
  #readStart(message: unknown): void {
    if (!isJsonObject(message)) return;
    if (this.#state === 'open') {
      if (message['id'] !== this.#messageId)
        this.#fail(new GatewayError('upstream_invalid_response', 'The model server began a second answer inside the first one.'));
      return;
    }
    this.#state = 'open';
    this.#messageId = message['id'];
    const { model, usage } = message;
    if (typeof model === 'string' && model !== '') this.#reader.emit({ type: 'served-model', model });
    this.#readUsage(usage);
  }

  #readBlock(block: JsonObject): void {
    this.#state = 'open';
    this.#collector?.start(block);
    this.#reader.start(block);
  }

  #readDelta(delta: JsonObject): void {
    this.#collector?.delta(delta);
    this.#reader.delta(delta);
  }

  #stopBlock(): void {
    this.#collector?.stop();
    this.#reader.stop();
  }

  #readUsage(usage: unknown): void {
    const counts = this.#usage.read(usage);
    if (counts !== undefined) this.#reader.emit({ type: 'usage', usage: counts });
  }

  #readEnding(ending: unknown): void {
    if (!isJsonObject(ending)) return;
    const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = ending;
    if (typeof reason === 'string') this.#stopReason = reason;
    if (typeof sequence === 'string') this.#stopSequence = sequence;
    if (isJsonObject(details) && typeof details['explanation'] === 'string') this.#refusal = details['explanation'];
  }

  #finish(): void {
    if (this.#state === 'new') return this.#fail(emptyAnswer());
    this.#collector?.stop();
    const reason = this.#settleReason();
    if (reason === undefined) return this.#fail(emptyAnswer());
    this.#state = 'over';
    this.#reader.finish(reason !== 'stop');
    if (this.#stopReason === 'refusal' && this.#refusal !== '')
      this.#reader.emit({ type: 'refusal-delta', delta: this.#refusal });
    if (this.#stopReason === 'stop_sequence' && this.#stopSequence !== undefined)
      this.#reader.emit({ type: 'stop-sequence', sequence: this.#stopSequence });
    this.#reader.emit({ type: 'finish', reason });
  }

  /** Undefined: there is no reason, and no answer either. */
  #settleReason(): FinishReason | undefined {
    switch (this.#stopReason) {
      case 'end_turn':
      case 'tool_use':
      case 'stop_sequence':
        return 'stop';
      case 'max_tokens':
      case 'model_context_window_exceeded':
        return 'length';
      case 'refusal':
        return 'content-filter';
      case 'pause_turn':
        this.#isPaused = true;
        return 'stop';
      default:
        return this.#settleUnknown();
    }
  }

  #settleUnknown(): FinishReason | undefined {
    if (!this.#reader.hasOutput) return undefined;
    const reason = 'the model server did not say in known words why it stopped; its answer was taken as complete';
    this.#reader.emit({ type: 'loss', loss: { path: 'status', action: 'estimated', reason } });
    return 'stop';
  }

  #fail(error: GatewayError): void {
    this.#state = 'over';
    this.#reader.emit({ type: 'failure', error });
  }
}

function emptyAnswer(): GatewayError {
  return new GatewayError('upstream_invalid_response', 'The model server ended an answer that holds nothing.');
}
