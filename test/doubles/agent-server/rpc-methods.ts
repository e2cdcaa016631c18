import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../src/lib/json.ts';
import { objectOf, textOf } from '../gemini-model/gemini-words.ts';
import { Cascade } from './cascade.ts';
import { RpcError } from './connect-wire.ts';
import { findCascade, type ServerState } from './server-state.ts';
import { cancelTurn, startTurn } from './start-turn.ts';
import { toWire } from './to-wire.ts';

type RpcMethod = (state: ServerState, message: JsonObject) => Readonly<Record<string, unknown>>;

/** The unary calls. The message has been checked; the answer is written as it is. */
export const rpcMethods: { readonly [method: string]: RpcMethod } = {
  Heartbeat: () => ({}),
  StartCascade: startCascade,
  SendUserCascadeMessage(state, message) {
    startTurn(state, findCascade(state, message['cascadeId']), message);
    return {};
  },
  GetCascadeTrajectorySteps: readSteps,
  GetCascadeTrajectory: readTrajectory,
  GetCascadeTrajectoryGeneratorMetadata(state, message) {
    const cascade = findCascade(state, message['cascadeId']);
    const offset = Number(message['generatorMetadataOffset'] ?? 0);
    return toWire({ generatorMetadata: cascade.generatorMetadata.slice(offset) }, state.quirks);
  },
  UpdateConversationAnnotations: annotate,
  CancelCascadeInvocation(state, message) {
    cancelTurn(state, findCascade(state, message['cascadeId']));
    return {};
  },
  HandleCascadeUserInteraction: answerInteraction,
  DeleteCascadeTrajectory(state, message) {
    const cascade = findCascade(state, message['cascadeId']);
    cascade.abort?.abort(new Error('the cascade was deleted'));
    state.cascades.delete(cascade.cascadeId);
    return {};
  },
  LoadTrajectory(state, message) {
    const id = textOf(message['cascadeId']);
    const cascade = state.unloaded.get(id) ?? findCascade(state, id);
    state.cascades.set(id, cascade);
    return {};
  },
  GetCascadeModelConfigData: listModelConfigs,
  GetAvailableModels: listAvailableModels,
};

function startCascade(state: ServerState, message: JsonObject): JsonObject {
  const { source } = message;
  if (source === undefined || source === 0 || source === 'CORTEX_TRAJECTORY_SOURCE_UNSPECIFIED')
    throw new RpcError('invalid_argument', 'source is required: CortexTrajectorySource must not be unspecified');
  const cascadeId = textOf(message['cascadeId']) === '' ? randomUUID() : textOf(message['cascadeId']);
  const spec = message['customAgentSpec'];
  const cascade = new Cascade({ cascadeId, trajectoryId: randomUUID() }, spec === undefined ? null : objectOf(spec));
  cascade.busyLeft = state.quirks.busyTimes;
  cascade.listen(() => {
    state.changes.changed();
  });
  state.cascades.set(cascadeId, cascade);
  return { cascadeId };
}

/** Steps that come before the model says anything; '' is a null entry. */
const beforeAnswer: ReadonlySet<string> = new Set(['', 'USER_INPUT', 'CONVERSATION_HISTORY']);

function readSteps(state: ServerState, message: JsonObject): JsonObject {
  const cascade = findCascade(state, message['cascadeId']);
  const hasSpoken = !beforeAnswer.has(cascade.steps.at(-1)?.type ?? '');
  if (hasSpoken && cascade.failedReadsLeft > 0) {
    cascade.failedReadsLeft -= 1;
    throw new RpcError('unknown', 'unknown');
  }
  const steps = cascade.wireSteps(Number(message['stepOffset'] ?? 0), state.quirks);
  const { pageSize } = state.quirks;
  return toEmptyIfNone('steps', pageSize > 0 ? steps.slice(0, pageSize) : steps, state);
}

function readTrajectory(state: ServerState, message: JsonObject): JsonObject {
  const cascade = findCascade(state, message['cascadeId']);
  const { cascadeId, trajectoryId, generatorMetadata } = cascade;
  const { pageSize } = state.quirks;
  const steps = cascade.wireSteps(0, state.quirks);
  return {
    ...toWire({ status: `CASCADE_RUN_STATUS_${cascade.status}`, numTotalSteps: cascade.stepCount }, state.quirks),
    trajectory: {
      trajectoryId,
      cascadeId,
      ...toEmptyIfNone('steps', pageSize > 0 ? steps.slice(0, pageSize) : steps, state),
      ...toWire({ generatorMetadata }, state.quirks),
    },
  };
}

/** An empty list is left out like any zero value. The list itself is written already. */
function toEmptyIfNone(name: string, list: readonly unknown[], state: ServerState): JsonObject {
  return list.length === 0 && state.quirks.omitZeros ? {} : { [name]: list };
}

function annotate(state: ServerState, message: JsonObject): JsonObject {
  const ids = Array.isArray(message['cascadeIds']) ? (message['cascadeIds'] as readonly unknown[]) : [];
  for (const id of ids) {
    const cascade = findCascade(state, id);
    const annotations = objectOf(message['annotations']);
    cascade.annotations = message['mergeAnnotations'] === true ? { ...cascade.annotations, ...annotations } : annotations;
  }
  return {};
}

/** The trajectory's own id is needed here, and the index of a step that waits. */
function answerInteraction(state: ServerState, message: JsonObject): JsonObject {
  const cascade = findCascade(state, message['cascadeId']);
  const interaction = objectOf(message['interaction']);
  const stepIndex = Number(interaction['stepIndex'] ?? 0);
  const allow = objectOf(interaction['permission'])['allow'] === true;
  if (interaction['trajectoryId'] !== cascade.trajectoryId) throw new RpcError('unknown', 'trajectory id does not match');
  if (cascade.steps[stepIndex]?.status !== 'WAITING') throw new RpcError('unknown', `step ${stepIndex} is not waiting`);
  state.interactions.push({ cascadeId: cascade.cascadeId, stepIndex, allow });
  cascade.answerInteraction(allow);
  state.changes.changed();
  return {};
}

const quotaInfo = { remainingFraction: 0.9, resetTime: '2026-12-01T00:00:00Z' };

function listModelConfigs(state: ServerState): JsonObject {
  const clientModelConfigs = state.models.map(({ label, modelId, enumName, disabled }) =>
    toWire(
      { label, modelId, modelOrAlias: { model: enumName }, supportsImages: true, disabled: disabled === true, quotaInfo },
      state.quirks,
    ),
  );
  return { clientModelConfigs };
}

function listAvailableModels(state: ServerState): JsonObject {
  const models = state.models.map(({ modelId, enumName, label, disabled }) => [
    modelId,
    toWire({ model: enumName, displayName: label, disabled: disabled === true, supportsThinking: true, quotaInfo }, state.quirks),
  ]);
  return { response: { models: Object.fromEntries(models) as JsonObject } };
}
