import type { Bench, Subject } from './open-bench.ts';
import { readCpu } from './read-usage.ts';
import { medianOf } from './statistics.ts';

export interface StartRow {
  readonly subject: Subject;
  /** Milliseconds from spawn to the line that says where it listens: median, and every start. */
  readonly median: number;
  readonly starts: readonly number[];
  /** Milliseconds of CPU until then, median: unlike the time, hardly moved by whatever else the machine does. */
  readonly cpu: number;
}

/** Each start of Antiphon gets an empty data folder, so creating the database is in the figure. The bare proxy shows what Node itself takes here. */
export async function measureStart(bench: Bench): Promise<StartRow[]> {
  const subjects = bench.options.subjects.filter((subject) => subject !== 'floor');
  const seen = new Map<Subject, { time: number; cpu: number }[]>(subjects.map((subject) => [subject, []]));
  for (let turn = 1; turn <= 5; turn++) {
    console.error(`start ${turn} of 5`);
    for (const subject of subjects) {
      const running = await bench.start(subject);
      seen.get(subject)?.push({ time: running.startMilliseconds, cpu: readCpu(running.pid) / 1000 });
      await running.stop();
    }
  }
  return [...seen].map(([subject, starts]) => {
    const times = starts.map(({ time }) => time);
    return { subject, median: medianOf(times), starts: times, cpu: medianOf(starts.map(({ cpu }) => cpu)) };
  });
}
