/** The client of the tap's measurements, as a process of its own: reads streams of `clock-upstream` and notes how old each event is when it arrives. */
import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';

export interface LatencyJob {
  readonly url: string;
  readonly body: string;
  /** In each answer. */
  readonly events: number;
  readonly concurrency: number;
  readonly milliseconds: number;
}

export interface LatencyReport {
  readonly turns: number;
  /** Milliseconds from the write of an event to its arrival, of all events and of the first of each turn. */
  readonly ages: readonly number[];
  readonly firstAges: readonly number[];
  /** Milliseconds of whole turns, and to their first event. */
  readonly durations: readonly number[];
  readonly firstEvents: readonly number[];
  /** The first wrong answer, in words. */
  readonly fault: string | null;
}

type OpenReport = { -readonly [Key in keyof Omit<LatencyReport, 'turns' | 'fault'>]: number[] };

const dispatcher = new Agent({ pipelining: 1, bodyTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000 });
const headers = { 'content-type': 'application/json' };

/** Gemini's frames have no event line; of a response only the deltas count, because later events repeat their text. */
function agesOf(frame: string, arrived: bigint): number[] {
  if (frame.startsWith('event: ') && !frame.startsWith('event: response.output_text.delta')) return [];
  return [...frame.matchAll(/@(\d+) /g)].map(([, written = '0']) => Number(arrived - BigInt(written)) / 1e6);
}

async function runTurn(job: LatencyJob, report: OpenReport): Promise<string | null> {
  const start = performance.now();
  const answer = await request(job.url, { method: 'POST', headers, body: job.body, dispatcher });
  const ages: number[] = [];
  let whole = '';
  let rest = '';
  for await (const piece of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
    const arrived = process.hrtime.bigint();
    whole += piece;
    const frames = (rest + piece).split(/\r?\n\r?\n/);
    rest = frames.pop() ?? '';
    const had = ages.length;
    ages.push(...frames.flatMap((frame) => agesOf(frame, arrived)));
    if (had === 0 && ages.length > 0) report.firstEvents.push(performance.now() - start);
  }
  report.durations.push(performance.now() - start);
  report.ages.push(...ages);
  if (ages[0] !== undefined) report.firstAges.push(ages[0]);
  const isWell = answer.statusCode === 200 && ages.length === job.events && !whole.includes('event: response.failed');
  return isWell ? null : `HTTP ${answer.statusCode}, ${ages.length} of ${job.events} events: ${whole.slice(0, 300)}`;
}

async function runJob(job: LatencyJob): Promise<LatencyReport> {
  const report: OpenReport = { ages: [], firstAges: [], durations: [], firstEvents: [] };
  const start = performance.now();
  let fault: string | null = null;
  async function askAgainAndAgain(): Promise<void> {
    while (fault === null && performance.now() - start < job.milliseconds) fault ??= await runTurn(job, report);
  }
  try {
    await Promise.all(Array.from({ length: job.concurrency }, askAgainAndAgain));
  } catch (thrown) {
    fault ??= String(thrown);
  }
  return { ...report, turns: report.durations.length, fault };
}

process.on('message', (job: LatencyJob) => {
  void runJob(job).then((report) => process.send?.(report));
});
process.once('disconnect', () => process.exit());
process.send?.('ready');
