import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';

export interface StartedProcess {
  readonly pid: number;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** From spawn to the line that says where it listens. */
  readonly startMilliseconds: number;
  /** Throws, with the last lines of its log, when the process has ended although nobody stopped it. */
  checkAlive(): void;
  signal(name: NodeJS.Signals): void;
  /** Ends it and waits for that. A process that does not obey within ten seconds is killed. */
  stop(): Promise<void>;
}

export interface NodeProgram {
  readonly name: string;
  /** Arguments of `node`. */
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Whatever still runs when the bench itself ends, also when it ends by an error. */
const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

const startDeadline = 30_000;
const stopDeadline = 10_000;

/** Starts a Node program and waits for its line `… listening on http://…`. */
export async function startProcess({ name, argv, env }: NodeProgram): Promise<StartedProcess> {
  const start = performance.now();
  // A clean environment: the gateway takes API keys and settings from it.
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...env } });
  living.add(child);
  child.once('exit', () => living.delete(child));
  let errors = '';
  let isStopped = false;
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    errors = (errors + piece).slice(-2000);
  });
  const url = await new Promise<string>((resolve, reject) => {
    let seen = '';
    const fail = (why: string): void => {
      reject(new Error(`${name} ${why}\n${seen}${errors}`));
    };
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      fail('did not say in time that it listens');
    }, startDeadline);
    child.once('exit', (code) => {
      clearTimeout(deadline);
      fail(`ended with ${code}`);
    });
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      // Only the beginning is of interest; a log of all requests would fill the memory.
      if (seen.length < 10_000) seen += piece;
      const address = /listening on (http:\/\/[\d.]+:\d+)/.exec(seen)?.[1];
      if (address === undefined) return;
      clearTimeout(deadline);
      child.stdout.removeAllListeners('data').resume();
      resolve(address);
    });
  });
  return {
    pid: child.pid ?? 0,
    url,
    startMilliseconds: performance.now() - start,
    checkAlive: () => {
      if (isStopped || living.has(child)) return;
      throw new Error(`${name} has ended by itself (${child.signalCode ?? child.exitCode})\n${errors}`);
    },
    signal: (signal) => void child.kill(signal),
    stop: () => {
      isStopped = true;
      return stopProcess(child);
    },
  };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), stopDeadline);
  await ended;
  clearTimeout(deadline);
}

/** A process that takes one job at a time. */
export interface Worker<Job, Report> {
  run(job: Job): Promise<Report>;
  stop(): void;
}

/** Starts a script that says `ready` over IPC and then answers every message with one message. */
export async function startWorker<Job extends object, Report>(script: string): Promise<Worker<Job, Report>> {
  const child = fork(script, { execArgv: [] });
  await once(child, 'message');
  return {
    run: async (job) => {
      const waiting = new AbortController();
      const ended = once(child, 'exit', { signal: waiting.signal }).then(() => {
        throw new Error(`${script} ended in the middle of a job`);
      });
      child.send(job);
      try {
        const [report] = (await Promise.race([once(child, 'message', { signal: waiting.signal }), ended])) as [Report];
        return report;
      } finally {
        ended.catch(() => undefined);
        waiting.abort();
      }
    },
    stop: () => {
      child.disconnect();
    },
  };
}
