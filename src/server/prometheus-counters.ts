import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BreakerState } from '../engine/routing/circuit-breaker.ts';
import type { RequestReport, ResponseReport } from './channels.ts';
import { createAttemptCounter } from './attempt-counter.ts';

/** The counters behind `GET /metrics`. */
export interface PrometheusCounters {
  countRequest(report: RequestReport): void;
  countResponse(report: ResponseReport): void;
  /** In Prometheus' text format. */
  print(): Promise<string>;
  readonly contentType: string;
}

/** What is looked up when somebody looks. */
export interface Gauges {
  readonly inFlight: () => number;
  /** By backend. */
  readonly breakers: () => ReadonlyMap<string, BreakerState>;
}

const secondBuckets = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];

/** Counters of one gateway. */
export function createPrometheusCounters({ inFlight, breakers }: Gauges): PrometheusCounters {
  const registry = new Registry();
  const countAnswer = createResponseCounter(registry);
  const countAttempts = createAttemptCounter(registry, breakers);
  return {
    countRequest: createRequestCounter(registry, inFlight),
    countResponse(report) {
      countAnswer(report);
      countAttempts(report);
    },
    print: () => registry.metrics(),
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
  };
}

function createRequestCounter(registry: Registry, inFlight: () => number): (report: RequestReport) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'antiphon_http_requests_total',
    help: 'HTTP requests',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  new Gauge({
    name: 'antiphon_http_requests_in_flight',
    help: 'HTTP requests being served',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  return ({ method, route, status }) => {
    requests.inc({ method, route, status: String(status) });
  };
}

function createResponseCounter(registry: Registry): (report: ResponseReport) => void {
  const registers = [registry];
  const name = (rest: string): string => `antiphon_${rest}`;
  const responses = new Counter({
    name: name('responses_total'),
    help: 'Responses by model and outcome',
    labelNames: ['model', 'outcome', 'code'],
    registers,
  });
  const tokens = new Counter({
    name: name('tokens_total'),
    help: 'Tokens as reported in usage',
    labelNames: ['model', 'kind'],
    registers,
  });
  const losses = new Counter({
    name: name('losses_total'),
    help: 'What did not survive translation',
    labelNames: ['action'],
    registers,
  });
  const times = { labelNames: ['model'], buckets: secondBuckets, registers } as const;
  const duration = new Histogram({ ...times, name: name('response_seconds'), help: 'Whole time of a response' });
  const accepted = new Histogram({
    ...times,
    name: name('upstream_accept_seconds'),
    help: 'Time until the model server accepted a streamed call',
  });
  const boundedLabel = createBoundedLabel();
  return (report) => {
    const model = boundedLabel(report.model);
    responses.inc({ model, outcome: report.outcome, code: report.error?.code ?? '' });
    duration.observe({ model }, report.durationMs / 1000);
    if (report.acceptedMs !== null) accepted.observe({ model }, report.acceptedMs / 1000);
    for (const { action } of report.losses) losses.inc({ action });
    if (report.usage === null) return;
    tokens.inc({ model, kind: 'input' }, report.usage.input_tokens);
    tokens.inc({ model, kind: 'output' }, report.usage.output_tokens);
    tokens.inc({ model, kind: 'reasoning' }, report.usage.output_tokens_details.reasoning_tokens);
  };
}

/** Clients may write any model id after `backend/`; beyond this many a metric would only cost memory. */
const maxModels = 200;

function createBoundedLabel(): (model: string) => string {
  const known = new Set<string>();
  return (model) => {
    if (known.size < maxModels) known.add(model);
    return known.has(model) ? model : 'other';
  };
}
