import type { JsonObject } from '../../../src/lib/json.ts';
import type { CascadeView } from './agent-server-options.ts';
import type { AgentQuirks } from './quirks.ts';
import type { Step } from './step.ts';
import { stepToWire } from './to-wire.ts';

export type RunStatus = 'IDLE' | 'RUNNING' | 'CANCELING' | 'BUSY';

export interface CascadeChange {
  /** Indexes of the steps that are new or different. */
  readonly steps: ReadonlySet<number>;
  readonly status: boolean;
}

export interface AgentContent {
  readonly role: 'user' | 'model';
  readonly parts: readonly JsonObject[];
}

/** One conversation: its steps, its run, and the history that the model gets. */
export class Cascade {
  readonly cascadeId: string;
  readonly trajectoryId: string;
  readonly agentSpec: JsonObject | null;
  readonly steps: (Step | null)[] = [];
  readonly contents: AgentContent[] = [];
  readonly generatorMetadata: JsonObject[] = [];
  annotations: JsonObject = {};
  /** Steps at the end that are not shown just now. */
  hiddenSteps = 0;
  /** Ends the run that goes on now; null when there is none. */
  abort: AbortController | null = null;
  /** Refusals that are still to come: of messages, and of reads. */
  busyLeft = 0;
  failedReadsLeft = 0;
  #status: RunStatus = 'IDLE';
  readonly #listeners = new Set<(change: CascadeChange) => void>();
  #answered: ((allow: boolean) => void) | null = null;

  constructor(ids: { readonly cascadeId: string; readonly trajectoryId: string }, agentSpec: JsonObject | null) {
    this.cascadeId = ids.cascadeId;
    this.trajectoryId = ids.trajectoryId;
    this.agentSpec = agentSpec;
  }

  get status(): RunStatus {
    return this.#status;
  }

  set status(status: RunStatus) {
    this.#status = status;
    this.#tell({ steps: new Set(), status: true });
  }

  get stepCount(): number {
    return this.steps.length - this.hiddenSteps;
  }

  addStep(step: Step | null): void {
    this.steps.push(step);
    this.#tell({ steps: new Set([this.steps.length - 1]), status: false });
  }

  /** To be called after a step was changed in place. */
  touch(step: Step): void {
    this.#tell({ steps: new Set([this.steps.indexOf(step)]), status: false });
  }

  listen(listener: (change: CascadeChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Steps as the wire has them, from that index on. */
  wireSteps(from: number, quirks: AgentQuirks): unknown[] {
    const { trajectoryId, cascadeId } = this;
    return this.steps
      .slice(0, this.stepCount)
      .map((step, stepIndex) => ({ step, stepIndex }))
      .slice(from)
      .map(({ step, stepIndex }) => stepToWire(step, { trajectoryId, cascadeId, stepIndex }, quirks));
  }

  /** Resolves with the answer to a WAITING step; rejects when the run is ended. */
  async waitForAnswer(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }

  /** False when nothing was asked. */
  answerInteraction(allow: boolean): boolean {
    const answered = this.#answered;
    this.#answered = null;
    answered?.(allow);
    return answered !== null;
  }

  view(): CascadeView {
    const { cascadeId, trajectoryId, status, contents, annotations } = this;
    return {
      cascadeId,
      trajectoryId,
      status,
      stepCount: this.steps.length,
      contents: contents as readonly object[] as readonly JsonObject[],
      annotations,
    };
  }

  #tell(change: CascadeChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
