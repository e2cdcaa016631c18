import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { requestChannel, responseChannel, type RequestReport, type ResponseReport } from './channels.ts';
import type { Gauges, PrometheusCounters } from './prometheus-counters.ts';

/** What `GET /metrics` shows. Hangs on the server's channels until closed. */
export interface Metrics {
  print(): Promise<{ readonly text: string; readonly contentType: string }>;
  close(): void;
}

/**
 * Counts from now on. The library that counts takes a good part of the time that starting may take, so it is loaded when the first report comes; no report is lost.
 * The gauges are asked when somebody looks.
 */
export function openMetrics(gauges: Gauges): Metrics {
  let loading: Promise<PrometheusCounters> | undefined;
  let counters: PrometheusCounters | undefined;

  async function load(): Promise<PrometheusCounters> {
    const { createPrometheusCounters } = await import('./prometheus-counters.ts');
    counters = createPrometheusCounters(gauges);
    return counters;
  }

  function count(report: (counters: PrometheusCounters) => void): void {
    if (counters !== undefined) report(counters);
    else void (loading ??= load()).then(report);
  }

  // The channels' publishers are the only ones that speak on them.
  const onRequest = (message: unknown): void => {
    count((to) => {
      to.countRequest(message as RequestReport);
    });
  };
  const onResponse = (message: unknown): void => {
    count((to) => {
      to.countResponse(message as ResponseReport);
    });
  };
  subscribe(requestChannel.name, onRequest);
  subscribe(responseChannel.name, onResponse);
  return {
    async print() {
      const loaded = await (loading ??= load());
      return { text: await loaded.print(), contentType: loaded.contentType };
    },
    close() {
      unsubscribe(requestChannel.name, onRequest);
      unsubscribe(responseChannel.name, onResponse);
    },
  };
}
