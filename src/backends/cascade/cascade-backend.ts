import type { Backend, BackendTurn, ModelInfo } from '../../model/backend.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { Secret } from '../../model/secret.ts';
import { isCascadeGone } from '../../translate/cascade/map-cascade-error.ts';
import { toCascadeLosses } from '../../translate/cascade/to-cascade-losses.ts';
import { canGoOn } from '../../translate/cascade/to-turn-message.ts';
import { runCascadeTurn } from './run-cascade-turn.ts';
import { RunningCascades } from './running-cascades.ts';
import { loadKnown } from './send-turn.ts';
import type { CascadeSurroundings } from './turn-context.ts';

export interface CascadeBackendOptions extends CascadeSurroundings {
  /** Where the server's access token is kept; null: it takes none. */
  readonly token: { readonly set: (token: Secret) => void } | null;
}

/** How long `close` waits for runs that are being cancelled. */
const closeMs = 5_000;

/** An agent server as a model: one cascade for each conversation. Must be closed, which closes the server's connections too; the store and the tap are not its own. */
export function createCascadeBackend(options: CascadeBackendOptions): Backend {
  return new CascadeBackend(options);
}

class CascadeBackend implements Backend {
  readonly name: string;
  /** Whether an agent took a message before the connection broke cannot be told, and it may have acted. */
  readonly failures = 'not-retried';
  declare readonly setToken?: (token: Secret) => void;
  readonly #options: CascadeBackendOptions;
  readonly #running = new RunningCascades();

  constructor(options: CascadeBackendOptions) {
    const { name, token } = options;
    this.name = name;
    this.#options = options;
    if (token !== null) {
      this.setToken = (value) => {
        token.set(value);
      };
    }
  }

  async prepareTurn(request: ModelRequest): Promise<BackendTurn> {
    const known = canGoOn(request) ? await loadKnown(this.#options, request) : undefined;
    const context = { ...this.#options, request, known, running: this.#running };
    return {
      losses: toCascadeLosses(request, { isFresh: known === undefined, hasTap: this.#options.tap !== null }),
      stream: (signal) => runCascadeTurn(context, signal),
    };
  }

  async listModels(signal: AbortSignal): Promise<readonly ModelInfo[]> {
    const models = await this.#options.server.listModels(signal);
    return models.map(({ id }) => ({ id, created: null, ownedBy: null }));
  }

  /** Agent servers count only what a model has already read. */
  countInputTokens(): Promise<null> {
    return Promise.resolve(null);
  }

  async endSession(upstreamId: string): Promise<void> {
    const { server, sessions, name } = this.#options;
    try {
      await server.removeCascade(upstreamId, new AbortController().signal);
    } catch (error) {
      if (!isCascadeGone(error)) throw error;
    }
    await sessions.removeSession({ backend: name, upstreamId });
  }

  async close(): Promise<void> {
    const { server, wait } = this.#options;
    const enough = new AbortController();
    await Promise.race([this.#running.settle(), wait(closeMs, enough.signal)]);
    enough.abort();
    await server.close();
  }
}
