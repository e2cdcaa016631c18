/** One entry of `GET /v1/sessions`: a conversation and what holds it. An extension of ours. */
export interface SessionResource {
  object: 'session';
  /** What `DELETE /v1/sessions/{id}` takes: the client's name of the conversation, or the upstream's id of one without a name. */
  id: string;
  conversation: string | null;
  /** Null: no upstream with a memory of its own holds it. */
  backend: string | null;
  upstream_id: string | null;
  last_response_id: string;
  /** Unix seconds. */
  created_at: number;
  /** Unix seconds. */
  last_used_at: number;
}
