import type { Backend, BackendTurn } from '../../src/model/backend.ts';
import type { Loss } from '../../src/model/loss.ts';
import type { ModelEvent } from '../../src/model/model-event.ts';
import type { ModelRequest } from '../../src/model/model-request.ts';

/** One answer: batches to play, or what is thrown before the call is accepted. */
export interface Script {
  readonly batches?: readonly (readonly ModelEvent[])[];
  readonly refuses?: Error;
  /** The first batch: what comes with the acceptance of the call. Nothing, unless given. */
  readonly accepts?: readonly ModelEvent[];
  /** Thrown after the batches. */
  readonly breaks?: Error;
  /** After the batches it says nothing more until it is broken off. */
  readonly stalls?: boolean;
  readonly losses?: readonly Loss[];
}

/** Plays scripts in order (the last one again and again) and remembers what it was asked. */
export class ScriptedBackend implements Backend {
  readonly name = 'scripted';
  readonly requests: ModelRequest[] = [];
  /** How many calls were broken off by their signal. */
  aborted = 0;
  readonly #scripts: readonly Script[];

  constructor(...scripts: readonly Script[]) {
    this.#scripts = scripts;
  }

  prepareTurn(request: ModelRequest): BackendTurn {
    const script = this.#scripts[Math.min(this.requests.length, this.#scripts.length - 1)] ?? {};
    this.requests.push(request);
    return { losses: script.losses ?? [], stream: (signal) => this.#play(script, signal) };
  }

  async listModels(): Promise<[{ id: string; created: null; ownedBy: null }]> {
    return [{ id: 'one', created: null, ownedBy: null }];
  }

  async countInputTokens(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    // It holds nothing.
  }

  async *#play(script: Script, signal: AbortSignal): AsyncGenerator<readonly ModelEvent[]> {
    if (script.refuses !== undefined) throw script.refuses;
    yield script.accepts ?? [];
    yield* script.batches ?? [];
    if (script.stalls === true) await aborted(signal);
    if (signal.aborted) {
      this.aborted++;
      signal.throwIfAborted();
    }
    if (script.breaks !== undefined) throw script.breaks;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
}
