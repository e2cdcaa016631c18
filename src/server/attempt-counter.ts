import { Counter, Gauge, type Registry } from 'prom-client';
import { wasSent } from '../engine/routing/route-report.ts';
import type { BreakerState } from '../engine/routing/circuit-breaker.ts';
import type { ResponseReport } from './channels.ts';
import { describeOutcome } from './route-header.ts';

const stateNumbers: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Counts where requests went. Labels are names of backends, never of models: those are any text a client writes. */
export function createAttemptCounter(
  registry: Registry,
  breakers: () => ReadonlyMap<string, BreakerState>,
): (report: Pick<ResponseReport, 'attempts'>) => void {
  const registers = [registry];
  const attempts = new Counter({
    name: 'antiphon_upstream_attempts_total',
    help: 'Targets that were asked or skipped, by outcome: accepted, a status, open, unfit, missing, left',
    labelNames: ['backend', 'outcome'],
    registers,
  });
  const retries = new Counter({
    name: 'antiphon_upstream_retries_total',
    help: 'Calls that asked a target again',
    labelNames: ['backend'],
    registers,
  });
  const fallbacks = new Counter({
    name: 'antiphon_fallbacks_total',
    help: 'Responses that another target than the first one answered',
    labelNames: ['backend'],
    registers,
  });
  new Gauge({
    name: 'antiphon_breaker_state',
    help: 'Circuit breakers: 0 closed, 1 half-open, 2 open',
    labelNames: ['backend'],
    registers,
    collect() {
      for (const [backend, state] of breakers()) this.set({ backend }, stateNumbers[state]);
    },
  });
  return ({ attempts: made }) => {
    const first = made.find(({ backend }) => backend !== null)?.target;
    for (const attempt of made) {
      const backend = attempt.backend ?? 'none';
      attempts.inc({ backend, outcome: describeOutcome(attempt.outcome) });
      if (attempt.isRetry && wasSent(attempt)) retries.inc({ backend });
      if (attempt.outcome === 'accepted' && attempt.target !== first) fallbacks.inc({ backend });
    }
  };
}
