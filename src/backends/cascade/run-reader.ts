import { GatewayError } from '../../model/errors.ts';
import type { TapTurn, TapTurnState } from '../../model/model-tap.ts';
import { isCascadeGone } from '../../translate/cascade/map-cascade-error.ts';
import { readStep } from '../../translate/cascade/read-step.ts';
import type { RunState, TurnReading } from '../../translate/cascade/turn-progress.ts';
import type { AgentServer, CascadeUpdates, RunStatus } from './agent-server.ts';

export interface RunReaderOptions {
  readonly server: Pick<AgentServer, 'readTrajectory' | 'readSteps'>;
  readonly cascadeId: string;
  /** It was begun by this turn. */
  readonly isNew: boolean;
  readonly baseline: { readonly steps: number; readonly calls: number };
  readonly updates: CascadeUpdates;
  readonly tapTurn: TapTurn | null;
  /** Called after every reading, and when reading is given up. */
  readonly onChange: () => void;
  readonly now: () => number;
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

export interface RunReading extends TurnReading {
  readonly trajectoryId: string | null;
  /** Of this turn. */
  readonly generatorMetadata: readonly unknown[];
}

/** While the tap shows the answer, the steps only tell how the agent is: they are read less often. */
const tappedPauseMs = 150;
/** Reading may fail for a moment, longer than one call is tried again. It has failed for good after both. */
const failuresAllowed = 3;
const failingMs = 5_000;
/** Some builds make the trajectory with its first message, and that not at once. */
const makingMs = 3_000;

/** Looks at a cascade whenever something has changed: its status first, its steps second, one look at a time. Runs until its signal aborts. */
export class RunReader {
  readonly #options: RunReaderOptions;
  #reading: RunReading | null = null;
  #trouble: GatewayError | null = null;
  readonly #startedAt: number;
  #pausing: AbortController | null = null;
  #hasRead = false;
  #failures = 0;
  #failingSince = 0;
  #lastAt = -Infinity;

  constructor(options: RunReaderOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    void this.#run();
  }

  /** Why nothing will be read any more, or null. */
  get trouble(): GatewayError | null {
    return this.#trouble;
  }

  /** The last reading, once. */
  take(): RunReading | null {
    const reading = this.#reading;
    this.#reading = null;
    return reading;
  }

  /** As if something had changed that cannot wait: ends a pause, too. */
  hurry(): void {
    this.#pausing?.abort();
    this.#options.updates.wake();
  }

  async #run(): Promise<void> {
    const { updates, signal, onChange } = this.#options;
    try {
      for (;;) {
        await updates.next();
        if (!signal.aborted) await this.#pause();
        if (signal.aborted) return;
        await this.#read();
        onChange();
        if (this.#trouble !== null) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#trouble = GatewayError.from(error);
      onChange();
    }
  }

  async #pause(): Promise<void> {
    const { tapTurn, now, wait, signal } = this.#options;
    const left = this.#lastAt + tappedPauseMs - now();
    if (tapTurn !== null && tapTurn.state.running > 0 && left > 0) {
      this.#pausing = new AbortController();
      await wait(left, AbortSignal.any([signal, this.#pausing.signal])).catch(() => undefined);
      this.#pausing = null;
    }
    this.#lastAt = now();
  }

  async #read(): Promise<void> {
    const { server, cascadeId, baseline, now, signal } = this.#options;
    const model = this.#copyModelState();
    try {
      const { status, totalSteps, trajectoryId, generatorMetadata } = await server.readTrajectory(cascadeId, signal);
      const steps = (await server.readSteps(cascadeId, baseline.steps, signal, totalSteps)).map(readStep);
      this.#failures = 0;
      this.#hasRead = true;
      const calls = generatorMetadata.slice(baseline.calls);
      this.#reading = { at: now(), run: mapRunState(status), steps, model, trajectoryId, generatorMetadata: calls };
    } catch (error) {
      if (signal.aborted) throw error;
      this.#noteFailure(error);
    }
  }

  #noteFailure(error: unknown): void {
    const { now, isNew } = this.#options;
    if (isNew && !this.#hasRead && isCascadeGone(error) && now() - this.#startedAt < makingMs) return;
    if (this.#failures === 0) this.#failingSince = now();
    this.#failures += 1;
    const isForGood = this.#failures >= failuresAllowed && now() - this.#failingSince >= failingMs;
    if (isForGood || isCascadeGone(error) || isRefused(error)) this.#trouble = GatewayError.from(error);
  }

  /** As it is now: what is read afterwards can only be later. Null while the tap saw no main call. */
  #copyModelState(): TapTurnState | null {
    const state = this.#options.tapTurn?.state;
    if (state === undefined || state.mainCalls === 0) return null;
    return {
      mainCalls: state.mainCalls,
      running: state.running,
      runningSubRequests: state.runningSubRequests,
      hasClientCalls: state.hasClientCalls,
      hasOutput: state.hasOutput,
      hasThinking: state.hasThinking,
      thinkingTokens: state.thinkingTokens,
      finish: state.finish,
      failure: state.failure,
    };
  }
}

/** Credentials were refused and could not be renewed. */
function isRefused(error: unknown): boolean {
  return error instanceof GatewayError && (error.code === 'upstream_auth_failed' || error.code === 'upstream_auth_missing');
}

function mapRunState(status: RunStatus): RunState {
  switch (status) {
    case 'IDLE':
    case 'ERROR':
    case 'INACTIVE':
      return 'quiet';
    case 'RUNNING':
    case 'BUSY':
    case 'CANCELING':
      return 'running';
    case 'UNSPECIFIED':
    case 'UNKNOWN':
      return 'unknown';
  }
}
