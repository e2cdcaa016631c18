import type { Results, Target } from './judge-targets.ts';
import type { Ratio, TrafficRow } from './measure-traffic.ts';

type Cells = readonly string[];

/** The whole result as plain text. */
export function formatReport(results: Results, targets: readonly Target[]): string {
  const sections = [
    formatStreams(results.traffic.filter((row) => row.isStream)),
    section('Sync: the same text in one body', formatTraffic(results.traffic.filter((row) => !row.isStream))),
    section('Start to listening', formatStarts(results)),
    section('Open idle streams', formatIdle(results)),
  ];
  if (targets.length > 0) sections.push(section('Targets', formatTargets(targets)));
  return sections.join('\n\n');
}

export function formatStreams(rows: readonly TrafficRow[]): string {
  return section(
    'Streams: 200 deltas, ten to a socket write; an event is one delta; the ratios are of CPU, median and range of the rounds',
    formatTraffic(rows),
  );
}

function section(title: string, table: string): string {
  return `${title}\n${table}`;
}

function formatTraffic(rows: readonly TrafficRow[]): string {
  const head = [
    '',
    'at once',
    'CPU µs/request',
    'µs/event',
    '× bare',
    '× floor',
    'TTFB p50 ms',
    'p99 ms',
    'requests/s',
    'RSS MiB',
  ];
  const lines = rows.map((row) => [
    row.label,
    String(row.concurrency),
    row.cpuPerRequest.toFixed(0),
    row.cpuPerEvent?.toFixed(2) ?? '',
    formatRatio(row.timesBare),
    formatRatio(row.timesFloor),
    row.firstByteMedian.toFixed(1),
    row.firstByteP99.toFixed(1),
    row.requestsPerSecond.toFixed(0),
    row.rss.toFixed(0),
  ]);
  return formatTable([head, ...lines]);
}

function formatRatio(ratio: Ratio | null): string {
  return ratio === null ? '' : `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`;
}

function formatStarts({ start }: Results): string {
  const lines = start.map(({ subject, median, starts, cpu }) => {
    return [subject, median.toFixed(0), cpu.toFixed(0), starts.map((time) => time.toFixed(0)).join(' ')];
  });
  return formatTable([['', 'median ms', 'CPU ms', 'each'], ...lines]);
}

function formatIdle({ idle }: Results): string {
  const head = ['', 'streams', 'KiB each', 'KiB each before a collection', 'RSS MiB without them'];
  const lines = idle.map((row) => [
    row.subject,
    String(row.streams),
    row.perStream.toFixed(1),
    row.perStreamUncollected.toFixed(1),
    row.rssBefore.toFixed(0),
  ]);
  return formatTable([head, ...lines]);
}

function formatTargets(targets: readonly Target[]): string {
  const lines = targets.map(({ what, limit, figure, unit, isMet }) => [
    what,
    `${figure.toFixed(unit === 'ms' ? 0 : 2)} ${unit}`,
    `≤ ${limit}`,
    isMet ? 'met' : 'MISSED',
  ]);
  return formatTable([['', 'figure', 'target', ''], ...lines]);
}

/** The first column to the left, the others to the right. */
export function formatTable(lines: readonly Cells[]): string {
  const columns = Math.max(...lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const rows = lines.map((line) => {
    const cells = line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `  ${cells.join('  ')}`.trimEnd();
  });
  return rows.join('\n');
}
