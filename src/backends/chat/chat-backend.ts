import { editJsonMembers } from '../../lib/edit-json-members.ts';
import type { StatelessBackend, BackendTurn, ModelInfo, NativeTurn } from '../../model/backend.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import type { Secret } from '../../model/secret.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { createChatProfile, type ChatProfile, type ChatVendor } from '../../translate/chat/chat-profile.ts';
import { fromChatChunks, type ChatTurnStage } from '../../translate/chat/from-chat-chunks.ts';
import { takesChatNatively } from '../../translate/chat/takes-chat-natively.ts';
import { chatToolNames, toChatRequest } from '../../translate/chat/to-chat-request.ts';
import { bearerHeaders } from '../upstream/bearer-headers.ts';
import { cleanMessage } from '../upstream/clean-message.ts';
import type { DeltaForm } from '../upstream/delta-runs.ts';
import { knownSecrets } from '../upstream/known-secrets.ts';
import { mapChatHttpError } from '../upstream/map-chat-http-error.ts';
import type { MapError } from '../upstream/map-http-error.ts';
import { sendForJson } from '../upstream/read-json.ts';
import { readModelList } from '../upstream/read-model-list.ts';
import type { RemoteBackendOptions } from '../upstream/remote-backend-options.ts';
import { runNativeTurn } from '../upstream/run-native-turn.ts';
import { runUpstreamTurn } from '../upstream/run-upstream-turn.ts';
import { createUpstreamClient, type UpstreamClient, type UpstreamRequest } from '../upstream/upstream-client.ts';
import { endpointUrl, withVersion } from '../upstream/with-version.ts';

/** What changes from one delta to the next. Some servers count, and tell the time, in each. */
const chatDeltas: DeltaForm = {
  texts: ['content', 'reasoning_content', 'reasoning', 'arguments'],
  padding: ['obfuscation'],
  counts: ['created', 'prompt_tokens', 'completion_tokens', 'total_tokens'],
  number: null,
};

export interface ChatBackendOptions extends RemoteBackendOptions {
  /** Up to and including the version: `http://127.0.0.1:11434/v1`. A bare host gets `/v1`. */
  readonly baseUrl: string;
  /** Whose dialect it speaks; found by host and port when absent. */
  readonly vendor?: ChatVendor;
  /** The server leaves `<think>…</think>` in the text. */
  readonly thinkTags?: boolean;
}

/** Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, OpenRouter, DeepSeek, Groq, Mistral, OpenAI itself. Must be closed. */
export function createChatBackend(options: ChatBackendOptions): StatelessBackend {
  return new ChatBackend(options);
}

class ChatBackend implements StatelessBackend {
  readonly name: string;
  readonly #baseUrl: string;
  readonly #profile: ChatProfile;
  readonly #options: ChatBackendOptions;
  readonly #client: UpstreamClient;
  readonly #secrets: readonly Secret[];
  readonly #mapError: MapError;

  constructor(options: ChatBackendOptions) {
    const { name, apiKey, timeouts, caFile, vendor, thinkTags } = options;
    this.name = name;
    this.#baseUrl = withVersion(options.baseUrl);
    this.#options = options;
    this.#secrets = knownSecrets(apiKey, options.headers);
    this.#mapError = mapChatHttpError({ backendName: name, secrets: this.#secrets });
    this.#client = createUpstreamClient({ timeouts, ...(caFile !== undefined && { caFile }) });
    this.#profile = createChatProfile({
      baseUrl: this.#baseUrl,
      ...(vendor !== undefined && { vendor }),
      ...(thinkTags !== undefined && { thinkTags }),
    });
  }

  prepareTurn(request: ModelRequest): BackendTurn {
    const { value: body, losses } = toChatRequest(request, this.#profile);
    return {
      losses,
      stream: (signal) =>
        runUpstreamTurn({
          client: this.#client,
          request: this.#post(request, JSON.stringify(body)),
          stage: this.#createStage(request, prefixOf(body)),
          mapError: this.#mapError,
          signal,
        }),
    };
  }

  prepareNativeTurn(request: ModelRequest, { dialect, body, fields }: NativeRequest): NativeTurn | null {
    if (dialect !== 'chat' || !takesChatNatively(request, fields, this.#profile)) return null;
    return {
      stream: (signal) =>
        runNativeTurn({
          client: this.#client,
          request: this.#post(request, editJsonMembers(body, { model: JSON.stringify(request.model) })),
          framing: request.stream ? 'events' : 'whole',
          stage: this.#createStage(request, ''),
          mapError: this.#mapError,
          secrets: this.#secrets,
          deltas: chatDeltas,
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

  /** Chat completions have no endpoint for it. */
  async countInputTokens(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #post({ stream }: ModelRequest, body: string | Uint8Array): UpstreamRequest {
    const headers = bearerHeaders(this.#options, stream);
    return { method: 'POST', url: endpointUrl(this.#baseUrl, '/chat/completions'), headers, body };
  }

  #createStage(request: ModelRequest, echo: string): ChatTurnStage {
    return fromChatChunks({
      newId: this.#options.newId,
      model: request.model,
      profile: this.#profile,
      toolNames: chatToolNames(request, this.#profile),
      wantsLogprobs: request.topLogprobs !== null,
      echo,
      cleanMessage: (text) => cleanMessage(text, this.#secrets),
    });
  }
}

/** The text a server will repeat at the beginning of its answer. */
function prefixOf({ messages }: ChatRequest): string {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || last.prefix !== true || last.content === null) return '';
  if (typeof last.content === 'string') return last.content;
  return last.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
