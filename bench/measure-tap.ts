import { openTapBench, type TapBench } from './open-tap-bench.ts';
import { readCpu } from './read-usage.ts';
import { medianOf, percentileOf } from './statistics.ts';

/** One way from the model server to the client. */
interface Way {
  readonly label: string;
  /** Whose CPU is counted. */
  readonly process: 'antiphon' | 'bare' | null;
  readonly url: string;
  readonly toBody: (prompt: string) => string;
}

interface EventRow {
  readonly label: string;
  readonly events: number;
  /** Milliseconds from the write of an event at the model server to its arrival at the client. */
  readonly median: number;
  readonly p99: number;
  /** The same of the first event of each stream. */
  readonly firstMedian: number;
  readonly firstP99: number;
  /** Microseconds of CPU of the process in between; null: there is none. */
  readonly cpuPerEvent: number | null;
}

interface TurnRow {
  readonly label: string;
  readonly turns: number;
  /** Milliseconds of a whole turn, and to its first event. */
  readonly median: number;
  readonly p99: number;
  readonly firstMedian: number;
  /** Milliseconds of the gateway's CPU. */
  readonly cpu: number;
}

export interface TapResults {
  readonly events: readonly EventRow[];
  readonly turns: readonly TurnRow[];
}

interface Slice {
  readonly ages: readonly number[];
  readonly firstAges: readonly number[];
  readonly durations: readonly number[];
  readonly firstEvents: readonly number[];
  readonly cpu: number | null;
}

interface Traffic {
  readonly what: string;
  readonly ways: readonly Way[];
  readonly events: number;
  readonly pace: number;
  readonly concurrency: number;
}

/** What the tap adds to each event, and what a turn costs that an agent server makes; the ways take turns, so that a slow minute of the machine hits all of them. */
export async function measureTap({ isQuick }: { readonly isQuick: boolean }): Promise<TapResults> {
  const bench = await openTapBench();
  try {
    const paced = { what: 'events', ways: eventWays(bench), events: 100, pace: 10, concurrency: 4 };
    const events = await measureWays(bench, paced, isQuick);
    const turning = { what: 'turns', ways: turnWays(bench), events: 20, pace: 0, concurrency: 1 };
    const turns = await measureWays(bench, turning, isQuick);
    return {
      events: paced.ways.map(({ label }) => toEventRow(label, events.get(label) ?? [])),
      turns: turning.ways.map(({ label }) => toTurnRow(label, turns.get(label) ?? [])),
    };
  } finally {
    await bench.close();
  }
}

const geminiPath = '/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse';

function eventWays({ upstream, bare, antiphon, tapUrl }: TapBench): Way[] {
  const toBody = (prompt: string): string => JSON.stringify({ contents: [{ role: 'user', parts: [{ text: prompt }] }] });
  return [
    { label: 'nothing in between', process: null, url: upstream.url + geminiPath, toBody },
    { label: 'bare proxy', process: 'bare', url: bare.url + geminiPath, toBody },
    { label: 'tap, pass-through', process: 'antiphon', url: tapUrl + geminiPath, toBody },
    responsesWay(antiphon.url, 'gemini backend', 'gemini/gemini-3-pro'),
    responsesWay(antiphon.url, 'tap, captured main call (cascade)', 'tapped/gemini-3-pro'),
  ];
}

function turnWays({ antiphon }: TapBench): Way[] {
  return [
    responsesWay(antiphon.url, 'gemini backend', 'gemini/gemini-3-pro'),
    responsesWay(antiphon.url, 'cascade with a tap', 'tapped/gemini-3-pro'),
    responsesWay(antiphon.url, 'cascade without a tap', 'untapped/gemini-3-pro'),
  ];
}

function responsesWay(gateway: string, label: string, model: string): Way {
  const toBody = (input: string): string => JSON.stringify({ model, input, stream: true });
  return { label, process: 'antiphon', url: `${gateway}/v1/responses`, toBody };
}

async function measureWays(bench: TapBench, traffic: Traffic, isQuick: boolean): Promise<Map<string, Slice[]>> {
  const slices = new Map<string, Slice[]>(traffic.ways.map(({ label }) => [label, []]));
  for (const way of traffic.ways) await runSlice(bench, way, { ...traffic, pace: 0 }, isQuick ? 500 : 1500);
  const rounds = isQuick ? 1 : 3;
  for (let round = 1; round <= rounds; round++) {
    console.error(`tap, ${traffic.what}: round ${round} of ${rounds}`);
    for (const way of traffic.ways) slices.get(way.label)?.push(await runSlice(bench, way, traffic, isQuick ? 1500 : 4000));
  }
  return slices;
}

async function runSlice(bench: TapBench, way: Way, { events, pace, concurrency }: Traffic, milliseconds: number): Promise<Slice> {
  const pid = way.process === null ? null : bench[way.process].pid;
  const before = pid === null ? 0 : readCpu(pid);
  const body = way.toBody(`Speak: events:${events} pace:${pace}`);
  const report = await bench.ask(way.label, { url: way.url, body, events, concurrency, milliseconds });
  return { ...report, cpu: pid === null ? null : readCpu(pid) - before };
}

function toEventRow(label: string, slices: readonly Slice[]): EventRow {
  const ages = slices.flatMap((slice) => slice.ages);
  const firstAges = slices.flatMap((slice) => slice.firstAges);
  return {
    label,
    events: ages.length,
    median: percentileOf(ages, 0.5),
    p99: percentileOf(ages, 0.99),
    firstMedian: percentileOf(firstAges, 0.5),
    firstP99: percentileOf(firstAges, 0.99),
    cpuPerEvent: cpuPer(slices, ({ ages: counted }) => counted.length),
  };
}

function toTurnRow(label: string, slices: readonly Slice[]): TurnRow {
  const durations = slices.flatMap((slice) => slice.durations);
  return {
    label,
    turns: durations.length,
    median: percentileOf(durations, 0.5),
    p99: percentileOf(durations, 0.99),
    firstMedian: percentileOf(
      slices.flatMap((slice) => slice.firstEvents),
      0.5,
    ),
    cpu: (cpuPer(slices, ({ durations: counted }) => counted.length) ?? NaN) / 1000,
  };
}

/** Microseconds; the median of the rounds. */
function cpuPer(slices: readonly Slice[], count: (slice: Slice) => number): number | null {
  if (slices.some(({ cpu }) => cpu === null)) return null;
  return medianOf(slices.map((slice) => (slice.cpu ?? NaN) / count(slice)));
}
