import type { StoredConversation, UpstreamSession } from '../model/session-store.ts';
import type { SessionResource } from '../protocol/responses/session.ts';
import type { EngineDeps } from './deps.ts';

/**
 * Everything of that owner that goes on from turn to turn, the one used last first: each named conversation once, with the upstream that holds it, and the upstream sessions
 * without a name.
 */
export async function listSessions(owner: string, { store }: Pick<EngineDeps, 'store'>): Promise<readonly SessionResource[]> {
  const [conversations, sessions] = await Promise.all([store.listConversations(owner), store.listSessions(owner)]);
  const byName = new Map<string, UpstreamSession>();
  for (const session of sessions) {
    // The one used last comes first.
    if (session.conversation !== null && !byName.has(session.conversation)) byName.set(session.conversation, session);
  }
  const shown = conversations.map((conversation) => {
    const session = byName.get(conversation.id);
    byName.delete(conversation.id);
    return fromConversation(conversation, session);
  });
  const unnamed = sessions.filter(({ conversation }) => conversation === null);
  // A session is saved before its response: one whose conversation is still unknown belongs to a first turn that is ending, or could not be stored.
  return [...shown, ...[...unnamed, ...byName.values()].map(fromSession)].sort((a, b) => b.last_used_at - a.last_used_at);
}

function fromConversation(conversation: StoredConversation, session: UpstreamSession | undefined): SessionResource {
  return {
    object: 'session',
    id: conversation.id,
    conversation: conversation.id,
    backend: session?.backend ?? null,
    upstream_id: session?.upstreamId ?? null,
    last_response_id: conversation.headResponseId,
    created_at: conversation.createdAt,
    last_used_at: conversation.lastUsedAt,
  };
}

function fromSession(session: UpstreamSession): SessionResource {
  return {
    object: 'session',
    id: nameOf(session),
    conversation: session.conversation,
    backend: session.backend,
    upstream_id: session.upstreamId,
    last_response_id: session.headResponseId,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
  };
}

/** The id under which a session is shown and removed. */
export function nameOf({ conversation, upstreamId }: UpstreamSession): string {
  return conversation ?? upstreamId;
}
