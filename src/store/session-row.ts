import type { StoredConversation, UpstreamSession } from '../model/session-store.ts';
import { decodeKey, encodeKey } from './stored-row.ts';

/** A named conversation as columns. Ids are keys (`encodeKey`). */
export type ConversationRow = { readonly [K in keyof StoredConversation]: StoredConversation[K] };

/** A session as columns. Ids are keys (`encodeKey`). */
export interface SessionRow extends SessionKey {
  readonly owner: string;
  readonly headId: string;
  readonly conversation: string | null;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Unix seconds. */
  readonly lastUsedAt: number;
}

export interface SessionKey {
  readonly backend: string;
  readonly upstreamId: string;
}

/** The conversation with its ids as they were given. */
export function decodeConversation({ id, owner, headResponseId, ...times }: ConversationRow): StoredConversation {
  return { id: decodeKey(id), owner: decodeKey(owner), headResponseId: decodeKey(headResponseId), ...times };
}

export function encodeSession(session: UpstreamSession): SessionRow {
  const { conversation, createdAt, lastUsedAt } = session;
  return {
    ...encodeSessionKey(session),
    owner: encodeKey(session.owner),
    headId: encodeKey(session.headResponseId),
    conversation: conversation === null ? null : encodeKey(conversation),
    createdAt,
    lastUsedAt,
  };
}

/** The two names that make a session unique. */
export function encodeSessionKey({ backend, upstreamId }: SessionKey): SessionKey {
  return { backend: encodeKey(backend), upstreamId: encodeKey(upstreamId) };
}

/** The session as it was when it was saved. */
export function decodeSession(row: SessionRow): UpstreamSession {
  const { conversation, createdAt, lastUsedAt } = row;
  return {
    backend: decodeKey(row.backend),
    upstreamId: decodeKey(row.upstreamId),
    owner: decodeKey(row.owner),
    headResponseId: decodeKey(row.headId),
    conversation: conversation === null ? null : decodeKey(conversation),
    createdAt,
    lastUsedAt,
  };
}
