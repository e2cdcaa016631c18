import { GatewayError } from '../model/errors.ts';
import type { Loss } from '../model/loss.ts';
import type { ModelRoute } from '../model/model-catalog.ts';
import type { ModelRequest, TurnSession } from '../model/model-request.ts';
import type { NativeRequest } from '../model/native-request.ts';
import type { CreateResponseRequest } from '../protocol/responses/request.ts';
import type { ResponseResource } from '../protocol/responses/response.ts';
import type { InputItemParam } from '../protocol/responses/items.ts';
import type { EngineDeps, RequestContext } from './deps.ts';
import { estimateInputTokens } from './estimate-tokens.ts';
import { newResponse } from './new-response.ts';
import { resolveInput } from './resolve-input.ts';
import { RoutedCall } from './routing/routed-call.ts';
import { settleLosses } from './settle-losses.ts';
import { toInputItems, type TranslatedHistory } from './to-input-items.ts';
import { toModelRequest } from './to-model-request.ts';

/** A request that has been resolved and translated, and for which nothing has been sent yet. */
export interface PreparedResponse {
  readonly context: RequestContext;
  /** The response as `response.created` shows it, but for `model`: that is the model that was asked for first, and another one may answer. */
  readonly response: ResponseResource;
  /** The request's own input, for the store. */
  readonly ownInput: readonly InputItemParam[];
  /** Where the turn stands; every model is told so. */
  readonly session: TurnSession;
  /** Translated for the first model that can take it. */
  readonly call: RoutedCall;
  /** What will not survive a translation, whichever model answers; already refused in strict mode. */
  readonly losses: readonly Loss[];
  /** Whether the client sees `encrypted_content`: it asked, or it keeps the history itself. */
  readonly showsState: boolean;
  /** Lets the next turn of the conversation in. Called when this one is over in any way. */
  readonly leave: () => void;
}

/** Who asks, in which session (in the client's words, or null), what was lost before, the client's own words, and the signal of the client's leaving. */
interface Found {
  readonly context: RequestContext;
  readonly sessionKey: string | null;
  readonly losses: readonly Loss[];
  /** The request in the client's own words, where nothing of ours is in them. */
  readonly native?: NativeRequest | null;
  readonly gone: AbortSignal;
}

/**
 * Everything of a request that can be done before a model is asked: its place in the conversation, history, references, envelopes, model name, translation, losses, and whether the answer
 * could be stored. Throws GatewayError with the status and `param` the client should see. What it returns holds the conversation: run it, or call `leave`.
 */
export async function prepareResponse(request: CreateResponseRequest, found: Found, deps: EngineDeps): Promise<PreparedResponse> {
  const route = await deps.catalog.resolveRoute(request.model);
  const leave = await enterConversation(request, found, deps);
  try {
    return { ...(await prepareTurn(request, { ...found, route }, deps)), leave };
  } catch (thrown) {
    leave();
    throw thrown;
  }
}

async function enterConversation(
  { conversation }: CreateResponseRequest,
  { context, gone }: Found,
  { conversationLock }: EngineDeps,
): Promise<() => void> {
  if (conversation === null) return () => undefined;
  return conversationLock.enter({ owner: context.owner, conversation }, gone);
}

async function prepareTurn(
  asked: CreateResponseRequest,
  found: Found & { readonly route: ModelRoute },
  deps: EngineDeps,
): Promise<Omit<PreparedResponse, 'leave'>> {
  const { context } = found;
  const { request, loss } = withStore(asked);
  const history = await loadHistory(request, context, deps);
  // An unknown conversation has no context that could be answered without input.
  if (history.items.length === 0 && request.input.length === 0) {
    throw new GatewayError('missing_required_parameter', "Missing required parameter: 'input'. The conversation is empty.", {
      param: 'input',
    });
  }
  const id = deps.newId('resp');
  const session: TurnSession = {
    owner: context.owner,
    responseId: id,
    previousResponseId: history.previousResponseId,
    conversation: request.conversation,
    inheritedItems: history.inheritedItems,
  };
  // Each target of the route puts its own id in place of this one.
  const translated = toModelRequest(request, { model: '', input: history.items, session });
  const losses = [...found.losses, ...loss, ...history.losses, ...translated.losses];
  // A target that is asked in the client's words loses none of them.
  if ((found.native ?? null) === null) settleLosses(losses, context);
  const call = toRoutedCall(translated.value, { ...found, losses, previousModel: history.previousModel }, deps);
  await call.prepare();
  if (request.store) await deps.store.ensureWritable();
  const createdAt = Math.floor(deps.now() / 1000);
  return {
    context,
    response: newResponse(request, { id, createdAt, model: call.firstModel }),
    ownInput: history.ownInput,
    session,
    call,
    losses,
    showsState: !asked.store || request.include.includes('reasoning.encrypted_content'),
  };
}

function toRoutedCall(
  request: ModelRequest,
  {
    context,
    route,
    sessionKey,
    previousModel,
    losses,
    native = null,
  }: Found & { readonly route: ModelRoute; readonly previousModel: string | null },
  { router }: EngineDeps,
): RoutedCall {
  const plan = router.plan(route, { owner: context.owner, session: sessionKey, previousModel });
  return new RoutedCall({ route, plan, request, native, losses, strict: context.strict, router });
}

/** A conversation is a chain of stored responses: one that is not stored would be missing in it. */
function withStore(request: CreateResponseRequest): { readonly request: CreateResponseRequest; readonly loss: readonly Loss[] } {
  if (request.store || request.conversation === null) return { request, loss: [] };
  const reason = 'a conversation consists of stored responses, so this one is stored too';
  return { request: { ...request, store: true }, loss: [{ path: 'store', action: 'approximated', reason }] };
}

/** Tokens of a request's input: counted by the backend where it can, else estimated (protocol.md §1.1, `input_tokens`). */
export async function countInputTokens(
  request: CreateResponseRequest,
  found: { readonly context: RequestContext; readonly signal: AbortSignal; readonly native?: NativeRequest | null },
  deps: EngineDeps,
): Promise<{ readonly inputTokens: number; readonly losses: readonly Loss[] }> {
  const resolved = await deps.catalog.resolveModel(request.model);
  const history = await loadHistory(request, found.context, deps);
  const translated = toModelRequest(request, { model: resolved.model, input: history.items, session: null });
  const losses = [...history.losses, ...translated.losses];
  const counted = await resolved.backend.countInputTokens(translated.value, found.signal, found.native ?? undefined);
  if (counted !== null) return { inputTokens: counted, losses };
  const estimate: Loss = {
    path: 'input_tokens',
    action: 'estimated',
    reason: 'this model server does not count tokens; a general tokenizer did',
  };
  return { inputTokens: await estimateInputTokens(translated.value, deps.countTextTokens), losses: [...losses, estimate] };
}

interface LoadedHistory extends TranslatedHistory {
  readonly previousResponseId: string | null;
  readonly previousModel: string | null;
  readonly ownInput: readonly InputItemParam[];
}

async function loadHistory(request: CreateResponseRequest, context: RequestContext, deps: EngineDeps): Promise<LoadedHistory> {
  const resolved = await resolveInput(request, context, deps);
  return {
    ...toInputItems(resolved, context, deps.envelope),
    previousResponseId: resolved.previousResponseId,
    previousModel: resolved.previousModel,
    ownInput: resolved.own.map(({ item }) => item),
  };
}
