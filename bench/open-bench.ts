import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toAntiphonProgram } from './antiphon.ts';
import { compileScripts } from './compile-scripts.ts';
import type { ClientJob, ClientReport } from './load-client.ts';
import { startProcess, startWorker, type NodeProgram, type StartedProcess, type Worker } from './start-process.ts';

export type Subject = 'bare' | 'floor' | 'antiphon';

export interface BenchOptions {
  readonly subjects: readonly Subject[];
  /** Short slices and few rounds: a look, not a result. */
  readonly isQuick: boolean;
  /** Between two socket writes of one upstream stream. */
  readonly pauseMilliseconds: number;
}

/** What every measurement needs: the upstream, the client, and a way to start a subject in front of the upstream. */
export interface Bench {
  readonly options: BenchOptions;
  /** Throws when a process that should run does not. */
  checkAlive(): void;
  /** Runs one job. Throws when an answer was wrong: figures about wrong answers are worthless. */
  ask(what: string, job: ClientJob): Promise<ClientReport>;
  /** A new process; `nodeFlags` stand before the program. */
  start(subject: Subject, nodeFlags?: readonly string[]): Promise<StartedProcess>;
  /** An empty folder that lives as long as the bench. */
  makeFolder(name: string): string;
  close(): Promise<void>;
}

export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

export async function openBench(options: BenchOptions): Promise<Bench> {
  const toScript = compileScripts();
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-bench-'));
  const started: StartedProcess[] = [];

  async function startAndKeep(program: NodeProgram): Promise<StartedProcess> {
    const running = await startProcess(program);
    started.push(running);
    return running;
  }

  const upstreamScript = toScript(new URL('./upstream.ts', import.meta.url));
  const upstream = await startAndKeep({ name: 'upstream', argv: [upstreamScript, String(options.pauseMilliseconds)] });
  const client: Worker<ClientJob, ClientReport> = await startWorker(toScript(new URL('./load-client.ts', import.meta.url)));

  async function toProgram(subject: Subject): Promise<NodeProgram> {
    if (subject === 'antiphon') return toAntiphonProgram(upstream.url, folder);
    const source =
      subject === 'bare' ? new URL('./bare-proxy.ts', import.meta.url) : new URL('./floor-translator.ts', import.meta.url);
    return { name: subject, argv: [toScript(source), upstream.url] };
  }

  function checkAlive(): void {
    for (const running of started) running.checkAlive();
  }

  return {
    options,
    checkAlive,
    ask: async (what, job) => {
      const report = await client.run(job);
      checkAlive();
      if (report.fault !== null) throw new WrongAnswer(`${what}: ${report.fault}`);
      return report;
    },
    start: async (subject, nodeFlags = []) => {
      const program = await toProgram(subject);
      return startAndKeep({ ...program, argv: [...nodeFlags, ...program.argv] });
    },
    makeFolder: (name) => mkdtempSync(join(folder, `${name}-`)),
    close: async () => {
      client.stop();
      await Promise.all(started.map((running) => running.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
