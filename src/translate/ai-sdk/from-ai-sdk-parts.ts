import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Stage } from '../../lib/stage.ts';
import { GatewayError } from '../../model/errors.ts';
import type { FinishReason, ModelEvent, TokenUsage } from '../../model/model-event.ts';
import type { AiSdkProviderOptions } from '../../protocol/ai-sdk/call-options.ts';
import type { ToolNames } from '../tool-names.ts';
import { AiSdkCalls } from './ai-sdk-calls.ts';
import { AiSdkHosted } from './ai-sdk-hosted.ts';
import { encodeAiSdkState, mergeMetadata, type AiSdkState, type AiSdkTextState } from './ai-sdk-state.ts';
import { AiSdkSources } from './ai-sdk-sources.ts';
import { readAiSdkUsage } from './ai-sdk-usage.ts';
import { toWarningLosses } from './ai-sdk-warnings.ts';

export interface AiSdkPartsOptions {
  readonly newId: (prefix: string) => string;
  /** The upstream's model id: states are bound to it. */
  readonly model: string;
  readonly toolNames: ToolNames;
  /** Whether the parts come from a stream, which may be cut. */
  readonly isStream: boolean;
  /** What an `error` part means. */
  readonly mapError: (error: unknown) => GatewayError;
  /** A stranger's text, fit for a client; undefined when nothing of it may be shown. */
  readonly cleanMessage: (text: string) => string | undefined;
}

export interface AiSdkStage extends Stage<unknown, ModelEvent> {
  /** The provider has said how the answer ended: nothing else comes. */
  readonly settled: boolean;
}

/** Stream parts of a LanguageModelV3 → what the model did. Parts of unknown types are losses; an answer without its `finish` was cut. */
export function fromAiSdkParts(options: AiSdkPartsOptions): AiSdkStage {
  return new PartReader(options);
}

interface OpenText {
  readonly start: number;
  metadata: AiSdkProviderOptions | undefined;
}

interface OpenReasoning {
  text: string;
  metadata: AiSdkProviderOptions | undefined;
}

class PartReader implements AiSdkStage {
  readonly #options: AiSdkPartsOptions;
  readonly #calls: AiSdkCalls;
  readonly #hosted: AiSdkHosted;
  readonly #sources = new AiSdkSources();
  readonly #lost = new Set<string>();
  readonly #texts: AiSdkTextState[] = [];
  #out: ModelEvent[] = [];
  #openText: OpenText | undefined;
  #reasoning: OpenReasoning | undefined;
  /** UTF-16 units of all text of the turn. */
  #length = 0;
  #hasOutput = false;
  #isOver = false;

