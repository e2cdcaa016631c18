import { GatewayError } from '../model/errors.ts';
import type { UpstreamSession } from '../model/session-store.ts';
import type { EngineDeps, RequestContext } from './deps.ts';
import { nameOf } from './list-sessions.ts';

/**
 * Forgets a conversation, or a session without a name, and has the upstreams delete what they hold of it; the responses stay. Waits for a turn that runs in the conversation. Returns what the
 * upstreams could not do: for the log. Throws `not_found` when this owner has none of that id, `conversation_locked` when the turn takes too long.
 */
export async function removeSession(
  id: string,
  { context, gone }: { readonly context: RequestContext; readonly gone: AbortSignal },
  deps: EngineDeps,
): Promise<readonly GatewayError[]> {
  const { owner } = context;
  const leave = await deps.conversationLock.enter({ owner, conversation: id }, gone);
  try {
    const forgotten = await forget(id, owner, deps);
    const troubles = await Promise.all(forgotten.map((session) => endUpstream(session, deps)));
    return troubles.filter((trouble) => trouble !== null);
  } finally {
    leave();
  }
}

async function forget(id: string, owner: string, { store }: EngineDeps): Promise<readonly UpstreamSession[]> {
  const sessions = (await store.listSessions(owner)).filter((session) => nameOf(session) === id);
  const isConversation = await store.removeConversation(id, owner);
  if (!isConversation && sessions.length === 0) {
    throw new GatewayError('not_found', `Session with id '${id.slice(0, 128)}' not found.`, { param: 'id' });
  }
  for (const { backend, upstreamId } of sessions) await store.removeSession({ backend, upstreamId });
  return sessions;
}

async function endUpstream({ backend, upstreamId }: UpstreamSession, { catalog }: EngineDeps): Promise<GatewayError | null> {
  try {
    const found = await catalog.findBackend(backend);
    await found?.endSession?.(upstreamId);
    return null;
  } catch (thrown) {
    return GatewayError.from(thrown);
  }
}
