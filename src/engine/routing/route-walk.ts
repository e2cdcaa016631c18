import type { ResolvedModel } from '../../model/model-catalog.ts';
import type { RouteStep } from './plan-route.ts';

/** What is to be done next: ask `target`, for the first time (`retry` 0) or again. */
export interface Move {
  readonly target: ResolvedModel;
  readonly retry: number;
  /** Seconds the target wanted to be left alone, counted from its last failure; null: it did not say. */
  readonly retryAfter: number | null;
}

type Standing = { readonly isNew: true } | { readonly isNew: false; readonly retryAfter: number | null };

/**
 * The way of one request through its route: all equals of a step once, then (at most `retries` times) those of them that may be asked again, the one that wants the shortest rest first; then the next step.
 */
export class RouteWalk {
  readonly #steps: readonly RouteStep[];
  readonly #retries: number;
  #at = 0;
  #retry = 0;
  /** Of the current step, those that are still in question. */
  #standing: Map<ResolvedModel, Standing>;

  constructor(steps: readonly RouteStep[], retries: number) {
    this.#steps = steps;
    this.#retries = retries;
    this.#standing = newStanding(steps[0]);
  }

  /** Undefined: nobody is left. The same answer until the target is dropped or may be asked again. */
  next(): Move | undefined {
    while (this.#at < this.#steps.length) {
      const move = this.#nextInStep();
      if (move !== undefined) return move;
      this.#enterNextStep();
    }
    return undefined;
  }

  /** The target is out of the question. */
  drop(target: ResolvedModel): void {
    this.#standing.delete(target);
  }

  /** The target failed, but may be asked again. */
  mayComeAgain(target: ResolvedModel, retryAfter: number | null): void {
    const standing = this.#standing.get(target);
    if (standing === undefined) return;
    if (!standing.isNew) this.#retry += 1;
    // To the end: among those that want no rest it is a round.
    this.#standing.delete(target);
    this.#standing.set(target, { isNew: false, retryAfter });
  }

  #nextInStep(): Move | undefined {
    let best: Move | undefined;
    for (const [target, standing] of this.#standing) {
      if (standing.isNew) return { target, retry: 0, retryAfter: null };
      const { retryAfter } = standing;
      if (best === undefined || (retryAfter ?? 0) < (best.retryAfter ?? 0)) {
        best = { target, retry: this.#retry + 1, retryAfter };
      }
    }
    return this.#retry < this.#retries ? best : undefined;
  }

  #enterNextStep(): void {
    this.#at += 1;
    this.#retry = 0;
    this.#standing = newStanding(this.#steps[this.#at]);
  }
}

function newStanding(step: RouteStep = []): Map<ResolvedModel, Standing> {
  return new Map(step.map((target) => [target, { isNew: true }]));
}
