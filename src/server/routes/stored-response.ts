import { listInputItems } from '../../engine/list-input-items.ts';
import { replayResponse, showResponse } from '../../engine/replay-response.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Loss } from '../../model/loss.ts';
import type { StoredResponse } from '../../model/response-store.ts';
import { doneFrame, encodeSse } from '../deliver/encode-sse.ts';
import { sendJson, timing, type Exchange } from '../exchange.ts';
import { lossHeader } from '../losses-header.ts';
import { parseInputItemsQuery, parseRetrieveQuery } from '../parse-request/parse-query.ts';

/** `GET /v1/responses/{id}`: the response, or with `stream=true` its events after `starting_after`. */
export async function retrieveResponse(exchange: Exchange): Promise<void> {
  const query = parseRetrieveQuery(exchange.query);
  const stored = await loadOwn(exchange);
  if (!query.stream) {
    sendJson(exchange, showResponse(stored, query.include), lossHeader(stored.losses));
    return;
  }
  const frames = encodeSse(replayResponse(stored, query.startingAfter));
  exchange.raw
    .writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...timing(exchange) })
    .end(frames + doneFrame);
}

/** `DELETE /v1/responses/{id}` */
export async function deleteResponse(exchange: Exchange): Promise<void> {
  const id = idOf(exchange);
  const isRemoved = await exchange.options.engine.store.removeResponse(id, exchange.context.owner);
  if (!isRemoved) throw notFound(id);
  sendJson(exchange, { id, object: 'response', deleted: true });
}

/** `POST /v1/responses/{id}/cancel`: only background responses can be cancelled, and this gateway has none yet. A foreground one is cancelled by closing its connection. */
export async function cancelResponse(exchange: Exchange): Promise<void> {
  await loadOwn(exchange);
  throw new GatewayError(
    'invalid_request_error',
    'Cannot cancel a response that was not created with background: true. Close its connection instead.',
  );
}

/** `GET /v1/responses/{id}/input_items` */
export async function retrieveInputItems(exchange: Exchange): Promise<void> {
  const query = parseInputItemsQuery(exchange.query);
  const id = idOf(exchange);
  const chain = await exchange.options.engine.store.loadChain(id, exchange.context.owner);
  if (chain.length === 0) throw notFound(id);
  const missing = chain[0]?.previousResponseId ?? null;
  const loss: Loss[] =
    missing === null
      ? []
      : [{ path: 'previous_response_id', action: 'dropped', reason: `response ${missing}, with what was before it, is gone` }];
  sendJson(exchange, listInputItems(chain, query), lossHeader(loss));
}

async function loadOwn(exchange: Exchange): Promise<StoredResponse> {
  const id = idOf(exchange);
  const stored = await exchange.options.engine.store.loadResponse(id, exchange.context.owner);
  if (stored === undefined) throw notFound(id);
  return stored;
}

function idOf({ params }: Exchange): string {
  const id = params['id'] ?? '';
  // Nothing else was ever given out: it cannot be found, and need not be looked for.
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(id)) throw notFound(id.slice(0, 64));
  return id;
}

function notFound(id: string): GatewayError {
  return new GatewayError('not_found', `Response with id '${id}' not found.`, { param: 'id' });
}
