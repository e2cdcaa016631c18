import { editJsonMembers } from '../../lib/edit-json-members.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { BackendTurn, ModelInfo, NativeTurn, StatelessBackend } from '../../model/backend.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent, TurnEvent } from '../../model/model-event.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import { fromAnthropicChunks, type AnthropicTurnStage } from '../../translate/anthropic/from-anthropic-chunks.ts';
import { readAnthropicError } from '../../translate/anthropic/read-anthropic-error.ts';
import { toAnthropicRequest, type AnthropicCall } from '../../translate/anthropic/to-anthropic-request.ts';
import { sameNames } from '../../translate/tool-names.ts';
import { asRefusedState } from '../upstream/as-refused-state.ts';
import type { DeltaForm } from '../upstream/delta-runs.ts';
import { knownSecrets } from '../upstream/known-secrets.ts';
import type { HttpFailure } from '../upstream/map-http-error.ts';
import { sendForJson } from '../upstream/read-json.ts';
import type { RemoteBackendOptions } from '../upstream/remote-backend-options.ts';
import { runNativeTurn } from '../upstream/run-native-turn.ts';
import { runUpstreamTurn } from '../upstream/run-upstream-turn.ts';
import { createUpstreamClient, type UpstreamClient } from '../upstream/upstream-client.ts';
import { createAnthropicAddress, type AnthropicAddress } from './anthropic-address.ts';
import { mapAnthropicChunkError, mapAnthropicHttpError, type AnthropicErrorOptions } from './map-anthropic-error.ts';
import { readAnthropicModels } from './read-anthropic-models.ts';
import { throwEarlyFailure } from './throw-early-failure.ts';

export interface AnthropicBackendOptions extends RemoteBackendOptions {
  /** With or without `/v1`. Anthropic's public API when absent. */
  readonly baseUrl?: string;
  /** Whether cache markers are set (default). */
  readonly marksCache?: boolean;
}

/** More pages than any list of models has; a server that repeats its pages must not keep us for ever. */
const maxPages = 50;

/** How often an answer that the server pauses is carried on. */
const maxPauses = 10;

/** Any server that speaks Anthropic's Messages API: Anthropic itself, Ollama, DeepSeek, Kimi, a proxy. Must be closed. */
export function createAnthropicBackend(options: AnthropicBackendOptions): StatelessBackend {
  return new AnthropicBackend(options);
}

interface PreparedTurn {
  readonly request: ModelRequest;
  readonly call: AnthropicCall;
  /** Errors that say that thinking of the history was refused. */
  readonly refused: WeakSet<GatewayError>;
}

/** What changes from one delta to the next. */
const anthropicDeltas: DeltaForm = { texts: ['text', 'thinking', 'partial_json'], padding: [], counts: [], number: null };

/** GET without a body. */
interface JsonCall {
  readonly url: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

class AnthropicBackend implements StatelessBackend {
  readonly name: string;
  readonly #options: AnthropicBackendOptions;
  readonly #address: AnthropicAddress;
  readonly #client: UpstreamClient;
  readonly #errorOptions: AnthropicErrorOptions;

  constructor(options: AnthropicBackendOptions) {
    const { name, apiKey, timeouts, caFile, headers, baseUrl } = options;
    this.name = name;
    this.#options = options;
    this.#address = createAnthropicAddress(baseUrl);
    this.#client = createUpstreamClient({ timeouts, ...(caFile !== undefined && { caFile }) });
    this.#errorOptions = { backendName: name, secrets: knownSecrets(apiKey, headers) };
  }

