import { setTimeout as pass } from 'node:timers/promises';
import { openConnectServer, type ConnectCall, type ConnectServer } from './connect-server.ts';

/** In what an agent server may differ from others wherever backends.md leaves room. */
export interface TerseOptions {
  /** Calls this build does not have: they are a 404 in plain words. */
  readonly missing?: readonly string[];
  /** GetCascadeTrajectory does not say how many steps there are. */
  readonly hidesTotal?: boolean;
  /** Steps in one answer; all of them when absent. */
  readonly pageSize?: number;
  /** What comes behind the last step; nothing when absent. */
  readonly pastEnd?: 'last page' | 'error';
  /** Steps have no status. */
  readonly hidesStatus?: boolean;
  /** Nobody ever sees it run. */
  readonly hidesRunning?: boolean;
  /** The user's words are no step. */
  readonly hidesInput?: boolean;
  /** The message is answered when the turn is over. */
  readonly blocks?: boolean;
  /** So many milliseconds after its first message a cascade can be asked for. */
  readonly madeAfter?: number;
  /** Nothing is started before so many milliseconds have passed. */
  readonly startsAfter?: number;
  /** `never`: not even that it was accepted; `silent`: it is accepted, no more; `one`: ends after each frame. */
  readonly stream?: 'never' | 'silent' | 'one';
  /** Every connection is closed after its first answer. */
  readonly closes?: boolean;
}

interface Cascade {
  readonly steps: Record<string, unknown>[];
  readonly listeners: Set<() => void>;
  status: string;
  turns: number;
  isMade: boolean;
}

/** An agent server that does as little as it can: each turn is answered with `Turn N: ` and what was said. */
export async function startTerseAgentServer(options: TerseOptions = {}): Promise<ConnectServer> {
  const server = await openConnectServer();
  const cascades = new Map<string, Cascade>();

  function serve(method: string, answer: (call: ConnectCall) => unknown): void {
    if (options.missing?.includes(method) === true) return;
    server.on(method, (call) => {
      const headers = options.closes === true ? { connection: 'close' } : {};
      void Promise.resolve(answer(call)).then((body) => {
        if (body !== undefined) call.answer(body, { headers });
      });
    });
  }

  /** With the cascade of the call, which must be there. */
  function serveCascade(method: string, answer: (cascade: Cascade, call: ConnectCall) => unknown): void {
    serve(method, (call) => {
      const id = String(call.message['cascadeId']);
      const cascade = cascades.get(id);
      if (cascade?.isMade === true || (cascade !== undefined && method === 'SendUserCascadeMessage'))
        return answer(cascade, call);
      call.fail(500, 'unknown', `trajectory not found: ${id}`);
      return undefined;
    });
  }

  for (const method of ['Heartbeat', 'UpdateConversationAnnotations', 'CancelCascadeInvocation']) serve(method, () => ({}));
  serve('GetCascadeModelConfigData', () => ({
    clientModelConfigs: [{ modelId: 'gemini-3-pro', label: 'G', modelOrAlias: { model: 'MODEL_ONE' } }],
  }));
  serve('GetAvailableModels', () => ({ response: { models: { 'gemini-3-pro': { model: 'MODEL_ONE' } } } }));
  serve('StartCascade', () => {
    const cascadeId = `cascade/${String(cascades.size + 1)} "ä"`;
    const isMade = options.madeAfter === undefined;
    cascades.set(cascadeId, { steps: [], listeners: new Set(), status: 'CASCADE_RUN_STATUS_IDLE', turns: 0, isMade });
    return { cascadeId };
  });
  serveCascade('SendUserCascadeMessage', async (cascade, { message }) => {
    const [item] = message['items'] as { text: string }[];
    const run = runTurn(cascade, item?.text ?? '', options);
    if (options.blocks === true) await run;
    return {};
  });
  serveCascade('GetCascadeTrajectory', ({ status, steps }) => ({
    status,
    ...(options.hidesTotal !== true && { numTotalSteps: steps.length }),
    trajectory: { trajectoryId: 't1', steps: steps.slice(0, options.pageSize) },
  }));
  serveCascade('GetCascadeTrajectorySteps', ({ steps }, call) => {
    const { pageSize = 1_000, pastEnd } = options;
    const offset = Number(call.message['stepOffset'] ?? 0);
    if (offset < steps.length || pastEnd === undefined) return { steps: steps.slice(offset, offset + pageSize) };
    if (pastEnd === 'last page') return { steps: steps.slice(-pageSize) };
    call.fail(500, 'unknown', 'step offset out of range');
    return undefined;
  });
  serve('StreamAgentStateUpdates', (call) => {
    const cascade = cascades.get(String(call.message['conversationId']));
    if (options.stream === 'never') return undefined;
    call.accept();
    if (options.stream === 'silent' || cascade === undefined) return undefined;
    const send = (): void => {
      call.frame({ update: { status: cascade.status } });
      if (options.stream === 'one') call.end();
    };
    cascade.listeners.add(send);
    void call.closed.then(() => cascade.listeners.delete(send));
    send();
    return undefined;
  });
  return server;
}

async function runTurn(cascade: Cascade, text: string, options: TerseOptions): Promise<void> {
  const change = (): void => {
    for (const listener of cascade.listeners) listener();
  };
  const statusOf = (name: string): object => (options.hidesStatus === true ? {} : { status: `CORTEX_STEP_STATUS_${name}` });
  if (!cascade.isMade) await pass(options.madeAfter);
  cascade.isMade = true;
  cascade.turns += 1;
  if (options.hidesInput !== true) cascade.steps.push({ type: 'CORTEX_STEP_TYPE_USER_INPUT', ...statusOf('DONE') });
  await pass(options.startsAfter ?? 0);
  if (options.hidesRunning !== true) cascade.status = 'CASCADE_RUN_STATUS_RUNNING';
  change();
  const answer = `Turn ${String(cascade.turns)}: ${text}`;
  const step: Record<string, unknown> = { type: 'CORTEX_STEP_TYPE_PLANNER_RESPONSE' };
  cascade.steps.push(step);
  for (const end of [5, 10, answer.length]) {
    Object.assign(step, statusOf('GENERATING'), { plannerResponse: { modifiedResponse: answer.slice(0, end) } });
    change();
    await pass(20);
  }
  Object.assign(step, statusOf('DONE'), { plannerResponse: { response: answer } });
  cascade.status = 'CASCADE_RUN_STATUS_IDLE';
  change();
}
