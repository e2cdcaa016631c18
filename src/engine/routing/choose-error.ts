import { GatewayError } from '../../model/errors.ts';

/**
 * What a client is told when no target took its request. Of those that were asked: the last one that may be over soon, because then trying again makes sense, else the first one, which is the one the operator
 * wants; of those that were not: likewise the first.
 */
export function chooseError({
  failures,
  refusals,
}: {
  readonly failures: readonly GatewayError[];
  readonly refusals: readonly GatewayError[];
}): GatewayError {
  const passing = failures.filter(({ isRetryable }) => isRetryable).at(-1);
  return passing ?? failures[0] ?? refusals[0] ?? GatewayError.from(new Error('a route without targets'));
}

/** Nobody was asked, because circuit breakers are open. `resting`: by backend, milliseconds until its breaker lets somebody through. */
export function noWayNow(resting: ReadonlyMap<string, number>): GatewayError {
  const names = [...resting.keys()].join(', ');
  const message = `The backend ${names} failed several times in a row, so it is left alone for a moment (docs/routing.md).`;
  const retryAfter = Math.max(1, Math.ceil(Math.min(...resting.values()) / 1000));
  return new GatewayError('upstream_overloaded', message, { retryAfter });
}
