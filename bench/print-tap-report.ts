import type { TapResults } from './measure-tap.ts';
import { formatTable } from './print-report.ts';

/** The tap's figures as plain text. What a way adds is against the first row. */
export function formatTapReport({ events, turns }: TapResults): string {
  const [floor] = events;
  const eventLines = events.map((row) => [
    row.label,
    String(row.events),
    row.median.toFixed(2),
    row.p99.toFixed(2),
    row.firstMedian.toFixed(2),
    row.firstP99.toFixed(2),
    (row.median - (floor?.median ?? NaN)).toFixed(2),
    row.cpuPerEvent === null ? '' : row.cpuPerEvent.toFixed(0),
  ]);
  const eventHead = ['', 'events', 'age p50 ms', 'p99 ms', 'first p50 ms', 'first p99 ms', 'added p50 ms', 'CPU µs/event'];
  const turnLines = turns.map((row) => [
    row.label,
    String(row.turns),
    row.median.toFixed(1),
    row.p99.toFixed(1),
    row.firstMedian.toFixed(1),
    row.cpu.toFixed(1),
  ]);
  const turnHead = ['', 'turns', 'p50 ms', 'p99 ms', 'first event p50 ms', 'CPU ms/turn'];
  return [
    'The tap, per event: from the write at the model server to the arrival at the client; 100 events 10 ms apart, 4 streams at once',
    formatTable([eventHead, ...eventLines]),
    '',
    'A turn of an agent server against Gemini itself: 20 events at once, one turn after the other, each in a new cascade; CPU of the gateway only',
    formatTable([turnHead, ...turnLines]),
  ].join('\n');
}
