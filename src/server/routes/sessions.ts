import { listSessions } from '../../engine/list-sessions.ts';
import { removeSession } from '../../engine/remove-session.ts';
import { reportTrouble } from '../channels.ts';
import { sendJson, type Exchange } from '../exchange.ts';
import { parseSessionsQuery } from '../parse-request/parse-query.ts';

/** `GET /v1/sessions`: conversations of this owner, the one used last first. */
export async function retrieveSessions(exchange: Exchange): Promise<void> {
  const { limit } = parseSessionsQuery(exchange.query);
  const sessions = await listSessions(exchange.context.owner, exchange.options.engine);
  sendJson(exchange, { object: 'list', data: sessions.slice(0, limit), has_more: sessions.length > limit });
}

/** `DELETE /v1/sessions/{id}`: names of conversations may hold slashes, so the rest of the path is the id. What upstreams could not delete is only logged: here it is gone. */
export async function deleteSession(exchange: Exchange): Promise<void> {
  const id = exchange.params['*'] ?? '';
  const troubles = await removeSession(id, exchange, exchange.options.engine);
  for (const error of troubles) {
    reportTrouble({ requestId: exchange.id, trouble: 'a session could not be deleted on its upstream', error });
  }
  sendJson(exchange, { id, object: 'session', deleted: true });
}
