import type { ServerResponse } from 'node:http';
import type { JsonObject } from '../../../src/lib/json.ts';
import { objectOf, textOf } from '../gemini-model/gemini-words.ts';
import type { Cascade } from './cascade.ts';
import { RpcError } from './connect-wire.ts';
import { FrameWriter } from './frame-writer.ts';
import { findCascade, type ServerState } from './server-state.ts';
import { toWire } from './to-wire.ts';

export const streamMethods: readonly string[] = ['StreamAgentStateUpdates', 'StreamCascadeReactiveUpdates'];

/** Serves one stream until the client leaves, its subscriber id is taken, or a quirk ends it. Status 200 also when it fails: the end frame tells. */
export function serveStream(state: ServerState, method: string, message: JsonObject, response: ServerResponse): void {
  const frames = new FrameWriter(response, state.quirks.splitFrames);
  try {
    if (method === 'StreamAgentStateUpdates') serveStateStream(state, message, frames, response);
    else serveReactiveStream(state, message, frames, response);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    frames.end({ code: error.code, message: error.message });
  }
}

function serveStateStream(state: ServerState, message: JsonObject, frames: FrameWriter, response: ServerResponse): void {
  const { stateStream, firstFrame } = state.quirks;
  if (stateStream === 'unimplemented') throw new RpcError('unimplemented', 'StreamAgentStateUpdates is not implemented');
  const cascade = findCascade(state, message['conversationId']);
  subscribe(state, textOf(message['subscriberId']), frames, response);
  if (stateStream === 'silent') return;
  const start = Number(objectOf(message['initialStepsPageBounds'])['startIndex'] ?? 0);
  if (firstFrame) {
    const indexes = Array.from({ length: Math.max(0, cascade.stepCount - start) }, (_, at) => start + at);
    frames.write(stateUpdate(state, cascade, indexes, true));
  }
  let count = 0;
  followChanges(cascade, response, (steps, hasStatus) => {
    if (frames.isOver) return;
    frames.write(stateUpdate(state, cascade, steps, hasStatus));
    count += 1;
    if (count < 3) return;
    if (stateStream === 'eof') frames.endAbruptly();
    if (stateStream === 'fails') frames.end({ code: 'internal', message: 'the stream was interrupted' });
  });
}

/** Sub-statuses are IDLE while the run goes on; the status is there only when it changed. */
function stateUpdate(state: ServerState, cascade: Cascade, indexes: readonly number[], hasStatus: boolean): JsonObject {
  const { quirks } = state;
  const { cascadeId, trajectoryId, stepCount } = cascade;
  const all = cascade.wireSteps(0, quirks);
  const shown = indexes.filter((index) => index < stepCount);
  const stepsUpdate = quirks.sparseUpdates
    ? { indices: shown, steps: shown.map((index) => all[index]), totalLength: stepCount }
    : { steps: all, totalLength: stepCount };
  return {
    update: {
      conversationId: cascadeId,
      trajectoryId,
      ...toWire(
        {
          status: hasStatus ? `CASCADE_RUN_STATUS_${cascade.status}` : undefined,
          executableStatus: 'CASCADE_RUN_STATUS_IDLE',
          executorLoopStatus: 'CASCADE_RUN_STATUS_IDLE',
        },
        quirks,
      ),
      mainTrajectoryUpdate: { stepsUpdate },
    },
  };
}

function serveReactiveStream(state: ServerState, message: JsonObject, frames: FrameWriter, response: ServerResponse): void {
  const { reactiveStream } = state.quirks;
  if (reactiveStream === 'unimplemented') throw new RpcError('unimplemented', 'StreamCascadeReactiveUpdates is not implemented');
  if (reactiveStream === 'disabled' || reactiveStream === 'deprecated')
    throw new RpcError('unknown', `reactive state is ${reactiveStream}`);
  const cascade = findCascade(state, message['id']);
  subscribe(state, textOf(message['subscriberId']), frames, response);
  if (reactiveStream === 'silent') return;
  let version = 1;
  frames.write({ version: String(version), fullState: '' });
  followChanges(cascade, response, (updateIndices) => {
    version += 1;
    const updateValues = updateIndices.map(() => ({ messageValue: { fieldDiffs: [] } }));
    const updateRepeated = { newLength: cascade.stepCount, updateValues, updateIndices };
    frames.write({ version: String(version), diff: { fieldDiffs: [{ fieldNumber: 2, updateRepeated }] } });
  });
}

/** An id that is used again ends the stream that had it. */
function subscribe(state: ServerState, subscriberId: string, frames: FrameWriter, response: ServerResponse): void {
  if (subscriberId === '') throw new RpcError('invalid_argument', 'subscriber_id is required');
  state.subscribers.get(subscriberId)?.();
  const end = (): void => {
    frames.end({ code: 'unknown', message: 'subscription closed by repeat id' });
  };
  state.subscribers.set(subscriberId, end);
  response.once('close', () => {
    if (state.subscribers.get(subscriberId) === end) state.subscribers.delete(subscriberId);
  });
}

/** Tells what changed, many changes of one turn of the event loop at once. */
function followChanges(
  cascade: Cascade,
  response: ServerResponse,
  tell: (steps: readonly number[], status: boolean) => void,
): void {
  let steps = new Set<number>();
  let hasStatus = false;
  let isDue = false;
  const stop = cascade.listen((change) => {
    for (const step of change.steps) steps.add(step);
    hasStatus ||= change.status;
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      tell(
        [...steps].sort((one, other) => one - other),
        hasStatus,
      );
      steps = new Set();
      hasStatus = false;
      isDue = false;
    });
  });
  response.once('close', stop);
}
