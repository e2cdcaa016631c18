import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import type { Backend, BackendTurn, ModelInfo } from '../../model/backend.ts';
import type { GatewayError } from '../../model/errors.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { Secret } from '../../model/secret.ts';
import type { AiSdkModel } from '../../protocol/ai-sdk/model.ts';
import { createAiSdkProfile } from '../../translate/ai-sdk/ai-sdk-profile.ts';
import { fromAiSdkParts, type AiSdkStage } from '../../translate/ai-sdk/from-ai-sdk-parts.ts';
import { aiSdkToolNames, toAiSdkRequest } from '../../translate/ai-sdk/to-ai-sdk-request.ts';
import { cleanMessage } from '../upstream/clean-message.ts';
import { knownSecrets } from '../upstream/known-secrets.ts';
import { loadAiSdkProvider, type OpenAiSdkModel } from './load-ai-sdk-provider.ts';
import { mapAiSdkError } from './map-ai-sdk-error.ts';
import { findOptionSecrets } from './option-secrets.ts';
import { runAiSdkTurn } from './run-ai-sdk-turn.ts';

export interface AiSdkBackendOptions {
  readonly name: string;
  /** For example `@ai-sdk/xai`. */
  readonly packageName: string;
  /** For the provider's factory: `apiKey`, `baseURL` and whatever else it knows. */
  readonly options: JsonObject;
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What `listModels` shows: a provider cannot list. */
  readonly modelIds: readonly string[];
  /** Where the package may be installed. */
  readonly folders: readonly string[];
  readonly timeouts: { readonly firstByteMs: number; readonly idleMs: number };
  readonly newId: (prefix: string) => string;
}

/** Any installed provider of the Vercel AI SDK with the interface LanguageModelV3. It does its own HTTP. Throws GatewayError, for the operator, when the package is missing or is no such provider. */
export async function createAiSdkBackend(options: AiSdkBackendOptions): Promise<Backend> {
  const { name, packageName, folders } = options;
  const secrets = [...findOptionSecrets(options.options), ...knownSecrets(null, options.headers)];
  const clean = (text: string): string | undefined => cleanMessage(text, secrets);
  const openModel = await loadAiSdkProvider({ backendName: name, packageName, options: options.options, folders, clean });
  return new AiSdkBackend(options, openModel, secrets);
}

class AiSdkBackend implements Backend {
  readonly name: string;
  readonly #options: AiSdkBackendOptions;
  readonly #openModel: OpenAiSdkModel;
  readonly #secrets: readonly Secret[];

  constructor(options: AiSdkBackendOptions, openModel: OpenAiSdkModel, secrets: readonly Secret[]) {
    this.name = options.name;
    this.#options = options;
    this.#openModel = openModel;
    this.#secrets = secrets;
  }

  async prepareTurn(request: ModelRequest): Promise<BackendTurn> {
    const { packageName, headers = {}, timeouts } = this.#options;
    const model = this.#open(request.model);
    const profile = createAiSdkProfile(model.provider, packageName);
    const supported = await readSupportedUrls(model);
    const acceptsUrl = (mediaType: string, url: string): boolean => isSupported(supported, mediaType, url);
    const { value, losses } = toAiSdkRequest(request, { profile, acceptsUrl });
    const callOptions = { ...value, ...(Object.keys(headers).length > 0 && { headers }) };
    const mapError = (thrown: unknown, isReading: boolean): GatewayError => this.#mapError(thrown, isReading);
    const isStream = request.stream;
    return {
      losses,
      stream: (signal) =>
        runAiSdkTurn({ model, callOptions, isStream, stage: this.#createStage(request), mapError, timeouts, signal }),
    };
  }

  listModels(): Promise<readonly ModelInfo[]> {
    return Promise.resolve(this.#options.modelIds.map((id) => ({ id, created: null, ownedBy: null })));
  }

  /** A provider cannot count. */
  countInputTokens(): Promise<number | null> {
    return Promise.resolve(null);
  }

  /** A provider has nothing that could be closed. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #open(modelId: string): AiSdkModel {
    try {
      return this.#openModel(modelId);
    } catch (thrown) {
      throw this.#mapError(thrown, false);
    }
  }

  #mapError(thrown: unknown, isReading: boolean): GatewayError {
    return mapAiSdkError(thrown, { backendName: this.name, secrets: this.#secrets }, isReading);
  }

  #createStage(request: ModelRequest): AiSdkStage {
    return fromAiSdkParts({
      newId: this.#options.newId,
      model: request.model,
      toolNames: aiSdkToolNames(request),
      isStream: request.stream,
      mapError: (error) => this.#mapError(error, true),
      cleanMessage: (text) => cleanMessage(text, this.#secrets),
    });
  }
}

type UrlPatterns = readonly (readonly [mediaType: string, patterns: readonly RegExp[]])[];

async function readSupportedUrls(model: AiSdkModel): Promise<UrlPatterns> {
  const supported: unknown = await model.supportedUrls;
  if (!isJsonObject(supported)) return [];
  return Object.entries(supported).map(([mediaType, patterns]) => [
    mediaType.toLowerCase(),
    Array.isArray(patterns) ? patterns.filter((pattern) => pattern instanceof RegExp) : [],
  ]);
}

function isSupported(supported: UrlPatterns, mediaType: string, url: string): boolean {
  return supported.some(([type, patterns]) => {
    const isOfType =
      type === '*' || type === '*/*' || type === mediaType || (type.endsWith('/*') && mediaType.startsWith(type.slice(0, -1)));
    // A pattern with a memory (`g`) would miss every second URL.
    return (
      isOfType &&
      patterns.some((pattern) => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(url.toLowerCase()))
    );
  });
}
