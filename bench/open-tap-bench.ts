import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, writeAntiphonProgram } from './antiphon.ts';
import { compileScripts } from './compile-scripts.ts';
import type { LatencyJob, LatencyReport } from './latency-client.ts';
import { WrongAnswer } from './open-bench.ts';
import { startProcess, startWorker, type StartedProcess, type Worker } from './start-process.ts';

/** A gateway with a tap, agent servers before and behind nothing else, a model server with a clock, a bare proxy, and a client: each a process. */
export interface TapBench {
  readonly upstream: StartedProcess;
  readonly bare: StartedProcess;
  readonly antiphon: StartedProcess;
  readonly tapUrl: string;
  /** Runs one job. Throws when an answer was wrong. */
  ask(what: string, job: LatencyJob): Promise<LatencyReport>;
  close(): Promise<void>;
}

const agentServer = join(import.meta.dirname, '../test/doubles/agent-server/main.ts');

export async function openTapBench(): Promise<TapBench> {
  const toScript = compileScripts();
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-tap-bench-'));
  const started: StartedProcess[] = [];
  const start = async (name: string, argv: readonly string[], env = {}): Promise<StartedProcess> => {
    const running = await startProcess({ name, argv, env });
    started.push(running);
    return running;
  };

  const upstream = await start('clock upstream', [toScript(new URL('./clock-upstream.ts', import.meta.url))]);
  const bare = await start('bare proxy', [toScript(new URL('./bare-proxy.ts', import.meta.url)), upstream.url]);
  const [tapPort, tapped, direct] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const tapUrl = `http://127.0.0.1:${tapPort}`;
  // Titles and checkpoints are the agent server's own matter and would only be noise here.
  const quiet = ['--quirk', 'titleCall=false', '--quirk', 'checkpoint=false'];
  const agent = ['--import', 'tsx', agentServer, ...quiet];
  await start('agent server', [...agent, '--port', String(tapped), '--model-url', tapUrl]);
  await start('agent server', [...agent, '--port', String(direct), '--model-url', upstream.url]);
  const program = await writeAntiphonProgram(folder, {
    backends: {
      gemini: { type: 'gemini', api_key: 'x', base_url: upstream.url },
      tapped: { type: 'cascade', base_url: `http://127.0.0.1:${tapped}`, tap: 'wire' },
      untapped: { type: 'cascade', base_url: `http://127.0.0.1:${direct}` },
    },
    taps: { wire: { mode: 'reverse', listen: `127.0.0.1:${tapPort}`, upstream: upstream.url } },
  });
  const antiphon = await start(program.name, program.argv, program.env);
  const client: Worker<LatencyJob, LatencyReport> = await startWorker(toScript(new URL('./latency-client.ts', import.meta.url)));

  return {
    ...{ upstream, bare, antiphon, tapUrl },
    ask: async (what, job) => {
      const report = await client.run(job);
      for (const running of started) running.checkAlive();
      if (report.fault !== null) throw new WrongAnswer(`${what}: ${report.fault}`);
      return report;
    },
    close: async () => {
      client.stop();
      await Promise.all(started.map((running) => running.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
