import type { Loss } from '../../model/loss.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { TapTurn } from '../../model/model-tap.ts';
import type { UpstreamSession } from '../../model/session-store.ts';
import { faultKindOf, isCascadeGone } from '../../translate/cascade/map-cascade-error.ts';
import { toCascadeLosses } from '../../translate/cascade/to-cascade-losses.ts';
import { joinTurnText, toTurnMessage, type TurnMessage } from '../../translate/cascade/to-turn-message.ts';
import type { AgentModel, CascadeUpdates, Trajectory } from './agent-server.ts';
import type { CascadeRun } from './cascade-run.ts';
import { findAgentModel } from './find-agent-model.ts';
import { untilAccepted } from './send-message.ts';
import { toAgentSpec } from './to-agent-spec.ts';
import type { CascadeSurroundings, TurnContext } from './turn-context.ts';

/** A turn whose message the agent server has accepted. */
export interface SentTurn {
  readonly cascadeId: string;
  readonly model: AgentModel;
  /** All models of the server. */
  readonly models: readonly AgentModel[];
  /** Steps, and entries of `generatorMetadata`, that were there before the turn. */
  readonly baseline: Baseline;
  readonly updates: CascadeUpdates;
  readonly tapTurn: TapTurn | null;
  /** The session that was carried on; null: the cascade is new. */
  readonly session: UpstreamSession | null;
  /** What only now turned out to be lost: the conversation has to be told again. */
  readonly losses: readonly Loss[];
}

interface Baseline {
  readonly steps: number;
  readonly calls: number;
}

interface TurnModel {
  readonly model: AgentModel;
  readonly models: readonly AgentModel[];
}

type NewTurn = TurnModel & { readonly signal: AbortSignal };

/**
 * Finds the cascade of a turn, or begins one, and sends the message. Resolves when it is accepted. Whatever was opened hangs on `run`. Throws GatewayError; `model_not_found`
 * before anything is sent.
 */
export async function sendTurn(context: TurnContext, run: CascadeRun, signal: AbortSignal): Promise<SentTurn> {
  const { known } = context;
  const turn = await findTurnModel(context, signal);
  const session = known === undefined ? null : await claimKnown(context, run, known);
  const sent = session === null ? null : await goOn(context, run, { ...turn, session, signal });
  return sent ?? startAnew(context, run, { ...turn, signal });
}

/** A list that is a while old will do, unless it does not know the model. */
async function findTurnModel({ server, name, defaultModel, request }: TurnContext, signal: AbortSignal): Promise<TurnModel> {
  const question = { backendName: name, name: request.model, defaultModel };
  const old = await server.listModels(signal, true);
  try {
    return { model: findAgentModel(old, question), models: old };
  } catch {
    const models = await server.listModels(signal);
    return { model: findAgentModel(models, question), models };
  }
}

/** The session of this backend that stands where the turn goes on. */
export async function loadKnown(
  { name, sessions }: Pick<CascadeSurroundings, 'name' | 'sessions'>,
  { session }: ModelRequest,
): Promise<UpstreamSession | undefined> {
  if (session === null || session.previousResponseId === null) return undefined;
  const { owner, previousResponseId: headResponseId } = session;
  return sessions.loadSession({ backend: name, headResponseId, owner });
}

/** Null: another turn has gone on in it since the session was looked up, or is about to. */
async function claimKnown(context: TurnContext, run: CascadeRun, known: UpstreamSession): Promise<UpstreamSession | null> {
  if (!run.claim(known.upstreamId)) return null;
  const session = await loadKnown(context, context.request);
  if (session?.upstreamId === known.upstreamId) return session;
  run.release();
  return null;
}

/** Null: the cascade is not there any more, or does not get free. */
async function goOn(
  context: TurnContext,
  run: CascadeRun,
  turn: NewTurn & { readonly session: UpstreamSession },
): Promise<SentTurn | null> {
  const { server, sessions, name } = context;
  const { session, signal } = turn;
  const cascadeId = session.upstreamId;
  try {
    const baseline = await countKnown(context, cascadeId, signal);
    // From here on the cascade holds a turn that no response stands for. Only when the turn has ended well is it a session again: a crash must not leave it one.
    await sessions.removeSession({ backend: name, upstreamId: cascadeId });
    return await deliver(context, run, { ...turn, cascadeId, baseline });
  } catch (error) {
    const isBusy = faultKindOf(error) === 'busy';
    if (signal.aborted || !(isBusy || isCascadeGone(error))) throw error;
    run.release();
    await sessions.removeSession({ backend: name, upstreamId: cascadeId });
    if (isBusy) context.running.track(server.archiveCascade(cascadeId));
    return null;
  }
}

