import type { Loss } from '../../model/loss.ts';
import type { SentTurn } from './send-turn.ts';
import type { TurnContext } from './turn-context.ts';

/**
 * The turn ended well: its cascade now stands after the response, and the next turn can go on in it. A response is not lost because this could not be written down: the next turn
 * then begins a new cascade. Throws when the turn was broken off meanwhile.
 */
export async function keepSession(context: TurnContext, sent: SentTurn, signal: AbortSignal): Promise<readonly Loss[]> {
  const { name, server, sessions, request, running, now } = context;
  const { cascadeId } = sent;
  if (request.session === null) {
    running.track(server.archiveCascade(cascadeId));
    return [];
  }
  const { owner, responseId, conversation } = request.session;
  const lastUsedAt = Math.floor(now() / 1000);
  try {
    // The turn before a re-ask belongs to the same response, but its answer was refused.
    const refused = await sessions.loadSession({ backend: name, headResponseId: responseId, owner });
    if (refused !== undefined && refused.upstreamId !== cascadeId) {
      await sessions.removeSession({ backend: name, upstreamId: refused.upstreamId });
      running.track(server.archiveCascade(refused.upstreamId));
    }
    await sessions.saveSession({
      ...{ backend: name, upstreamId: cascadeId, owner, headResponseId: responseId, conversation, lastUsedAt },
      createdAt: sent.session?.createdAt ?? lastUsedAt,
    });
  } catch {
    running.track(server.archiveCascade(cascadeId));
    return [unkept];
  }
  if (signal.aborted) {
    await sessions.removeSession({ backend: name, upstreamId: cascadeId });
    signal.throwIfAborted();
  }
  return [];
}

const unkept: Loss = {
  path: 'conversation',
  action: 'dropped',
  reason:
    'where the conversation stands on the agent server could not be stored; its next turn begins a new one there and tells the history again',
};
