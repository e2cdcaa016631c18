import type { Backend } from '../../model/backend.ts';
import type { ModelRoute, ResolvedModel } from '../../model/model-catalog.ts';
import { Affinity } from './affinity.ts';
import { CircuitBreaker, type BreakerPass, type BreakerSettings, type BreakerState } from './circuit-breaker.ts';
import { planRoute, type RouteStep } from './plan-route.ts';
import { RetryBudget } from './retry-budget.ts';

interface RouterSettings {
  /** How often the targets of one step may be asked again. */
  readonly retries: number;
  /** Retries a backend may get, as a share of its requests. */
  readonly retryBudget: number;
  /** Null: there are none. */
  readonly breaker: BreakerSettings | null;
  /** How long a session stays with one of several equals after its last request; null: it does not. */
  readonly stickinessMs: number | null;
}

export interface RouterOptions extends RouterSettings {
  /** Milliseconds of any clock that does not go back. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Who asks, as far as it matters for where to. */
interface RouteHints {
  readonly owner: string;
  /** What all requests of one session have in common, in the client's words; null: it does not say. */
  readonly session: string | null;
  /** `backend/model` that made the response this one goes on from; null: there is none. */
  readonly previousModel: string | null;
}

export interface RoutePlan {
  readonly steps: readonly RouteStep[];
  /** That target answered: the session stays with it. */
  keep(target: ResolvedModel): void;
}

/** What one gateway knows of its backends: how they are, whose turn it is, and who was where. */
export interface Router extends Pick<RouterOptions, 'retries' | 'now' | 'random' | 'wait'> {
  plan(route: ModelRoute, hints: RouteHints): RoutePlan;
  /** Lets a call through, or not (null). */
  enter(backend: Backend): BreakerPass | null;
  /** Milliseconds until the backend's breaker would let a call through. */
  restMs(backend: Backend): number;
  noteRequest(backend: Backend): void;
  /** Takes a retry out of the backend's budget; false: there is none left. */
  takeRetry(backend: Backend): boolean;
  /** By backend, as far as they have been asked. */
  breakers(): ReadonlyMap<string, BreakerState>;
}

export function createRouter(options: RouterOptions): Router {
  const { retries, now, random, wait, retryBudget } = options;
  const health = createHealth(options);
  const budgets = createTable(() => new RetryBudget(retryBudget));
  return {
    ...{ retries, now, random, wait },
    plan: createPlanner(options),
    ...health,
    noteRequest: ({ name }) => {
      budgets.of(name).noteRequest(now());
    },
    takeRetry: (backend) => backend.failures === undefined && budgets.of(backend.name).takeRetry(now()),
  };
}

const freePass: BreakerPass = { settle: () => undefined };

function createHealth({ breaker: settings, now }: RouterOptions): Pick<Router, 'enter' | 'restMs' | 'breakers'> {
  if (settings === null) return { enter: () => freePass, restMs: () => 0, breakers: () => new Map() };
  const breakers = createTable(() => new CircuitBreaker(settings));
  return {
    enter: ({ name, failures }) => (failures === 'on-purpose' ? freePass : breakers.of(name).enter(now())),
    restMs: ({ name }) => breakers.known.get(name)?.restMs(now()) ?? 0,
    breakers: () => new Map([...breakers.known].map(([name, breaker]) => [name, breaker.state(now())])),
  };
}

/** One of something for each name; there are only as many names as backends. */
function createTable<T>(create: () => T): { readonly known: ReadonlyMap<string, T>; of(name: string): T } {
  const known = new Map<string, T>();
  return {
    known,
    of(name) {
      const one = known.get(name) ?? create();
      known.set(name, one);
      return one;
    },
  };
}

/** The client's words for its session are cut: what tells sessions apart stands at the beginning or is short. */
const longestSession = 512;

function createPlanner({ now, stickinessMs }: RouterOptions): Router['plan'] {
  /** Whose turn it is, by step. Only aliases have steps of several, so there are few. */
  const turns = new Map<string, number>();
  const affinity = stickinessMs === null ? null : new Affinity(stickinessMs);

  function takeTurn(name: string): number {
    const turn = turns.get(name) ?? 0;
    turns.set(name, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return turn;
  }

  return ({ steps }, { owner, session, previousModel }) => {
    const keyOf = (step: RouteStep): string | null =>
      session === null || step.length < 2 ? null : JSON.stringify([owner, session.slice(0, longestSession), nameOf(step)]);
    const keep = (step: RouteStep, target: ResolvedModel): void => {
      const key = keyOf(step);
      if (key !== null) affinity?.remember(key, target.publicName, now());
    };
    const places = steps.map((step) => {
      if (step.length < 2) return { sticky: undefined, turn: 0 };
      const key = keyOf(step);
      const sticky = key === null ? undefined : affinity?.find(key, now());
      const turn = sticky === undefined ? takeTurn(nameOf(step)) : 0;
      const next = step[turn % step.length];
      // At once: the other requests of a session may come before this one is answered.
      if (sticky === undefined && next !== undefined) keep(step, next);
      return { sticky, turn };
    });
    return {
      steps: planRoute(steps, { previousModel, places }),
      keep(target) {
        const step = steps.find((candidate) => candidate.includes(target));
        if (step !== undefined) keep(step, target);
      },
    };
  };
}

function nameOf(step: RouteStep): string {
  return step.map(({ publicName }) => publicName).join(' ');
}
