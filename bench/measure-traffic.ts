import type { Bench, Subject } from './open-bench.ts';
import { readCpu, readRss } from './read-usage.ts';
import { listScenarios, type Scenario } from './scenarios.ts';
import type { StartedProcess } from './start-process.ts';
import { medianOf, percentileOf } from './statistics.ts';
import { deltaCount } from './wire.ts';

/** What one subject did in one slice of time. */
interface Slice {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly cpuPerRequest: number;
  readonly firstBytes: readonly number[];
}

/** How much more CPU than another subject in the same round: median, smallest, largest. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface TrafficRow {
  readonly id: string;
  readonly subject: Subject;
  readonly label: string;
  readonly concurrency: number;
  readonly isStream: boolean;
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Microseconds of CPU, user and system, all threads. */
  readonly cpuPerRequest: number;
  /** The same per upstream delta, for streams. */
  readonly cpuPerEvent: number | null;
  readonly timesBare: Ratio | null;
  readonly timesFloor: Ratio | null;
  /** Milliseconds. */
  readonly firstByteMedian: number;
  readonly firstByteP99: number;
  /** MiB after the last round. */
  readonly rss: number;
}

type Running = ReadonlyMap<Subject, StartedProcess>;

const warmUpMilliseconds = 800;
/** Warming up is done at the highest rate: V8 compiles what ran often, and a paced stream runs slowly. */
const warmUpConcurrency = 64;

/**
 * Runs all scenarios against all subjects in turns (a, b, c, a, b, c …), so that a slow minute of the machine hits all of them. Ratios are taken inside a
 * round, and their median is reported. `isWanted` leaves rows out.
 */
export async function measureTraffic(
  bench: Bench,
  isWanted: (scenario: Scenario) => boolean = () => true,
): Promise<TrafficRow[]> {
  const { subjects, isQuick } = bench.options;
  const scenarios = listScenarios(subjects).filter(isWanted);
  const running = new Map<Subject, StartedProcess>();
  for (const subject of subjects) running.set(subject, await bench.start(subject));

  console.error('warming up');
  for (const scenario of scenarios) {
    const fast = { ...scenario, concurrency: warmUpConcurrency };
    await runSlice(bench, running, fast, isQuick ? warmUpMilliseconds / 2 : warmUpMilliseconds);
  }

  const rounds = isQuick ? 2 : 3;
  const slices = new Map<string, Slice[]>(scenarios.map((scenario) => [scenario.id, []]));
  const memory = new Map<string, number>();
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    for (const scenario of scenarios) {
      slices.get(scenario.id)?.push(await runSlice(bench, running, scenario, isQuick ? 500 : 1200));
      memory.set(scenario.id, readRss(pidOf(running, scenario.subject)) / 1024);
    }
  }
  await Promise.all([...running.values()].map((subject) => subject.stop()));
  return scenarios.map((scenario) => toRow(scenario, slices, memory.get(scenario.id) ?? NaN));
}

function pidOf(running: Running, subject: Subject): number {
  return running.get(subject)?.pid ?? 0;
}

async function runSlice(bench: Bench, running: Running, scenario: Scenario, milliseconds: number): Promise<Slice> {
  const { label, subject, request, answer, concurrency } = scenario;
  const pid = pidOf(running, subject);
  const url = `${running.get(subject)?.url ?? ''}${request.url}`;
  bench.checkAlive();
  const before = readCpu(pid);
  const report = await bench.ask(label, { type: 'load', url, body: request.body, answer, concurrency, milliseconds });
  return {
    requests: report.requests,
    requestsPerSecond: (report.requests / report.milliseconds) * 1000,
    cpuPerRequest: (readCpu(pid) - before) / report.requests,
    firstBytes: report.firstBytes,
  };
}

function toRow(scenario: Scenario, all: ReadonlyMap<string, readonly Slice[]>, rss: number): TrafficRow {
  const slices = all.get(scenario.id) ?? [];
  const firstBytes = slices.flatMap((slice) => slice.firstBytes);
  const cpuPerRequest = medianOf(slices.map((slice) => slice.cpuPerRequest));
  const isStream = scenario.answer.endsWith('-stream');
  return {
    id: scenario.id,
    subject: scenario.subject,
    label: scenario.label,
    concurrency: scenario.concurrency,
    isStream,
    requests: slices.reduce((sum, slice) => sum + slice.requests, 0),
    requestsPerSecond: medianOf(slices.map((slice) => slice.requestsPerSecond)),
    cpuPerRequest,
    cpuPerEvent: isStream ? cpuPerRequest / deltaCount : null,
    timesBare: toRatio(slices, all.get(scenario.bareId ?? '')),
    timesFloor: toRatio(slices, all.get(scenario.floorId ?? '')),
    firstByteMedian: percentileOf(firstBytes, 0.5),
    firstByteP99: percentileOf(firstBytes, 0.99),
    rss,
  };
}

function toRatio(slices: readonly Slice[], others: readonly Slice[] | undefined): Ratio | null {
  if (others === undefined || others === slices) return null;
  const ratios = slices.map((slice, round) => slice.cpuPerRequest / (others[round]?.cpuPerRequest ?? NaN));
  return { median: medianOf(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
