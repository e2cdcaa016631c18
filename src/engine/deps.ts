import type { ModelCatalog } from '../model/model-catalog.ts';
import type { ResponseStore } from '../model/response-store.ts';
import type { ConversationLock } from './conversation-lock.ts';
import type { ReasoningEnvelope } from './reasoning-envelope.ts';
import type { Router } from './routing/router.ts';

/** What the engine needs from outside: it has no clock, randomness, storage or network of its own. */
export interface EngineDeps {
  readonly catalog: ModelCatalog;
  readonly router: Router;
  readonly store: ResponseStore;
  readonly envelope: ReasoningEnvelope;
  readonly conversationLock: ConversationLock;
  /** A fresh id with that prefix and at least 128 random bits: `newId('resp')` → `resp_…`. */
  readonly newId: (prefix: string) => string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Tokens of a text, for backends that do not count. */
  readonly countTextTokens: (text: string) => Promise<number>;
}

/** Who asks, and how strictly. */
export interface RequestContext {
  /** Owner of what is stored and looked up: a key's hash, or `local`. */
  readonly owner: string;
  /** `antiphon-strict: true`: any loss is refused with a 400 instead of being reported. */
  readonly strict: boolean;
}
