import type { StoredResponse } from '../model/response-store.ts';
import type { ResponseEvent } from '../protocol/responses/event.ts';
import type { ResponseResource } from '../protocol/responses/response.ts';
import { decodeEventLog } from './model-event-log.ts';
import { ResponseBuilder } from './response-builder.ts';
import { withState } from './stored-items.ts';

/**
 * The events of a finished response, exactly as they were streamed (protocol.md §1.7): same ids, same pieces, same numbers, only those after `startingAfter`. The builder runs once more
 * over what the model did, so that there is no second way to make events.
 */
export function replayResponse(stored: StoredResponse, startingAfter: number | null): ResponseEvent[] {
  const { response, states } = stored;
  let next = 0;
  const shown = new Set(
    response.output.flatMap((item) => (item.type === 'reasoning' && item.encrypted_content !== undefined ? [item.id] : [])),
  );
  const builder = new ResponseBuilder(toCreated(response), {
    newId: (prefix) => {
      const item = response.output[prefix === 'call' ? next - 1 : next++];
      return (prefix === 'call' && item?.type === 'function_call' ? item.call_id : item?.id) ?? '';
    },
    completedAt: () => response.completed_at ?? 0,
    seal: (itemId) => (shown.has(itemId) ? states[itemId] : undefined),
  });
  const events = [...builder.begin()];
  for (const input of decodeEventLog(stored.events)) events.push(...builder.push([input]));
  events.push(...builder.end());
  return startingAfter === null ? events : events.filter((event) => event.sequence_number > startingAfter);
}

function toCreated(response: ResponseResource): ResponseResource {
  return {
    ...response,
    status: 'in_progress',
    completed_at: null,
    error: null,
    incomplete_details: null,
    output: [],
    service_tier: 'auto',
    usage: null,
  };
}

/** A stored response as `GET /v1/responses/{id}` shows it: with sealed reasoning only when `include` asks for it. */
export function showResponse(stored: StoredResponse, include: readonly string[]): ResponseResource {
  if (!include.includes('reasoning.encrypted_content')) return stored.response;
  return { ...stored.response, output: stored.response.output.map((item) => withState(item, stored.states)) };
}