/** A server that no longer knows the new cascade when the message comes (it was restarted in between) has run nothing: it is asked for another one, once. */
async function startAnew(context: TurnContext, run: CascadeRun, turn: NewTurn): Promise<SentTurn> {
  try {
    return await sendToNew(context, run, turn);
  } catch (error) {
    if (turn.signal.aborted || !isCascadeGone(error)) throw error;
    run.release();
    return sendToNew(context, run, turn);
  }
}

async function sendToNew(context: TurnContext, run: CascadeRun, turn: NewTurn): Promise<SentTurn> {
  const { server, ownTools } = context;
  const { model, signal } = turn;
  const agentSpec =
    ownTools === 'drop' ? toAgentSpec(model.enumName, toTurnMessage(context.request, placeOf(context, true)).system) : null;
  const cascadeId = await server.startCascade({ model: model.enumName, agentSpec }, signal);
  run.claim(cascadeId);
  const baseline = await countFresh(context, cascadeId, signal);
  return deliver(context, run, { ...turn, cascadeId, baseline, session: null });
}

async function deliver(
  context: TurnContext,
  run: CascadeRun,
  turn: Omit<SentTurn, 'updates' | 'tapTurn' | 'losses'> & { readonly signal: AbortSignal },
): Promise<SentTurn> {
  const { server, tap, ownTools, request } = context;
  const { cascadeId, model, baseline, session, signal } = turn;
  const message = toTurnMessage(request, placeOf(context, session === null));
  // Subscribed before the send: some executors do not begin while nobody listens.
  const updates = server.watchCascade(cascadeId, baseline.steps);
  let tellBegun: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (tellBegun = resolve));
  const onChange = (): void => {
    run.wake.ring();
    if (tapTurn !== null && tapTurn.state.mainCalls > 0) tellBegun();
  };
  const tapTurn = tap?.openTurn({ request, replayedItems: message.replayedItems, ownTools, onChange }) ?? null;
  run.listen({ updates, tapTurn });
  signal.throwIfAborted();
  const sending = server.sendMessage(
    {
      cascadeId,
      text: toText(context, message, tapTurn),
      media: message.media,
      model: model.enumName,
      planner: request.maxOutputTokens === null ? {} : { maxOutputTokens: request.maxOutputTokens },
      agentSpec: ownTools === 'drop' ? toAgentSpec(model.enumName, message.system) : null,
    },
    AbortSignal.any([signal, run.send()]),
  );
  try {
    await untilAccepted({ server, cascadeId, fromStep: baseline.steps, sending, begun, wait: context.wait, signal });
  } finally {
    run.noteAnswer();
  }
  return { ...turn, updates, tapTurn, losses: lateLosses(context, session === null) };
}

function toText({ ownTools }: TurnContext, message: TurnMessage, tapTurn: TapTurn | null): string {
  if (tapTurn !== null) return tapTurn.markText(message);
  return joinTurnText(message, ownTools === 'drop' ? null : message.system);
}

/** A turn that was prepared to go on in a known cascade and had to begin a new one. */
function lateLosses(context: TurnContext, isFresh: boolean): readonly Loss[] {
  if (!isFresh || context.known === undefined) return [];
  const told = toCascadeLosses(context.request, placeOf(context, false)).map((loss) => JSON.stringify(loss));
  return toCascadeLosses(context.request, placeOf(context, true)).filter((loss) => !told.includes(JSON.stringify(loss)));
}

function placeOf({ tap }: TurnContext, isFresh: boolean): { readonly isFresh: boolean; readonly hasTap: boolean } {
  return { isFresh, hasTap: tap !== null };
}

async function countKnown({ server }: TurnContext, cascadeId: string, signal: AbortSignal): Promise<Baseline> {
  const trajectory = await server.readTrajectory(cascadeId, signal);
  const baseline = toBaseline(trajectory);
  if (trajectory.totalSteps > 0) return baseline;
  // Where the server does not say how many steps there are, those it shows may be a first page.
  const further = await server.readSteps(cascadeId, baseline.steps, signal);
  return { ...baseline, steps: baseline.steps + further.length };
}

async function countFresh({ server }: TurnContext, cascadeId: string, signal: AbortSignal): Promise<Baseline> {
  try {
    return toBaseline(await server.readTrajectory(cascadeId, signal));
  } catch (error) {
    // Some builds make the trajectory with its first message.
    if (isCascadeGone(error)) return { steps: 0, calls: 0 };
    throw error;
  }
}

function toBaseline({ totalSteps, listedSteps, generatorMetadata }: Trajectory): Baseline {
  return { steps: totalSteps > 0 ? totalSteps : listedSteps, calls: generatorMetadata.length };
}
