import type { ResponseResource } from '../protocol/responses/response.ts';
import type { Loss } from './loss.ts';
import type { ConversationStore, SessionStore } from './session-store.ts';

/** An item as `GET /v1/responses/{id}/input_items` shows it, and as an `item_reference` finds it. It always has an id. */
export type StoredItem = { readonly id: string; readonly type: string; readonly [key: string]: unknown };

/** A finished response with everything that later requests may need of it. Plain JSON. */
export interface StoredResponse {
  readonly id: string;
  /** Whose it is: a key's hash, or `local` on a gateway without keys. Nobody else ever learns that it exists. */
  readonly owner: string;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly previousResponseId: string | null;
  /** The named conversation that this response carries on, or null. */
  readonly conversation: string | null;
  /** The response as its client saw it last. */
  readonly response: ResponseResource;
  /** This request's own input (not that of the chain), in order, every item with an id. */
  readonly input: readonly StoredItem[];
  /** Sealed reasoning state by reasoning item id: also for clients that did not ask for `encrypted_content`. */
  readonly states: { readonly [itemId: string]: string };
  /** What the model did, in the compact form of `engine/model-event-log`: enough to stream the same events with the same numbers again. */
  readonly events: string;
  readonly losses: readonly Loss[];
}

/** Which responses may go: those older than `olderThan`, then the oldest ones until the store holds at most `maxBytes`. */
export interface RetentionPolicy {
  /** Unix seconds; null = no limit by age. */
  readonly olderThan: number | null;
  /** Bytes of stored JSON; null = no limit by size. */
  readonly maxBytes: number | null;
}

/**
 * The port to durable state. Every look-up takes the owner: a foreign id answers exactly like an unknown one. Errors are GatewayErrors: `storage_full`,
 * `storage_unavailable`.
 */
export interface ResponseStore extends ConversationStore, SessionStore {
  /**
   * Durable when it resolves. An id that exists already is refused with an Error: ids are random. With `conversation`, the conversation's head moves to this response in the same
   * transaction (and a new one is made); when its head is not `previousResponseId` any more, nothing is written and `conversation_locked` is thrown. A failed response moves no head.
   */
  saveResponse(stored: StoredResponse): Promise<void>;
  loadResponse(id: string, owner: string): Promise<StoredResponse | undefined>;
  /** The response and all its ancestors by `previousResponseId`, oldest first. Ends early, with the oldest that is there, when an ancestor is gone. */
  loadChain(id: string, owner: string): Promise<readonly StoredResponse[]>;
  /** Removes the response and its items. False when there is none. */
  removeResponse(id: string, owner: string): Promise<boolean>;
  /** Input and output items by id, with `encrypted_content` filled in from `states`. Unknown ids are missing in the map. */
  loadItems(ids: readonly string[], owner: string): Promise<ReadonlyMap<string, StoredItem>>;
  /** Throws `storage_full` / `storage_unavailable` while the last write failed and a trial write fails too: called before a model is asked in vain. */
  ensureWritable(): Promise<void>;
  /** Removes what the policy lets go, but never an ancestor of a response that stays. Returns how many responses went. */
  pruneResponses(policy: RetentionPolicy): Promise<number>;
  close(): Promise<void>;
}
