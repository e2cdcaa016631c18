import { GatewayError } from '../model/errors.ts';
import type { StoredItem, StoredResponse } from '../model/response-store.ts';
import type { InputItemParam } from '../protocol/responses/items.ts';
import type { CreateResponseRequest } from '../protocol/responses/request.ts';
import type { EngineDeps, RequestContext } from './deps.ts';
import type { HistoryItem } from './history-item.ts';
import { contextOf, fromStoredItem } from './stored-items.ts';
import { withoutRepeated } from './without-repeated.ts';

/** Everything the model should see, in order. */
export interface ResolvedInput {
  /** The response that the request goes on from: the one it names, or the last one of its conversation. */
  readonly previousResponseId: string | null;
  /** Which model made that response, as `backend/model`; null when there is none. */
  readonly previousModel: string | null;
  /** What the chain of previous responses brings. */
  readonly inherited: readonly HistoryItem[];
  /** The request's own input, references replaced by what they name, without what the chain already holds. */
  readonly own: readonly HistoryItem[];
}

type HistorySource = Pick<CreateResponseRequest, 'input' | 'previous_response_id' | 'conversation'>;

/**
 * Loads what a request points at. Unknown and foreign ids fail alike: `previous_response_not_found`, or `not_found` for an item. An unknown conversation is one that
 * begins now.
 */
export async function resolveInput(
  request: HistorySource,
  context: RequestContext,
  deps: Pick<EngineDeps, 'store'>,
): Promise<ResolvedInput> {
  const [previous, stored] = await Promise.all([
    loadPrevious(request, context, deps),
    deps.store.loadItems(idsToLookUp(request.input), context.owner),
  ]);
  const path = request.conversation === null ? 'previous_response_id' : 'conversation';
  const inherited = previous.chain.flatMap(contextOf).map((item) => ({ item, path }));
  const own = request.input.map((item, at) => ({ item: fillIn(item, stored, at), path: `input[${String(at)}]` }));
  const previousModel = previous.chain.at(-1)?.response.model ?? null;
  return { previousResponseId: previous.id, previousModel, inherited, own: withoutRepeated(own, inherited) };
}

async function loadPrevious(
  { previous_response_id, conversation }: HistorySource,
  { owner }: RequestContext,
  { store }: Pick<EngineDeps, 'store'>,
): Promise<{ readonly id: string | null; readonly chain: readonly StoredResponse[] }> {
  const head = conversation === null ? undefined : await store.loadConversation(conversation, owner);
  const id = head?.headResponseId ?? previous_response_id;
  if (id === null) return { id, chain: [] };
  const chain = await store.loadChain(id, owner);
  const oldest = chain[0];
  // A chain that breaks off would answer from half a conversation: better to say which response is gone.
  const missing = oldest === undefined ? id : oldest.previousResponseId;
  if (missing === null) return { id, chain };
  if (conversation === null) {
    const message = `Previous response with id '${missing}' not found.`;
    throw new GatewayError('previous_response_not_found', message, { param: 'previous_response_id' });
  }
  const message = `Response '${missing}' of this conversation is gone. Begin another one, or forget this one first (DELETE /v1/sessions/{conversation}).`;
  throw new GatewayError('previous_response_not_found', message, { param: 'conversation' });
}

function idsToLookUp(input: readonly InputItemParam[]): string[] {
  return input.flatMap((item) => {
    const isReference = item.type === 'item_reference';
    const lacksState = item.type === 'reasoning' && item.encrypted_content === undefined;
    return (isReference || lacksState) && item.id !== undefined ? [item.id] : [];
  });
}

/** A reference becomes the item it names; reasoning that came back without its state gets it from the store, if it is there. */
function fillIn(item: InputItemParam, stored: ReadonlyMap<string, StoredItem>, at: number): InputItemParam {
  if (item.type === 'item_reference') {
    const found = stored.get(item.id);
    if (found !== undefined) return fromStoredItem(found);
    const message = `Item with id '${item.id}' not found. Items are kept only for responses created with 'store' set to true.`;
    throw new GatewayError('not_found', message, { param: `input[${String(at)}].id` });
  }
  if (item.type !== 'reasoning' || item.encrypted_content !== undefined || item.id === undefined) return item;
  const sealed = stored.get(item.id)?.['encrypted_content'];
  return typeof sealed === 'string' ? { ...item, encrypted_content: sealed } : item;
}