  prepareTurn(request: ModelRequest): BackendTurn {
    const { value: call, losses } = this.#translate(request);
    return { losses, stream: (signal) => this.#streamWithRetry({ request, call, refused: new WeakSet() }, signal) };
  }

  prepareNativeTurn(request: ModelRequest, native: NativeRequest): NativeTurn | null {
    if (native.dialect !== 'anthropic') return null;
    return { stream: (signal) => throwEarlyFailure((inner) => this.#passOn(request, native, inner), signal) };
  }

  async listModels(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const models: ModelInfo[] = [];
    let afterId: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const answer = await this.#send({ url: this.#address.listUrl(afterId) }, signal);
      const { models: listed, nextAfterId } = readAnthropicModels(answer);
      models.push(...listed);
      if (nextAfterId === null || nextAfterId === afterId) break;
      afterId = nextAfterId;
    }
    return models;
  }

  /** Null where the server has no such endpoint. What it refuses in the client's words it gets in ours. */
  async countInputTokens(request: ModelRequest, signal: AbortSignal, native?: NativeRequest): Promise<number | null> {
    if (native?.dialect === 'anthropic') {
      try {
        return await this.#count(this.#toNativeCall(this.#address.countUrl(native.query), request, native), signal);
      } catch (error) {
        if (!(error instanceof GatewayError) || error.status !== 400) throw error;
      }
    }
    const { model, messages, system, tools, tool_choice, thinking } = this.#translate(request).value.body;
    const body = JSON.stringify({ model, messages, system, tools, tool_choice, thinking });
    return this.#count({ url: this.#address.countUrl(''), body }, signal);
  }

  async #count(call: JsonCall, signal: AbortSignal): Promise<number | null> {
    const missing = new WeakSet<GatewayError>();
    const watch = (failure: HttpFailure, error: GatewayError): void => {
      if (isMissingEndpoint(failure)) missing.add(error);
    };
    try {
      const answer = await this.#send({ ...call, watch }, signal);
      const count = isJsonObject(answer) ? answer['input_tokens'] : undefined;
      return typeof count === 'number' ? count : null;
    } catch (error) {
      if (error instanceof GatewayError && missing.has(error)) return null;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #translate(request: ModelRequest): ReturnType<typeof toAnthropicRequest> {
    return toAnthropicRequest(request, { marksCache: this.#options.marksCache ?? true });
  }

  /**
   * Signatures belong to a model and an account: after a change of either they are refused. Then the turn is sent once more without any thinking of the history, before the client has heard
   * anything.
   */
  async *#streamWithRetry(turn: PreparedTurn, signal: AbortSignal): AsyncGenerator<readonly ModelEvent[]> {
    let hasBegun = false;
    try {
      for await (const batch of this.#streamWithPauses(turn, signal)) {
        hasBegun = true;
        yield batch;
      }
      return;
    } catch (error) {
      if (hasBegun || !(error instanceof GatewayError) || !turn.refused.has(error) || !hasState(turn.request)) throw error;
    }
    const request = withoutState(turn.request);
    const { value: call, losses } = this.#translate(request);
    let report: readonly ModelEvent[] = [signatureLoss, ...losses.map((loss) => ({ type: 'loss', loss }) as const)];
    for await (const batch of this.#streamWithPauses({ ...turn, request, call }, signal)) {
      yield [...report, ...batch];
      report = [];
    }
  }

  /** A long turn of the server's own tools is paused; sent back as it is, it goes on. */
  async *#streamWithPauses(turn: PreparedTurn, signal: AbortSignal): AsyncGenerator<readonly ModelEvent[]> {
    const stage = this.#createStage(turn);
    const { body } = turn.call;
    let written: readonly JsonObject[] = [];
    for (let pauses = 0; ; pauses += 1) {
      const messages = written.length === 0 ? body.messages : [...body.messages, { role: 'assistant', content: written }];
      const text = JSON.stringify({ ...body, messages });
      const mayPause = pauses < maxPauses;
      for await (const batch of throwEarlyFailure((inner) => this.#call({ turn, stage, body: text }, inner), signal)) {
        if (stage.paused === null) yield batch;
        else if (mayPause) yield batch.filter(({ type }) => type !== 'finish');
        else yield batch.flatMap((event) => (event.type === 'finish' ? [pauseLoss, event] : [event]));
      }
      if (stage.paused === null || !mayPause) return;
      written = stage.paused;
      stage.continue();
    }
  }

  #createStage({ request, call }: PreparedTurn): AnthropicTurnStage {
    return fromAnthropicChunks({
      newId: this.#options.newId,
      model: request.model,
      toolNames: call.names,
      answerTool: call.answerTool,
      hasServerTools: call.hasServerTools,
      mapError: (error) => mapAnthropicChunkError(error, this.#errorOptions),
    });
  }

  #call(
    { turn, stage, body }: { readonly turn: PreparedTurn; readonly stage: AnthropicTurnStage; readonly body: string },
    signal: AbortSignal,
  ): AsyncGenerator<readonly ModelEvent[]> {
    return runUpstreamTurn({
      client: this.#client,
      request: { method: 'POST', url: this.#address.messagesUrl, headers: this.#headers(turn.request.stream), body },
      stage,
      mapError: (failure) => {
        const error = mapAnthropicHttpError(failure, this.#errorOptions);
        if (isThinkingRefusal(failure)) turn.refused.add(error);
        return error;
      },
      signal,
    });
  }

  /** The client's body with the server's name of the model, and its headers with our credential. */
  #toNativeCall(url: string, request: ModelRequest, { body, headers }: NativeRequest): Required<JsonCall> {
    const own = this.#headers(request.stream);
    const betas = [headers['anthropic-beta'], own['anthropic-beta']].filter((list) => list !== undefined);
    return {
      url,
      headers: { ...own, ...headers, ...(betas.length > 0 && { 'anthropic-beta': betas.join(',') }) },
      body: editJsonMembers(body, { model: JSON.stringify(request.model) }),
    };
  }

  #passOn(request: ModelRequest, native: NativeRequest, signal: AbortSignal): AsyncGenerator<readonly TurnEvent[]> {
    return runNativeTurn({
      client: this.#client,
      request: { method: 'POST', ...this.#toNativeCall(this.#address.nativeUrl(native.query), request, native) },
      framing: request.stream ? 'events' : 'whole',
      stage: fromAnthropicChunks({
        newId: this.#options.newId,
        model: request.model,
        toolNames: sameNames,
        answerTool: null,
        hasServerTools: false,
        mapError: (error) => mapAnthropicChunkError(error, this.#errorOptions),
      }),
      mapError: (failure) => {
        const error = mapAnthropicHttpError(failure, this.#errorOptions);
        return isThinkingRefusal(failure) ? asRefusedState(error) : error;
      },
      secrets: this.#errorOptions.secrets,
      deltas: anthropicDeltas,
      signal,
    });
  }

  #send(
    call: JsonCall & { readonly watch?: (failure: HttpFailure, error: GatewayError) => void },
    signal: AbortSignal,
  ): Promise<unknown> {
    const { url, body, headers = this.#headers(false), watch } = call;
    const method = body === undefined ? 'GET' : 'POST';
    const request = { method, url, headers, ...(body !== undefined && { body }) } as const;
    const mapError = (failure: HttpFailure): GatewayError => {
      const error = mapAnthropicHttpError(failure, this.#errorOptions);
      watch?.(failure, error);
      return error;
    };
    return sendForJson(this.#client, request, { mapError, signal });
  }

  #headers(stream: boolean): Record<string, string> {
    const { apiKey, headers = {} } = this.#options;
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    return {
      accept: stream ? 'text/event-stream' : 'application/json',
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      ...(apiKey !== null && { 'x-api-key': apiKey.reveal() }),
      ...Object.fromEntries(own),
    };
  }
}

const signatureLoss: ModelEvent = {
  type: 'loss',
  loss: {
    path: 'input',
    action: 'dropped',
    reason: 'the model server refused the signed thinking of the history, so the turn was sent without it',
  },
};

const pauseLoss: ModelEvent = {
  type: 'loss',
  loss: { path: 'status', action: 'estimated', reason: 'the model server paused its answer too often; it was taken as complete' },
};

function isThinkingRefusal({ status, body }: HttpFailure): boolean {
  return status === 400 && readAnthropicError(parseJson(body))?.isBadThinking === true;
}

/** A server without the endpoint answers 404 too, but not in Anthropic's words for a model that is not there. */
function isMissingEndpoint({ status, body }: HttpFailure): boolean {
  return [404, 405, 501].includes(status) && readAnthropicError(parseJson(body))?.type !== 'not_found_error';
}

function hasState(request: ModelRequest): boolean {
  return request.input.some((item) => item.type === 'reasoning' && item.state !== null);
}

function withoutState(request: ModelRequest): ModelRequest {
  return { ...request, input: request.input.map((item) => (item.type === 'reasoning' ? { ...item, state: null } : item)) };
}
