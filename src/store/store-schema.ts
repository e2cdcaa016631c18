import type { Generated } from 'kysely';

/** The tables, the same in every engine; `migrations/` creates them. All ids are keys (`encodeKey`). */
export interface StoreSchema {
  responses: {
    /** Order of saving. */
    seq: Generated<number>;
    id: string;
    owner: string;
    previous_id: string | null;
    /** Unix seconds. */
    created_at: number;
    /** What retention counts. */
    bytes: number;
    states: string;
    body: string;
    /** The events text as a JSON string: a database text cannot hold every string. */
    events: string;
  };
  /** Where an item is found: one row per item and response, so that a response that goes takes only its own rows with it. */
  items: {
    response_seq: number;
    item_id: string;
    /** Repeated here so that a look-up never walks through other owners' items of the same name. */
    owner: string;
    /** 1 when `states` of the response has a sealed state of this item. */
    has_state: number;
  };
  /** Named conversations. One goes with its head, by the foreign key. */
  conversations: {
    owner: string;
    id: string;
    head_seq: number;
    /** Unix seconds. */
    created_at: number;
    /** Unix seconds. */
    last_used_at: number;
  };
  /** Conversations that live on upstreams. The head is an id: a session is saved before its response is. */
  sessions: {
    /** Order of saving. */
    seq: Generated<number>;
    backend: string;
    upstream_id: string;
    owner: string;
    head_id: string;
    conversation: string | null;
    /** Unix seconds. */
    created_at: number;
    /** Unix seconds. */
    last_used_at: number;
  };
  /** Trial writes; always empty in between. */
  trials: { data: string };
}
