import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './open-bench.ts';
import { formatTable } from './print-report.ts';
import { listScenarios, type Scenario } from './scenarios.ts';
import { deltaCount } from './wire.ts';

/** The parts of V8's .cpuprofile format that are used here; times are microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  /** On the clock of `process.hrtime`. */
  readonly startTime: number;
}

const profiled = ['native-chat-64', 'chat-64', 'gemini-64', 'chat-sync'];
const shown = 30;
// The process waits here; it costs nothing.
const waiting = new Set(['(idle)', '(root)']);

/** Runs Antiphon under V8's profiler, a new process per kind of traffic, and lists where the time goes. The profiler slows it: shares count, not times. */
export async function profileAntiphon(bench: Bench): Promise<string> {
  const sections: string[] = [];
  for (const scenario of listScenarios(['antiphon']).filter(({ id }) => profiled.includes(id))) {
    console.error(`profiling ${scenario.label}`);
    sections.push(await profileScenario(bench, scenario));
  }
  return sections.join('\n\n');
}

async function profileScenario(bench: Bench, scenario: Scenario): Promise<string> {
  const folder = bench.makeFolder('profile');
  const running = await bench.start('antiphon', ['--cpu-prof', '--cpu-prof-dir', folder]);
  const { label, answer, concurrency, request } = scenario;
  const milliseconds = bench.options.isQuick ? 2000 : 8000;
  const job = { type: 'load', url: running.url + request.url, body: request.body, answer, concurrency, milliseconds } as const;
  await bench.ask(label, { ...job, milliseconds: milliseconds / 2 });
  const warmSince = Number(process.hrtime.bigint() / 1000n);
  const report = await bench.ask(label, job);
  // The profile is written when the process ends by itself.
  await running.stop();
  const names = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  if (names.length === 0) return `${label}: no profile was written; does SIGTERM end the process in good order?`;
  const profiles = names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile);
  const isStream = answer.endsWith('-stream');
  const unit = { name: isStream ? 'event' : 'request', count: report.requests * (isStream ? deltaCount : 1) };
  return `${label}, ${concurrency} at once: self time, warm\n${formatTimes(sumSelfTimes(profiles, warmSince), unit)}`;
}

/** Microseconds of self time by function from a moment on, all threads together. */
function sumSelfTimes(profiles: readonly CpuProfile[], since: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const { nodes, samples, timeDeltas, startTime } of profiles) {
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    let now = startTime;
    samples.forEach((id, index) => {
      const delta = timeDeltas[index] ?? 0;
      now += delta;
      const name = names.get(id) ?? '(unknown)';
      if (now >= since && !waiting.has(name)) times.set(name, (times.get(name) ?? 0) + delta);
    });
  }
  return times;
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^file:\/\//, '').replace(/^.*\/(?=dist\/|node_modules\/)/, '');
  const name = functionName || '(anonymous)';
  return file ? `${file}:${lineNumber + 1} ${name}` : name;
}

function formatTimes(times: ReadonlyMap<string, number>, unit: { readonly name: string; readonly count: number }): string {
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  const top = [...times].toSorted(([, a], [, b]) => b - a).slice(0, shown);
  const lines = top.map(([name, time]) => [name, `${((time / total) * 100).toFixed(1)} %`, (time / unit.count).toFixed(2)]);
  return formatTable([['', 'share', `µs/${unit.name}`], ...lines, ['all', '', (total / unit.count).toFixed(2)]]);
}
