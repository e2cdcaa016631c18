import { editJsonMembers } from '../../lib/edit-json-members.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { BackendTurn, ModelInfo, NativeTurn, StatelessBackend } from '../../model/backend.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import type { Secret } from '../../model/secret.ts';
import { fromResponsesChunks, type ResponsesTurnStage } from '../../translate/responses/from-responses-chunks.ts';
import { passResponses } from '../../translate/responses/passed-responses.ts';
import { createResponsesProfile, type ResponsesProfile } from '../../translate/responses/responses-profile.ts';
import { takesResponsesNatively } from '../../translate/responses/takes-responses-natively.ts';
import { responsesToolNames, toResponsesRequest } from '../../translate/responses/to-responses-request.ts';
import { customToolNames } from '../../translate/responses/to-responses-tools.ts';
import { toTokenCountRequest } from '../../translate/responses/to-token-count-request.ts';
import { asRefusedState } from '../upstream/as-refused-state.ts';
import { bearerHeaders } from '../upstream/bearer-headers.ts';
import { cleanMessage } from '../upstream/clean-message.ts';
import type { DeltaForm } from '../upstream/delta-runs.ts';
import { knownSecrets } from '../upstream/known-secrets.ts';
import type { HttpFailure, MapError } from '../upstream/map-http-error.ts';
import { sendForJson } from '../upstream/read-json.ts';
import { readModelList } from '../upstream/read-model-list.ts';
import type { RemoteBackendOptions } from '../upstream/remote-backend-options.ts';
import { runNativeTurn } from '../upstream/run-native-turn.ts';
import { runUpstreamTurn } from '../upstream/run-upstream-turn.ts';
import { createUpstreamClient, type UpstreamClient } from '../upstream/upstream-client.ts';
import { endpointUrl, withVersion } from '../upstream/with-version.ts';
import { mapResponsesHttpError } from './map-responses-http-error.ts';

export interface ResponsesBackendOptions extends RemoteBackendOptions {
  /** Up to and including the version; OpenAI when absent. A bare host gets `/v1`. */
  readonly baseUrl?: string;
}

/** What changes from one delta to the next. */
const responsesDeltas: DeltaForm = { texts: ['delta'], padding: ['obfuscation'], counts: [], number: 'sequence_number' };

const openaiUrl = 'https://api.openai.com/v1';

/** Any server that speaks the Responses API: OpenAI, Azure, vLLM, Ollama, LM Studio, OpenRouter, xAI, another gateway. What it would remember is not used. Must be closed. */
export function createResponsesBackend(options: ResponsesBackendOptions): StatelessBackend {
  return new ResponsesBackend(options);
}

class ResponsesBackend implements StatelessBackend {
  readonly name: string;
  readonly #baseUrl: string;
  readonly #profile: ResponsesProfile;
  readonly #options: ResponsesBackendOptions;
  readonly #client: UpstreamClient;
  readonly #secrets: readonly Secret[];
  readonly #mapError: MapError;

  constructor(options: ResponsesBackendOptions) {
    const { name, apiKey, timeouts, caFile, baseUrl = openaiUrl } = options;
    this.name = name;
    this.#baseUrl = withVersion(baseUrl);
    this.#profile = createResponsesProfile(this.#baseUrl);
    this.#options = options;
    this.#secrets = knownSecrets(apiKey, options.headers);
    this.#mapError = mapResponsesHttpError({ backendName: name, secrets: this.#secrets });
    this.#client = createUpstreamClient({ timeouts, ...(caFile !== undefined && { caFile }) });
  }

  prepareTurn(request: ModelRequest): BackendTurn {
    const { value: body, losses } = toResponsesRequest(request, this.#profile);
    return {
      losses,
      stream: (signal) =>
        runUpstreamTurn({
          client: this.#client,
          request: this.#post('/responses', JSON.stringify(body), request.stream),
          stage: this.#createStage(request),
          mapError: this.#mapError,
          signal,
        }),
    };
  }

  prepareNativeTurn(request: ModelRequest, { dialect, body, fields }: NativeRequest): NativeTurn | null {
    if (dialect !== 'responses' || !takesResponsesNatively(request, fields, this.#profile)) return null;
    const isStream = request.stream;
    return {
      stream: (signal) =>
        runNativeTurn({
          client: this.#client,
          request: this.#post('/responses', editJsonMembers(body, { model: JSON.stringify(request.model) }), isStream),
          framing: isStream ? 'events' : 'whole',
          stage: passResponses(this.#createStage(request), { isStream }),
          mapError: (failure) => {
            const error = this.#mapError(failure);
            return isStateRefusal(failure) ? asRefusedState(error) : error;
          },
          secrets: this.#secrets,
          deltas: responsesDeltas,
          signal,
        }),
    };
  }

  async listModels(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const request = {
      method: 'GET',
      url: endpointUrl(this.#baseUrl, '/models'),
      headers: bearerHeaders(this.#options, false),
    } as const;
    return readModelList(await sendForJson(this.#client, request, { mapError: this.#mapError, signal }));
  }

  /** OpenAI counts; most others do not know the path. */
  async countInputTokens(request: ModelRequest, signal: AbortSignal): Promise<number | null> {
    const { value: body } = toResponsesRequest(request, this.#profile);
    const call = this.#post('/responses/input_tokens', JSON.stringify(toTokenCountRequest(body)), false);
    const found = { isUnknown: false };
    const mapError = (failure: HttpFailure) => {
      found.isUnknown = [404, 405, 501].includes(failure.status);
      return this.#mapError(failure);
    };
    try {
      const answer = await sendForJson(this.#client, call, { mapError, signal });
      const count: unknown = isJsonObject(answer) ? answer['input_tokens'] : undefined;
      return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null;
    } catch (thrown) {
      if (found.isUnknown) return null;
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #post(path: string, body: string | Uint8Array, stream: boolean) {
    const headers = bearerHeaders(this.#options, stream);
    return { method: 'POST', url: endpointUrl(this.#baseUrl, path), headers, body } as const;
  }

  #createStage(request: ModelRequest): ResponsesTurnStage {
    return fromResponsesChunks({
      newId: this.#options.newId,
      model: request.model,
      toolNames: responsesToolNames(request),
      customTools: customToolNames(request),
      wantsLogprobs: request.topLogprobs !== null,
      cleanMessage: (text) => cleanMessage(text, this.#secrets),
    });
  }
}

/** State that was sealed for another model, key or server (`invalid_encrypted_content`), or an item that would have to be stored there. */
function isStateRefusal({ status, body }: HttpFailure): boolean {
  return (status === 400 || status === 404) && /encrypted[_ ]content|items are not persisted/i.test(body);
}
