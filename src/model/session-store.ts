/** A conversation that lives on an upstream with a memory of its own (a cascade), and where it stands. */
export interface UpstreamSession {
  /** Name of the backend. */
  readonly backend: string;
  /** The upstream's id of it. */
  readonly upstreamId: string;
  readonly owner: string;
  /** The response after which it stands: a turn with this `previous_response_id` goes on in it, every other one is a branch. */
  readonly headResponseId: string;
  /** The client's name of the conversation, or null. */
  readonly conversation: string | null;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Unix seconds. */
  readonly lastUsedAt: number;
}

/** A named conversation of a client: any string. Its history is the chain of responses that ends in `headResponseId`. */
export interface StoredConversation {
  readonly id: string;
  readonly owner: string;
  readonly headResponseId: string;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Unix seconds. */
  readonly lastUsedAt: number;
}

/** Which upstream holds which conversation. Durable when it resolves; every look-up takes the owner. Errors are GatewayErrors: `storage_full`, `storage_unavailable`. */
export interface SessionStore {
  /** Writes the session; one with the same backend and upstreamId is replaced. */
  saveSession(session: UpstreamSession): Promise<void>;
  /** The session of that backend that stands after that response; the one used last, if there are several. */
  loadSession(key: {
    readonly backend: string;
    readonly headResponseId: string;
    readonly owner: string;
  }): Promise<UpstreamSession | undefined>;
  /** Removes it; nothing happens when there is none. */
  removeSession(key: { readonly backend: string; readonly upstreamId: string }): Promise<void>;
  /** All sessions of that owner, the one used last first. */
  listSessions(owner: string): Promise<readonly UpstreamSession[]>;
}

/** Named conversations; `ResponseStore.saveResponse` moves their heads. */
export interface ConversationStore {
  loadConversation(id: string, owner: string): Promise<StoredConversation | undefined>;
  /** All conversations of that owner, the one used last first. */
  listConversations(owner: string): Promise<readonly StoredConversation[]>;
  /** Forgets the name; its responses stay. False when there is none. */
  removeConversation(id: string, owner: string): Promise<boolean>;
}
