import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../gemini-model/gemini-words.ts';
import { wrapUserText } from './agent-prompt.ts';
import type { Cascade } from './cascade.ts';
import { RpcError } from './connect-wire.ts';
import { runAgent } from './run-agent.ts';
import { findModel, type ServerState } from './server-state.ts';
import { createErrorStep, createStep, createUserStep } from './step.ts';

/** SendUserCascadeMessage: checks, takes the message into steps and history, and lets the run begin. Nothing of the answer is awaited. */
export function startTurn(state: ServerState, cascade: Cascade, message: JsonObject): void {
  const plannerConfig = objectOf(objectOf(message['cascadeConfig'])['plannerConfig']);
  const model = findModel(state, plannerConfig);
  const text = objectsOf(message['items'])
    .map((item) => textOf(item['text']))
    .join('\n');
  const media = objectsOf(message['media']);
  if (text === '' && media.length === 0) throw new RpcError('invalid_argument', 'items: at least one is required');
  if (cascade.abort !== null) throw new RpcError('unknown', 'cascade has not processed the previous input');
  if (cascade.busyLeft > 0) {
    cascade.busyLeft -= 1;
    throw new RpcError('unknown', 'executor is busy');
  }
  cascade.busyLeft = state.quirks.busyTimes;
  cascade.failedReadsLeft = state.quirks.failedReads;
  const isFirst = cascade.contents.length === 0;
  const userText = wrapUserText(text, state.quirks, new Date().toISOString());
  const parts = [
    ...media.map(({ mimeType, inlineData }) => ({ inlineData: { mimeType, data: inlineData } })),
    ...(userText === '' ? [] : [{ text: userText }]),
  ];
  cascade.contents.push({ role: 'user', parts });
  cascade.addStep(createUserStep(text));
  if (isFirst) cascade.addStep(createStep('CONVERSATION_HISTORY', 'DONE', {}, 'SYSTEM'));
  const maxOutputTokens = plannerConfig['maxOutputTokens'];
  const turn = {
    ...{ cascade, model, userText, isFirst },
    agentSpec: message['customAgentSpec'] === undefined ? cascade.agentSpec : objectOf(message['customAgentSpec']),
    maxOutputTokens: typeof maxOutputTokens === 'number' ? maxOutputTokens : null,
  };
  const abort = new AbortController();
  cascade.abort = abort;
  state.runs.add(abort);
  void runAgent(state, turn, abort.signal)
    .catch((error: unknown) => {
      // A mistake of this double must be seen, and must not leave the run open.
      if (!abort.signal.aborted) endBroken(cascade, error);
    })
    .finally(() => {
      state.runs.delete(abort);
      state.changes.changed();
    });
}

function endBroken(cascade: Cascade, error: unknown): void {
  cascade.addStep(createErrorStep('ERROR', { user: 'The agent server double has a bug.', model: String(error), code: 500 }));
  cascade.abort = null;
  cascade.status = 'IDLE';
}

/** CancelCascadeInvocation: the model call breaks at once, IDLE comes a little later. Nothing happens where nothing runs. */
export function cancelTurn(state: ServerState, cascade: Cascade): void {
  state.cancelled.push({ cascadeId: cascade.cascadeId, at: performance.now() });
  state.changes.changed();
  if (cascade.status === 'CANCELING') throw new RpcError('unknown', 'already canceling');
  if (cascade.abort === null) return;
  cascade.status = 'CANCELING';
  cascade.abort.abort(new Error('the run was cancelled'));
  void sleep(state.quirks.cancelMs).then(() => {
    cascade.abort = null;
    cascade.status = 'IDLE';
    state.changes.changed();
  });
}
