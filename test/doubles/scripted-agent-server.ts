import type {
  AgentModel,
  AgentServer,
  CascadeUpdates,
  RunStatus,
  Trajectory,
  UserMessage,
} from '../../src/backends/cascade/agent-server.ts';
import { CascadeFault } from '../../src/translate/cascade/map-cascade-error.ts';
import { GatewayError, type ErrorCode } from '../../src/model/errors.ts';
import type { ManualClock } from './manual-clock.ts';

/** What one look at a cascade shows. `steps` are those of the turn; `passes`: so many milliseconds go by before it; `fails`: the look fails. */
export interface Frame {
  readonly status?: RunStatus;
  readonly steps?: readonly unknown[];
  readonly generatorMetadata?: readonly unknown[];
  readonly passes?: number;
  readonly fails?: Error;
}

/** What the server does with a message: it throws, or shows frames, one for each look. */
export type AnswerMessage = (message: UserMessage, cascade: ScriptedCascade) => readonly Frame[];

/** An agent server that a test plays: every look at a cascade shows its next frame, and there is news as long as there are frames nobody has looked at. */
export class ScriptedAgentServer implements AgentServer {
  readonly calls: { readonly method: string; readonly cascadeId: string }[] = [];
  readonly messages: UserMessage[] = [];
  readonly starts: { readonly model: string; readonly agentSpec: unknown }[] = [];
  readonly declined: { readonly cascadeId: string; readonly trajectoryId: string; readonly stepIndex: number }[] = [];
  readonly cascades = new Map<string, ScriptedCascade>();
  models: readonly AgentModel[] = [
    { id: 'one', enumName: 'MODEL_ONE', label: 'Model One' },
    { id: 'two', enumName: 'MODEL_TWO', label: null },
  ];
  answer: AnswerMessage = ({ text }) => [{ status: 'IDLE', steps: [userStep, answerStep(`You said: ${text}`)] }];
  /** Thrown by the next calls of that method. */
  readonly faults = new Map<string, Error[]>();
  readonly #clock: ManualClock;
  #waiting: (() => void)[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** Resolves when no run is under way: each was shown to its end, or cancelled. */
  async idle(): Promise<void> {
    while ([...this.cascades.values()].some(({ isRunning }) => isRunning)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async startCascade(options: { readonly model: string; readonly agentSpec: unknown }, signal: AbortSignal): Promise<string> {
    const cascadeId = `cascade_${String(this.starts.length + 1)}`;
    this.#begin('startCascade', cascadeId, signal);
    this.starts.push(options);
    this.cascades.set(cascadeId, new ScriptedCascade(this.#clock));
    return cascadeId;
  }

  async sendMessage(message: UserMessage, signal: AbortSignal): Promise<void> {
    this.#begin('sendMessage', message.cascadeId, signal);
    const cascade = this.#find(message.cascadeId);
    const frames = this.answer(message, cascade);
    this.messages.push(message);
    cascade.begin();
    cascade.show(...frames);
  }

  async readTrajectory(cascadeId: string, signal: AbortSignal): Promise<Trajectory> {
    this.#begin('readTrajectory', cascadeId, signal);
    return this.#find(cascadeId).look();
  }

  async readSteps(cascadeId: string, fromStep: number, signal: AbortSignal): Promise<readonly unknown[]> {
    this.#begin('readSteps', cascadeId, signal);
    const steps = this.#find(cascadeId).allSteps.slice(fromStep);
    for (const wake of this.#waiting.splice(0)) wake();
    return steps;
  }

  watchCascade(cascadeId: string, fromStep: number): CascadeUpdates {
    this.#begin('watchCascade', cascadeId, new AbortController().signal);
    return this.#find(cascadeId).watch(fromStep);
  }

  async declineInteraction(
    place: { readonly cascadeId: string; readonly trajectoryId: string; readonly stepIndex: number },
    signal: AbortSignal,
  ): Promise<void> {
    this.#begin('declineInteraction', place.cascadeId, signal);
    this.declined.push(place);
  }

  async cancelRun(cascadeId: string): Promise<void> {
    this.calls.push({ method: 'cancelRun', cascadeId });
    this.cascades.get(cascadeId)?.cancel();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async removeCascade(cascadeId: string, signal: AbortSignal): Promise<void> {
    this.#begin('removeCascade', cascadeId, signal);
    this.#find(cascadeId);
    this.cascades.delete(cascadeId);
  }

  async archiveCascade(cascadeId: string): Promise<void> {
    this.calls.push({ method: 'archiveCascade', cascadeId });
  }

  async listModels(signal: AbortSignal): Promise<readonly AgentModel[]> {
    this.#begin('listModels', '', signal);
    return this.models;
  }

  cleanText(text: string): string {
    return text;
  }

  async heartbeat(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.calls.push({ method: 'close', cascadeId: '' });
  }

  /** Names of the calls that were made in that cascade. */
  callsIn(cascadeId: string): readonly string[] {
    return this.calls.filter((call) => call.cascadeId === cascadeId).map(({ method }) => method);
  }

  #begin(method: string, cascadeId: string, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.calls.push({ method, cascadeId });
    const fault = this.faults.get(method)?.shift();
    if (fault !== undefined) throw fault;
  }

  #find(cascadeId: string): ScriptedCascade {
    const cascade = this.cascades.get(cascadeId);
    if (cascade === undefined) throw faultOf('gone', `trajectory not found: ${cascadeId}`);
    return cascade;
  }
}

export class ScriptedCascade {
  readonly #clock: ManualClock;
  /** Steps of the turns before. */
  #past: readonly unknown[] = [];
  #frame: Frame = { status: 'IDLE', steps: [] };
  readonly #frames: Frame[] = [];
  readonly #watchers = new Set<() => void>();
  isRunning = false;
  watchedFrom: number | null = null;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  get allSteps(): readonly unknown[] {
    return [...this.#past, ...(this.#frame.steps ?? [])];
  }

  begin(): void {
    this.#past = this.allSteps;
    this.#frame = { status: 'IDLE', steps: [] };
    this.isRunning = true;
  }

  show(...frames: readonly Frame[]): void {
    this.#frames.push(...frames);
    for (const wake of this.#watchers) wake();
  }

  cancel(): void {
    this.isRunning = false;
  }

  /** The next frame, or the last one again. */
  look(): Trajectory {
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      this.#frame = { ...this.#frame, ...frame };
      this.#clock.advance(frame.passes ?? 0);
      if (frame.fails !== undefined) throw frame.fails;
    }
    const { status = 'RUNNING', generatorMetadata = [] } = this.#frame;
    if (status === 'IDLE' && this.#frames.length === 0) this.isRunning = false;
    return {
      status,
      totalSteps: this.allSteps.length,
      listedSteps: this.allSteps.length,
      trajectoryId: 'trajectory_1',
      generatorMetadata,
    };
  }

  watch(fromStep: number): CascadeUpdates {
    this.watchedFrom = fromStep;
    let isRung = false;
    let isClosed = false;
    let wake: (() => void) | undefined;
    const ring = (): void => {
      isRung = true;
      wake?.();
    };
    this.#watchers.add(ring);
    return {
      next: async () => {
        if (!isRung && this.#frames.length === 0 && !isClosed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        isRung = false;
      },
      wake: ring,
      close: () => {
        isClosed = true;
        this.#watchers.delete(ring);
        wake?.();
      },
    };
  }
}

/** A failed call as the agent server's door throws it. */
export function faultOf(kind: CascadeFault['kind'], message: string): GatewayError {
  const codes: Partial<Record<CascadeFault['kind'], ErrorCode>> = {
    busy: 'upstream_overloaded',
    rate: 'rate_limit_exceeded',
    token: 'upstream_auth_failed',
  };
  return new GatewayError(codes[kind] ?? 'upstream_error', message, { cause: new CascadeFault(kind, message) });
}

export const userStep = { type: 'CORTEX_STEP_TYPE_USER_INPUT', status: 'CORTEX_STEP_STATUS_DONE', userInput: {} };

/** A PLANNER_RESPONSE as it is while it grows: only `modifiedResponse`, and no `response`. */
export function growingStep(modifiedResponse: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    type: 'CORTEX_STEP_TYPE_PLANNER_RESPONSE',
    status: 'CORTEX_STEP_STATUS_GENERATING',
    plannerResponse: { modifiedResponse, ...more },
  };
}

/** A PLANNER_RESPONSE that is done. */
export function answerStep(
  text: string,
  more: { readonly planner?: Readonly<Record<string, unknown>>; readonly metadata?: Readonly<Record<string, unknown>> } = {},
): unknown {
  return {
    type: 'CORTEX_STEP_TYPE_PLANNER_RESPONSE',
    status: 'CORTEX_STEP_STATUS_DONE',
    metadata: {
      generatorModel: 'MODEL_ONE',
      modelUsage: { inputTokens: '20', outputTokens: '7' },
      ...more.metadata,
    },
    plannerResponse: { response: text, modifiedResponse: text, stopReason: 'STOP_REASON_STOP_PATTERN', ...more.planner },
  };
}

/** A step of another type. */
export function stepOf(type: string, status: string, payload: Readonly<Record<string, unknown>> = {}): unknown {
  return { type: `CORTEX_STEP_TYPE_${type}`, status: `CORTEX_STEP_STATUS_${status}`, ...payload };
}
