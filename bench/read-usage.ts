import { readdirSync, readFileSync } from 'node:fs';

const tickMicroseconds = 10_000;

/**
 * CPU time of a process so far, in microseconds, all threads together, as the kernel counts it. The scheduler's own figure per thread is exact to the nanosecond
 * but forgets threads that ended; `stat` (ticks of 10 ms) forgets nothing. The larger one is taken.
 */
export function readCpu(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the command in brackets and may hold blanks; after it, user and system time are fields 11 and 12.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Math.max(nanoseconds / 1000, ticks * tickMicroseconds);
}

/** Resident memory of a process, in KiB. */
export function readRss(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
