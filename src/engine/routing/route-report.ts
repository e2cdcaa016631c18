import type { ModelRoute, ResolvedModel } from '../../model/model-catalog.ts';

/** How it went with one target. A status is the one that its failure would have had as an answer of ours. */
export type AttemptOutcome =
  | 'accepted'
  | { readonly status: number }
  /** The request cannot be said there, or strict mode refuses what would be lost. Nothing was sent. */
  | 'unfit'
  /** Its circuit breaker is open. Nothing was sent. */
  | 'open'
  /** It is not there just now: no backend of that name was found, or none lists the model. */
  | 'missing'
  /** Nobody waited for its answer any more. */
  | 'left';

export interface RouteAttempt {
  /** `backend/model` */
  readonly target: string;
  /** Null: it is missing. */
  readonly backend: string | null;
  readonly outcome: AttemptOutcome;
  readonly isRetry: boolean;
}

/** Where a request went, as far as it has come. */
export interface RouteReport {
  /** `backend/model` that accepted the call; null: none did (yet). */
  readonly answeredBy: string | null;
  /** In order; what was skipped too. */
  readonly attempts: readonly RouteAttempt[];
}

/** Gathers the report of one request. */
export class RouteLog implements RouteReport {
  readonly #attempts: RouteAttempt[];
  #answeredBy: string | null = null;

  constructor(missing: ModelRoute['missing']) {
    this.#attempts = missing.map(toMissing);
  }

  get answeredBy(): string | null {
    return this.#answeredBy;
  }

  get attempts(): readonly RouteAttempt[] {
    return this.#attempts;
  }

  note({ publicName, backend }: ResolvedModel, outcome: AttemptOutcome, isRetry = false): void {
    this.#attempts.push({ target: publicName, backend: backend.name, outcome, isRetry });
    if (outcome === 'accepted') this.#answeredBy = publicName;
  }
}

function toMissing(target: string): RouteAttempt {
  return { target, backend: null, outcome: 'missing', isRetry: false };
}

/** Whether a call was sent to the target. */
export function wasSent({ outcome }: RouteAttempt): boolean {
  return typeof outcome === 'object' || outcome === 'accepted' || outcome === 'left';
}
