import type { BackendTurn } from '../model/backend.ts';
import type { Loss } from '../model/loss.ts';
import type { ResolvedModel } from '../model/model-catalog.ts';
import type { ModelRequest } from '../model/model-request.ts';
import type { CreateResponseRequest } from '../protocol/responses/request.ts';
import type { ResponseResource } from '../protocol/responses/response.ts';
import type { InputItemParam } from '../protocol/responses/items.ts';
import type { EngineDeps, RequestContext } from './deps.ts';
import { estimateInputTokens } from './estimate-tokens.ts';
import { newResponse } from './new-response.ts';
import { resolveInput } from './resolve-input.ts';
import { settleLosses } from './settle-losses.ts';
import { toInputItems } from './to-input-items.ts';
import { toModelRequest } from './to-model-request.ts';

/** A request that has been resolved and translated, and for which nothing has been sent yet. */
export interface PreparedResponse {
  readonly context: RequestContext;
  /** The response as `response.created` shows it. */
  readonly response: ResponseResource;
  /** The request's own input, for the store. */
  readonly ownInput: readonly InputItemParam[];
  readonly resolved: ResolvedModel;
  readonly modelRequest: ModelRequest;
  readonly turn: BackendTurn;
  /** What will not survive; already refused in strict mode. */
  readonly losses: readonly Loss[];
  /** Whether the client sees `encrypted_content`: it asked, or it keeps the history itself. */
  readonly showsState: boolean;
}

/**
 * Everything of a request that can be done before a model is asked: history, references, envelopes, model name, translation, losses, and whether the answer could be stored.
 * Throws GatewayError with the status and `param` the client should see.
 */
export async function prepareResponse(
  request: CreateResponseRequest,
  found: { readonly context: RequestContext; readonly losses: readonly Loss[] },
  deps: EngineDeps,
): Promise<PreparedResponse> {
  const { context } = found;
  const resolved = await deps.catalog.resolveModel(request.model);
  const { modelRequest, ownInput, losses } = await resolveRequest(request, { context, model: resolved.model }, deps);
  const turn = resolved.backend.prepareTurn(modelRequest);
  const all = [...found.losses, ...losses, ...turn.losses];
  settleLosses(all, context);
  if (request.store) await deps.store.ensureWritable();
  const createdAt = Math.floor(deps.now() / 1000);
  return {
    context,
    response: newResponse(request, { id: deps.newId('resp'), createdAt, model: resolved.publicName }),
    ownInput,
    resolved,
    modelRequest,
    turn,
    losses: all,
    showsState: !request.store || request.include.includes('reasoning.encrypted_content'),
  };
}

/** Tokens of a request's input: counted by the backend where it can, else estimated (protocol.md §1.1, `input_tokens`). */
export async function countInputTokens(
  request: CreateResponseRequest,
  found: { readonly context: RequestContext; readonly signal: AbortSignal },
  deps: EngineDeps,
): Promise<{ readonly inputTokens: number; readonly losses: readonly Loss[] }> {
  const resolved = await deps.catalog.resolveModel(request.model);
  const { modelRequest, losses } = await resolveRequest(request, { context: found.context, model: resolved.model }, deps);
  const counted = await resolved.backend.countInputTokens(modelRequest, found.signal);
  if (counted !== null) return { inputTokens: counted, losses };
  const estimate: Loss = {
    path: 'input_tokens',
    action: 'estimated',
    reason: 'this model server does not count tokens; a general tokenizer did',
  };
  return { inputTokens: await estimateInputTokens(modelRequest, deps.countTextTokens), losses: [...losses, estimate] };
}

async function resolveRequest(
  request: CreateResponseRequest,
  { context, model }: { readonly context: RequestContext; readonly model: string },
  deps: EngineDeps,
): Promise<{ modelRequest: ModelRequest; ownInput: readonly InputItemParam[]; losses: readonly Loss[] }> {
  const { history, own } = await resolveInput(request, context, deps);
  const input = toInputItems(history, context, deps.envelope);
  const translated = toModelRequest(request, model, input.items);
  return { modelRequest: translated.value, ownInput: own, losses: [...input.losses, ...translated.losses] };
}