  constructor(options: AiSdkPartsOptions) {
    this.#options = options;
    const emit = (event: ModelEvent): void => {
      this.#emitOutput(event);
    };
    this.#calls = new AiSdkCalls({
      newId: options.newId,
      toolNames: options.toolNames,
      emit,
      keepMetadata: (callId, metadata) => {
        this.#keep({ calls: { [callId]: metadata } });
      },
    });
    this.#hosted = new AiSdkHosted(emit, (reason) => {
      this.#lose(reason);
    });
  }

  get settled(): boolean {
    return this.#isOver;
  }

  push(part: unknown): readonly ModelEvent[] {
    if (!this.#isOver && isJsonObject(part)) this.#read(part);
    return this.#take();
  }

  end(): readonly ModelEvent[] {
    if (!this.#isOver) this.#fail(this.#missingEnd());
    return this.#take();
  }

  #take(): readonly ModelEvent[] {
    const events = this.#out;
    this.#out = [];
    return events;
  }

  #read(part: JsonObject): void {
    const { type } = part;
    if (typeof type !== 'string') return;
    if (type.startsWith('text-')) this.#readText(type, part);
    else if (type.startsWith('reasoning-')) this.#readReasoning(type, part);
    else if (type.startsWith('tool-')) this.#readTool(type, part);
    else this.#readOther(type, part);
  }

  #readText(type: string, { delta, providerMetadata }: JsonObject): void {
    if (type === 'text-start') this.#closeText();
    this.#openText ??= { start: this.#length, metadata: undefined };
    this.#openText.metadata = mergeMetadata(this.#openText.metadata, providerMetadata);
    if (type === 'text-end') this.#closeText();
    if (type !== 'text-delta' || typeof delta !== 'string' || delta === '') return;
    this.#length += delta.length;
    this.#emitOutput({ type: 'text-delta', delta });
    for (const annotation of this.#sources.afterText(delta.length)) this.#out.push(annotation);
  }

  #closeText(): void {
    const open = this.#openText;
    this.#openText = undefined;
    if (open?.metadata === undefined || this.#length === open.start) return;
    this.#texts.push({ start: open.start, length: this.#length - open.start, metadata: open.metadata });
  }

  #readReasoning(type: string, { delta, providerMetadata }: JsonObject): void {
    if (type === 'reasoning-start') this.#closeReasoning();
    this.#reasoning ??= { text: '', metadata: undefined };
    this.#reasoning.metadata = mergeMetadata(this.#reasoning.metadata, providerMetadata);
    if (type === 'reasoning-delta' && typeof delta === 'string' && delta !== '') {
      this.#reasoning.text += delta;
      this.#emitOutput({ type: 'reasoning-delta', delta });
    }
    if (type === 'reasoning-end') this.#closeReasoning();
  }

  /** Kept without metadata too: some models want their plain thinking back, and the client may not have it. */
  #closeReasoning(): void {
    const open = this.#reasoning;
    this.#reasoning = undefined;
    if (open === undefined || (open.text === '' && open.metadata === undefined)) return;
    this.#keep({ reasoning: { text: open.text, ...(open.metadata !== undefined && { metadata: open.metadata }) } });
  }

  #readTool(type: string, part: JsonObject): void {
    const isHosted = part['providerExecuted'] === true || this.#hosted.has(part['id'] ?? part['toolCallId']);
    switch (type) {
      case 'tool-input-start':
        if (isHosted) this.#hosted.start(part);
        else this.#calls.start(part);
        return;
      case 'tool-input-delta':
        if (!isHosted) this.#calls.delta(part);
        return;
      case 'tool-input-end':
        if (!isHosted) this.#calls.endInput(part);
        return;
      case 'tool-call':
        if (isHosted) this.#hosted.call(part);
        else this.#calls.whole(part);
        return;
      case 'tool-result':
        this.#hosted.result(part);
        return;
      case 'tool-approval-request':
        this.#lose('the provider wants an approval for one of its own tools, which a response cannot ask for');
        return;
      default:
        this.#loseUnknown(type);
    }
  }

  #readOther(type: string, part: JsonObject): void {
    switch (type) {
      case 'raw':
        return;
      case 'stream-start':
        for (const loss of toWarningLosses(part['warnings'], this.#options.cleanMessage)) this.#out.push({ type: 'loss', loss });
        return;
      case 'response-metadata':
        if (typeof part['modelId'] === 'string' && part['modelId'] !== '')
          this.#out.push({ type: 'served-model', model: part['modelId'] });
        return;
      case 'source':
        if (part['sourceType'] === 'url') this.#out.push(...this.#sources.add(part));
        else this.#lose('the provider named a document as its source, which a response cannot show');
        return;
      case 'file':
        this.#lose('the model made a file, which a response cannot show');
        return;
      case 'error':
        this.#fail(this.#options.mapError(part['error']));
        return;
      case 'finish':
        this.#finish(part);
        return;
      default:
        this.#loseUnknown(type);
    }
  }

  #finish({ finishReason, usage, providerMetadata }: JsonObject): void {
    const counted = readAiSdkUsage(usage);
    const { unified, raw } = readReason(finishReason);
    const reason = this.#toReason(unified, raw);
    if (reason instanceof GatewayError) return this.#fail(reason, counted);
    if (reason === 'stop' && !this.#calls.finish()) return this.#fail(cut(), counted);
    this.#settle();
    if (counted !== undefined) this.#out.push({ type: 'usage', usage: counted });
    const sequence = findStopSequence(providerMetadata);
    if (reason === 'stop' && sequence !== undefined) this.#out.push({ type: 'stop-sequence', sequence });
    this.#out.push({ type: 'finish', reason });
    this.#isOver = true;
  }

  #toReason(unified: string, raw: string | undefined): FinishReason | GatewayError {
    switch (unified) {
      case 'stop':
      case 'tool-calls':
        return 'stop';
      case 'length':
      case 'content-filter':
        return unified;
      case 'error':
        return new GatewayError('upstream_error', 'The provider ended its answer with an error that it did not name.');
      default:
        // This is what providers say of a stream that ended without a word about it.
        if (raw === undefined && this.#options.isStream) return cut();
        if (!this.#hasOutput)
          return new GatewayError(
            'upstream_error',
            'The model ended its answer for a reason that is not known, and without saying anything.',
          );
        this.#lose('the finish reason is not known and was taken for a normal end');
        return 'stop';
    }
  }

  /** All that stands at the end of an answer. */
  #settle(): void {
    this.#closeText();
    this.#closeReasoning();
    this.#hosted.finish();
    const calls = this.#calls.lateMetadata;
    const texts = this.#texts.length === 0 ? undefined : this.#texts;
    if (calls !== undefined || texts !== undefined)
      this.#keep({ ...(texts !== undefined && { texts }), ...(calls !== undefined && { calls }) });
    if (this.#sources.hasUnshown) this.#lose('the provider named sources of a text that the model did not write');
  }

  #missingEnd(): GatewayError {
    if (this.#hasOutput) return cut();
    return new GatewayError('upstream_invalid_response', 'The provider ended the answer without any sign of one.');
  }

  /** A failure that nothing came before stays alone, so that it can still become an HTTP status. */
  #fail(error: GatewayError, usage?: TokenUsage): void {
    if (this.#hasOutput) this.#closeReasoning();
    if (usage !== undefined) this.#out.push({ type: 'usage', usage });
    this.#out.push({ type: 'failure', error });
    this.#isOver = true;
  }

  #keep(state: AiSdkState): void {
    this.#emitOutput({ type: 'reasoning-state', state: encodeAiSdkState(this.#options.model, state) });
  }

  #emitOutput(event: ModelEvent): void {
    this.#hasOutput = true;
    // Whatever is no text ends the message, and with it the text that indices count in.
    if (event.type !== 'text-delta') this.#sources.endMessage();
    this.#out.push(event);
  }

  #loseUnknown(type: string): void {
    const name = /^[\w-]{1,40}$/.test(type) ? ` ${type}` : '';
    this.#lose(`the provider sent a part${name} that is not known`);
  }

  /** Each kind once: a stream repeats its parts. */
  #lose(reason: string): void {
    if (this.#lost.has(reason)) return;
    this.#lost.add(reason);
    this.#out.push({ type: 'loss', loss: { path: 'output', action: 'dropped', reason } });
  }
}

function cut(): GatewayError {
  return new GatewayError('upstream_truncated', 'The provider ended the answer without saying that it was finished.');
}

function readReason(value: unknown): { readonly unified: string; readonly raw: string | undefined } {
  if (!isJsonObject(value)) return { unified: typeof value === 'string' ? value : 'other', raw: undefined };
  const { unified, raw } = value;
  return { unified: typeof unified === 'string' ? unified : 'other', raw: typeof raw === 'string' ? raw : undefined };
}

/** Which text ended the answer, where a provider says so (Anthropic's does). */
function findStopSequence(providerMetadata: unknown): string | undefined {
  if (!isJsonObject(providerMetadata)) return undefined;
  const named = Object.values(providerMetadata).map((members) => (isJsonObject(members) ? members['stopSequence'] : undefined));
  return named.find((sequence): sequence is string => typeof sequence === 'string' && sequence !== '');
}
