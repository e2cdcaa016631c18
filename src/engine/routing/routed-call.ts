import type { BackendTurn, NativeTurn } from '../../model/backend.ts';
import { GatewayError } from '../../model/errors.ts';
import type { Loss } from '../../model/loss.ts';
import type { ModelRoute, ResolvedModel } from '../../model/model-catalog.ts';
import type { TurnEvent } from '../../model/model-event.ts';
import type { ModelRequest } from '../../model/model-request.ts';
import type { NativeRequest } from '../../model/native-request.ts';
import { settleLosses } from '../settle-losses.ts';
import { backOffMs, longestRetryAfterSeconds } from './back-off.ts';
import { chooseError, noWayNow } from './choose-error.ts';
import { isIllness, judgeFailure } from './judge-failure.ts';
import { RouteLog, type RouteReport } from './route-report.ts';
import { RouteWalk, type Move } from './route-walk.ts';
import type { RoutePlan, Router } from './router.ts';

/** A call that a model server has accepted. */
export interface AcceptedCall {
  readonly target: ResolvedModel;
  /** What that target was asked. */
  readonly request: ModelRequest;
  /** It was asked in the client's own words, and its answer may come as it is. */
  readonly isNative: boolean;
  /** What this target could not be told. */
  readonly losses: readonly Loss[];
  /** What it answers, from the first batch on. */
  readonly batches: AsyncIterable<readonly TurnEvent[]>;
}

export interface RoutedCallOptions {
  readonly route: ModelRoute;
  readonly plan: RoutePlan;
  /** For any target: its `model` is replaced. */
  readonly request: ModelRequest;
  /** The client's own words, for targets that speak them; null: every target needs a translation. */
  readonly native: NativeRequest | null;
  /** What no translation of the request carries. A target that is asked in the client's words is not concerned. */
  readonly losses: readonly Loss[];
  readonly strict: boolean;
  readonly router: Router;
}

interface PreparedTarget {
  readonly target: ResolvedModel;
  readonly request: ModelRequest;
  readonly turn: NativeTurn | BackendTurn;
}

/**
 * One request on its way to a model: equals, fallbacks and retries until a server accepts the call. Each target gets a translation of its own, so that its losses are its own. `prepare` comes first, then `open`;
 * both once.
 */
export class RoutedCall {
  readonly #options: RoutedCallOptions;
  readonly #walk: RouteWalk;
  readonly #log: RouteLog;
  /** What those said that were asked. */
  readonly #failures: GatewayError[] = [];
  /** Why others were not asked: they cannot take the request, or their breaker is open (backend → milliseconds). */
  readonly #refusals: GatewayError[] = [];
  readonly #resting = new Map<string, number>();
  /** Translated already, and not sent yet. */
  #ready: PreparedTarget | undefined;

  constructor(options: RoutedCallOptions) {
    this.#options = options;
    this.#walk = new RouteWalk(options.plan.steps, options.router.retries);
    this.#log = new RouteLog(options.route.missing);
  }

  /** `backend/model` of the target that comes first. */
  get firstModel(): string {
    return this.#ready?.target.publicName ?? '';
  }

  get report(): RouteReport {
    return this.#log;
  }

