import type { ModelRequest } from '../../model/model-request.ts';
import type { ModelTap } from '../../model/model-tap.ts';
import type { SessionStore, UpstreamSession } from '../../model/session-store.ts';
import type { AgentServer } from './agent-server.ts';
import type { RunningCascades } from './running-cascades.ts';

/** What all turns of a backend share. */
export interface CascadeSurroundings {
  /** Name of the backend. */
  readonly name: string;
  readonly server: AgentServer;
  /** Which cascade stands after which response. */
  readonly sessions: SessionStore;
  /** Null: function tools, settings and exact texts are out of reach. */
  readonly tap: ModelTap | null;
  /** Whether the agent keeps tools and prompts of its own. */
  readonly ownTools: 'keep' | 'drop';
  /** What `NAME/default` stands for; null: the first model of the server. */
  readonly defaultModel: string | null;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Ends after that time, or as soon as the signal aborts; whether it rejects then does not matter. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** One turn. */
export interface TurnContext extends CascadeSurroundings {
  readonly request: ModelRequest;
  /** The cascade that stands where this turn goes on, as far as was known when the turn was prepared. */
  readonly known: UpstreamSession | undefined;
  readonly running: RunningCascades;
}
