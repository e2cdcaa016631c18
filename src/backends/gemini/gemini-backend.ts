import { editJsonMembers } from '../../lib/edit-json-members.ts';
import { isJsonObject, parseJson, type JsonObject } from '../../lib/json.ts';
import type { StatelessBackend, BackendTurn, ModelInfo, NativeTurn } from '../../model/backend.ts';
import { GatewayError } from '../../model/errors.ts';
import type { ModelEvent } from '../../model/model-event.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import type { GeminiRequest } from '../../protocol/gemini/request.ts';
import { fromGeminiChunks, type GeminiChunkStage } from '../../translate/gemini/from-gemini-chunks.ts';
import { isGeminiAnswer } from '../../translate/gemini/is-gemini-answer.ts';
import { readGeminiError } from '../../translate/gemini/read-gemini-error.ts';
import { takesGeminiNatively } from '../../translate/gemini/takes-gemini-natively.ts';
import { toNativeCount } from '../../translate/gemini/to-native-count.ts';
import { createGeminiToolNames, toGeminiRequest } from '../../translate/gemini/to-gemini-request.ts';
import { sameNames, type ToolNames } from '../../translate/tool-names.ts';
import { asRefusedState } from '../upstream/as-refused-state.ts';
import type { DeltaForm } from '../upstream/delta-runs.ts';
import { knownSecrets } from '../upstream/known-secrets.ts';
import type { HttpFailure } from '../upstream/map-http-error.ts';
import { sendForJson } from '../upstream/read-json.ts';
import type { RemoteBackendOptions } from '../upstream/remote-backend-options.ts';
import { runNativeTurn } from '../upstream/run-native-turn.ts';
import { runUpstreamTurn } from '../upstream/run-upstream-turn.ts';
import { createUpstreamClient, type UpstreamClient } from '../upstream/upstream-client.ts';
import { createGeminiAddress, type GeminiAddress } from './gemini-address.ts';
import { mapGeminiChunkError, mapGeminiHttpError, type GeminiErrorOptions } from '../upstream/map-gemini-http-error.ts';
import { readModelPage } from './read-model-page.ts';

export interface GeminiBackendOptions extends RemoteBackendOptions {
  /** Up to and including the version; `/v1beta` is added when there is none. Google's public API when absent. */
  readonly baseUrl?: string;
}

/** More pages than any list of models has; a server that repeats its pages must not keep us for ever. */
const maxPages = 50;

/** The Gemini API, or Vertex AI by its base URL and an `authorization` header. Must be closed. */
export function createGeminiBackend(options: GeminiBackendOptions): StatelessBackend {
  return new GeminiBackend(options);
}

/** What changes from one chunk to the next: the counts stand in each. */
const geminiDeltas: DeltaForm = {
  texts: ['text'],
  padding: [],
  counts: [
    'promptTokenCount',
    'candidatesTokenCount',
    'totalTokenCount',
    'thoughtsTokenCount',
    'cachedContentTokenCount',
    'tokenCount',
  ],
  number: null,
};

class GeminiBackend implements StatelessBackend {
  readonly name: string;
  readonly #options: GeminiBackendOptions;
  readonly #address: GeminiAddress;
  readonly #client: UpstreamClient;
  readonly #errorOptions: GeminiErrorOptions;

  constructor(options: GeminiBackendOptions) {
    const { name, apiKey, timeouts, caFile } = options;
    this.name = name;
    this.#options = options;
    this.#address = createGeminiAddress(options.baseUrl);
    this.#client = createUpstreamClient({ timeouts, ...(caFile !== undefined && { caFile }) });
    this.#errorOptions = { backendName: name, secrets: knownSecrets(apiKey, options.headers) };
  }

