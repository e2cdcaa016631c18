import type { IdleRow } from './measure-idle.ts';
import type { StartRow } from './measure-start.ts';
import type { TrafficRow } from './measure-traffic.ts';

export interface Results {
  readonly traffic: readonly TrafficRow[];
  readonly start: readonly StartRow[];
  readonly idle: readonly IdleRow[];
}

export interface Target {
  readonly what: string;
  readonly limit: number;
  readonly figure: number;
  readonly unit: string;
  readonly isMet: boolean;
}

/** What issues 2 and 4 ask of the gateway, each with the figure of this run. Empty when Antiphon was left out. */
export function judgeTargets({ traffic, start, idle }: Results): Target[] {
  const native = traffic.filter(({ id }) => id.startsWith('native-'));
  const stored = traffic.filter((row) => isAntiphon(row) && !native.includes(row) && !row.label.includes('store:false'));
  const streams = stored.filter((row) => row.isStream);
  const whole = stored.filter((row) => !row.isStream);
  return [
    ...streams.map((row) =>
      judge(`CPU per event, ${nameOf(row)}`, row.timesFloor?.median ?? NaN, { limit: 1.5, unit: '× floor' }),
    ),
    ...streams.map((row) => judge(`CPU per event, ${nameOf(row)}`, row.timesBare?.median ?? NaN, { limit: 3, unit: '× bare' })),
    ...native.map((row) => judge(`CPU per event, ${nameOf(row)}`, row.timesBare?.median ?? NaN, { limit: 1.6, unit: '× bare' })),
    ...whole.map((row) =>
      judge(`CPU per stored request, ${nameOf(row)}`, row.timesBare?.median ?? NaN, { limit: 4, unit: '× bare' }),
    ),
    ...start.filter(isAntiphon).map((row) => judge('start to listening', row.median, { limit: 400, unit: 'ms' })),
    ...idle
      .filter(isAntiphon)
      .map((row) => judge(`${row.streams} open idle streams, each`, row.perStream, { limit: 48, unit: 'KiB' })),
  ];
}

function isAntiphon(row: { readonly subject: string }): boolean {
  return row.subject === 'antiphon';
}

function nameOf({ label, concurrency }: TrafficRow): string {
  return `${label}, ${concurrency} at once`;
}

function judge(what: string, figure: number, { limit, unit }: { readonly limit: number; readonly unit: string }): Target {
  return { what, limit, figure, unit, isMet: figure <= limit };
}