  /** Translates for the first target that can take the request. Sends nothing. Throws what the first target says when none can. */
  async prepare(): Promise<void> {
    for (let move = this.#walk.next(); move !== undefined; move = this.#walk.next()) {
      this.#ready = await this.#translate(move);
      if (this.#ready !== undefined) return;
    }
    throw this.#error();
  }

  /**
   * Resolves when a server has accepted the call. Throws what came of the request when none did, or the signal's reason. Nothing is ever sent again once a server has begun to answer.
   */
  async open(signal: AbortSignal): Promise<AcceptedCall> {
    for (let move = this.#walk.next(); move !== undefined; move = this.#walk.next()) {
      if (move.retry > 0 && !(await this.#rest(move, signal))) continue;
      const accepted = await this.#ask(move, signal);
      if (accepted === undefined) continue;
      this.#log.note(move.target, 'accepted', move.retry > 0);
      this.#options.plan.keep(move.target);
      return accepted;
    }
    if (this.#resting.size > 0 && this.#failures.length === 0) throw noWayNow(this.#resting);
    throw this.#error();
  }

  #error(): GatewayError {
    return chooseError({ failures: this.#failures, refusals: this.#refusals });
  }

  /** Waits before a retry. False: there will be none, and the target is out of the question. */
  async #rest({ target, retry, retryAfter }: Move, signal: AbortSignal): Promise<boolean> {
    const { router } = this.#options;
    const isTooLong = retryAfter !== null && retryAfter > longestRetryAfterSeconds;
    if (isTooLong || router.restMs(target.backend) > 0 || !router.takeRetry(target.backend)) {
      this.#walk.drop(target);
      return false;
    }
    await router.wait(backOffMs(retry, { retryAfter, random: router.random() }), signal);
    signal.throwIfAborted();
    return true;
  }

  /** Undefined: it did not accept the call, and the walk knows. */
  async #ask(move: Move, signal: AbortSignal): Promise<AcceptedCall | undefined> {
    const { router } = this.#options;
    const { backend } = move.target;
    const prepared = this.#takeReady(move.target) ?? (await this.#translate(move));
    if (prepared === undefined) return undefined;
    const pass = router.enter(backend);
    if (pass === null) {
      this.#resting.set(backend.name, router.restMs(backend));
      this.#log.note(move.target, 'open', move.retry > 0);
      this.#walk.drop(move.target);
      return undefined;
    }
    if (move.retry === 0) router.noteRequest(backend);
    try {
      const accepted = await this.#accept(prepared, signal);
      pass.settle('well', router.now());
      return accepted;
    } catch (thrown) {
      const isOver = signal.aborted;
      const error = GatewayError.from(thrown);
      pass.settle(isOver ? 'unknown' : isIllness(error) ? 'ill' : 'well', router.now());
      this.#log.note(move.target, isOver ? 'left' : { status: error.status }, move.retry > 0);
      if (isOver) throw thrown;
      this.#judge(move, error);
      return undefined;
    }
  }

  #judge({ target }: Move, error: GatewayError): void {
    const verdict = judgeFailure(error);
    if (verdict === 'stop') throw error;
    this.#failures.push(error);
    if (verdict === 'elsewhere' || target.backend.failures !== undefined) this.#walk.drop(target);
    else this.#walk.mayComeAgain(target, error.retryAfter);
  }

  #takeReady(target: ResolvedModel): PreparedTarget | undefined {
    const ready = this.#ready;
    this.#ready = undefined;
    return ready?.target === target ? ready : undefined;
  }

  /** Undefined: the target cannot take the request, and the walk knows. */
  async #translate({ target }: Move): Promise<PreparedTarget | undefined> {
    const request = { ...this.#options.request, model: target.model };
    const { native } = this.#options;
    try {
      const turn = native === null ? null : (target.backend.prepareNativeTurn?.(request, native) ?? null);
      return turn === null ? await this.#prepareTurn(target, request) : { target, request, turn };
    } catch (thrown) {
      // What is not about the request is not better anywhere else.
      if (!(thrown instanceof GatewayError) || thrown.status >= 500) throw thrown;
      this.#refusals.push(thrown);
      this.#log.note(target, 'unfit');
      this.#walk.drop(target);
      return undefined;
    }
  }

  async #prepareTurn(target: ResolvedModel, request: ModelRequest): Promise<PreparedTarget> {
    const { losses, strict } = this.#options;
    settleLosses(losses, { strict });
    const turn = await target.backend.prepareTurn(request);
    const missed = missedOf(turn.losses, request);
    settleLosses(missed, { strict });
    return { target, request, turn: { losses: missed, stream: (signal) => turn.stream(signal) } };
  }

  /** State that another server signed is in the client's words; in ours it is left out. */
  async #accept(prepared: PreparedTarget, signal: AbortSignal): Promise<AcceptedCall> {
    try {
      return await accept(prepared, signal);
    } catch (thrown) {
      const isStateRefused = thrown instanceof GatewayError && thrown.code === 'invalid_encrypted_content';
      if (!isStateRefused || 'losses' in prepared.turn || signal.aborted) throw thrown;
      return accept(await this.#prepareTurn(prepared.target, prepared.request), signal);
    }
  }
}

/** What nobody asked for is not missed. */
function missedOf(losses: readonly Loss[], { reasoning }: ModelRequest): readonly Loss[] {
  return reasoning.isWish === true ? losses.filter(({ path }) => path !== 'reasoning.summary') : losses;
}

async function accept({ target, request, turn }: PreparedTarget, signal: AbortSignal): Promise<AcceptedCall> {
  const iterator = turn.stream(signal)[Symbol.asyncIterator]();
  const first = await iterator.next();
  const asked = 'losses' in turn ? { isNative: false, losses: turn.losses } : { isNative: true, losses: [] };
  return { target, request, ...asked, batches: resume(first, iterator) };
}

/** The rest of an iteration of which `first` has been taken. An answer that is over at once still has its beginning. */
function resume(
  first: IteratorResult<readonly TurnEvent[]>,
  iterator: AsyncIterator<readonly TurnEvent[]>,
): AsyncIterable<readonly TurnEvent[]> {
  let taken: Promise<IteratorResult<readonly TurnEvent[]>> | undefined = Promise.resolve(
    first.done === true ? { done: false, value: [] } : first,
  );
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const next = taken ?? iterator.next();
        taken = undefined;
        return next;
      },
      async return() {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}