  prepareTurn(request: ModelRequest): BackendTurn {
    const { value: body, losses } = toGeminiRequest(request, { isVertex: this.#address.isVertex });
    const url = this.#address.modelUrl(request.model, request.stream ? 'streamGenerateContent?alt=sse' : 'generateContent');
    return { losses, stream: (signal) => this.#streamWithRetry({ request, body, url }, signal) };
  }

  /** The model stands in the URL, and nothing in the body may contradict that; `stream` is a word of ours there. */
  prepareNativeTurn(request: ModelRequest, { dialect, body, fields, query }: NativeRequest): NativeTurn | null {
    if (dialect !== 'gemini' || !takesGeminiNatively(request, fields, this.#address)) return null;
    const framing = request.stream ? (query === 'alt=sse' ? 'events' : 'array') : 'whole';
    const call = {
      method: 'POST',
      url: this.#address.modelUrl(request.model, nativeMethods[framing]),
      headers: this.#headers(),
      body: editJsonMembers(body, { model: null, stream: null }),
    } as const;
    const options = this.#errorOptions;
    return {
      stream: (signal) =>
        runNativeTurn({
          client: this.#client,
          request: call,
          framing,
          showsFailure: isGeminiAnswer,
          stage: this.#createStage(request, sameNames),
          mapError(failure) {
            const error = mapGeminiHttpError(failure, options);
            return isSignatureRefusal(failure) ? asRefusedState(error) : error;
          },
          secrets: options.secrets,
          deltas: geminiDeltas,
          signal,
        }),
    };
  }

  async listModels(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const models: ModelInfo[] = [];
    let token: string | null = null;
    for (let page = 0; page < maxPages; page += 1) {
      const { models: listed, nextPageToken } = readModelPage(await this.#send(this.#address.listUrl(token), undefined, signal));
      models.push(...listed);
      if (nextPageToken === null || nextPageToken === token) break;
      token = nextPageToken;
    }
    return models;
  }

  async countInputTokens(request: ModelRequest, signal: AbortSignal, native?: NativeRequest): Promise<number | null> {
    const { isVertex } = this.#address;
    const own = native?.dialect === 'gemini' ? toNativeCount(request, native.fields, { isVertex }) : null;
    if (own !== null) return this.#count(request, own, signal);
    const { value } = toGeminiRequest(request, { isVertex });
    // Only the wrapped form counts system text and tools on the Gemini API; Vertex takes them flat.
    const body = isVertex
      ? toVertexCount(value)
      : { generateContentRequest: { model: `models/${request.model.replace(/^models\//, '')}`, ...value } };
    return this.#count(request, body, signal);
  }

  async #count({ model }: ModelRequest, body: object, signal: AbortSignal): Promise<number | null> {
    const answer = await this.#send(this.#address.modelUrl(model, 'countTokens'), JSON.stringify(body), signal);
    const total = isJsonObject(answer) ? answer['totalTokens'] : undefined;
    return typeof total === 'number' ? total : null;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * Signatures belong to a model and a key: after a change of either, Gemini refuses them. Then the turn is sent once more without any, before the client has heard
   * anything.
   */
  async *#streamWithRetry(turn: PreparedCall, signal: AbortSignal): AsyncGenerator<readonly ModelEvent[]> {
    const refused = new WeakSet<GatewayError>();
    let hasBegun = false;
    try {
      for await (const batch of this.#stream(turn, signal, refused)) {
        hasBegun = true;
        yield batch;
      }
      return;
    } catch (error) {
      if (hasBegun || !(error instanceof GatewayError) || !refused.has(error) || !hasState(turn.request)) throw error;
    }
    const request = withoutState(turn.request);
    const { value: body, losses } = toGeminiRequest(request, { isVertex: this.#address.isVertex });
    let report: readonly ModelEvent[] = [signatureLoss, ...losses.map((loss) => ({ type: 'loss', loss }) as const)];
    for await (const batch of this.#stream({ ...turn, request, body }, signal, refused)) {
      yield [...report, ...batch];
      report = [];
    }
  }

  #stream(turn: PreparedCall, signal: AbortSignal, refused: WeakSet<GatewayError>): AsyncGenerator<readonly ModelEvent[]> {
    const { request, body, url } = turn;
    const options = this.#errorOptions;
    return runUpstreamTurn({
      client: this.#client,
      request: { method: 'POST', url, headers: this.#headers(), body: JSON.stringify(body) },
      stage: this.#createStage(request, createGeminiToolNames(request)),
      mapError(failure) {
        const error = mapGeminiHttpError(failure, options);
        if (isSignatureRefusal(failure)) refused.add(error);
        return error;
      },
      signal,
    });
  }

  #createStage({ model }: ModelRequest, toolNames: ToolNames): GeminiChunkStage {
    const mapError = (error: JsonObject): GatewayError => mapGeminiChunkError(error, this.#errorOptions);
    return fromGeminiChunks({ newId: this.#options.newId, model, toolNames, mapError });
  }

  #send(url: string, body: string | undefined, signal: AbortSignal): Promise<unknown> {
    const request = {
      method: body === undefined ? 'GET' : 'POST',
      url,
      headers: this.#headers(),
      ...(body !== undefined && { body }),
    } as const;
    return sendForJson(this.#client, request, { mapError: (failure) => mapGeminiHttpError(failure, this.#errorOptions), signal });
  }

  /** The key goes into a header, never into the URL: URLs end up in logs. */
  #headers(): Record<string, string> {
    const { apiKey, headers } = this.#options;
    return { 'content-type': 'application/json', ...(apiKey !== null && { 'x-goog-api-key': apiKey.reveal() }), ...headers };
  }
}

const nativeMethods = {
  events: 'streamGenerateContent?alt=sse',
  array: 'streamGenerateContent',
  whole: 'generateContent',
} as const;

interface PreparedCall {
  readonly request: ModelRequest;
  readonly body: GeminiRequest;
  readonly url: string;
}

const signatureLoss: ModelEvent = {
  type: 'loss',
  loss: {
    path: 'input',
    action: 'dropped',
    reason: 'Gemini refused the thought signatures of the history, so the turn was sent without them',
  },
};

function isSignatureRefusal({ status, body }: HttpFailure): boolean {
  return status === 400 && readGeminiError(parseJson(body))?.isBadSignature === true;
}

function hasState(request: ModelRequest): boolean {
  return request.input.some((item) => item.type === 'reasoning' && item.state !== null);
}

function withoutState(request: ModelRequest): ModelRequest {
  return { ...request, input: request.input.map((item) => (item.type === 'reasoning' ? { ...item, state: null } : item)) };
}

/** What `countTokens` of Vertex takes of a request. */
function toVertexCount({ contents, systemInstruction, tools, generationConfig }: GeminiRequest): Partial<GeminiRequest> {
  return {
    contents,
    ...(systemInstruction !== undefined && { systemInstruction }),
    ...(tools !== undefined && { tools }),
    ...(generationConfig !== undefined && { generationConfig }),
  };
}
