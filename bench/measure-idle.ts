import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Subject } from './open-bench.ts';
import { readRss } from './read-usage.ts';
import { toStallingRequest } from './scenarios.ts';
import type { StartedProcess } from './start-process.ts';

export interface IdleRow {
  readonly subject: Subject;
  readonly streams: number;
  /** KiB of resident memory per open stream, after a garbage collection before and after opening them. */
  readonly perStream: number;
  /** The same without the second collection: what the process holds right after the rush of opening. */
  readonly perStreamUncollected: number;
  /** MiB before the streams were opened. */
  readonly rssBefore: number;
}

const streams = 1000;
const warmUpStreams = 50;
// A program that we do not control has to collect its garbage on demand, or the figure would mostly be the luck of when V8 last did.
const collectOnSignal = ['--expose-gc', '--import', "data:text/javascript,process.on('SIGUSR2', () => globalThis.gc())"];

/** Opens streams that get their first deltas and then wait, and looks how much memory each of them holds. */
export async function measureIdle(bench: Bench): Promise<IdleRow[]> {
  const rows: IdleRow[] = [];
  for (const subject of bench.options.subjects) {
    console.error(`${streams} idle streams, ${subject}`);
    rows.push(await measureSubject(bench, subject));
  }
  return rows;
}

async function measureSubject(bench: Bench, subject: Subject): Promise<IdleRow> {
  const running = await bench.start(subject, collectOnSignal);
  const { url, body } = toStallingRequest(subject);
  const target = { url: running.url + url, body };
  const what = `${subject}, idle streams`;

  // The code is loaded and compiled by a few streams; a thousand of them would leave their own pages behind and hide what the measured ones take.
  await bench.ask(what, { type: 'hold', ...target, count: warmUpStreams });
  await bench.ask(what, { type: 'release' });
  const before = await settle(running);
  await bench.ask(what, { type: 'hold', ...target, count: streams });
  const uncollected = readRss(running.pid);
  const after = await settle(running);
  await bench.ask(what, { type: 'release' });
  await running.stop();
  return {
    subject,
    streams,
    perStream: (after - before) / streams,
    perStreamUncollected: (uncollected - before) / streams,
    rssBefore: before / 1024,
  };
}

/** Collects garbage until the resident memory (KiB) stops changing. */
async function settle(running: StartedProcess): Promise<number> {
  let last = readRss(running.pid);
  for (let quiet = 0, turn = 0; quiet < 3 && turn < 20; turn++) {
    running.signal('SIGUSR2');
    await pause(300);
    const rss = readRss(running.pid);
    quiet = Math.abs(rss - last) < last * 0.003 ? quiet + 1 : 0;
    last = rss;
  }
  return last;
}
