import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

/** The gateway as it is installed, in a folder of its own. */
export interface BuiltGateway {
  /** A folder for whatever a test needs besides. */
  readonly folder: string;
  /** Starts a process with that configuration file. The database stands in `folder` unless the file says otherwise. */
  start(yaml: string, env?: Readonly<Record<string, string>>): Promise<GatewayProcess>;
  /** Ends what still runs and removes everything. */
  remove(): Promise<void>;
}

export interface GatewayProcess {
  readonly url: string;
  readonly pid: number;
  /** Resolves with the URL of its tap as soon as it is printed. */
  tapUrl(): Promise<string>;
  /** Everything it wrote to stdout and stderr so far. */
  readonly output: () => string;
  /** Resolves when it has ended and all of its output is here: the exit code, null when a signal ended it. */
  readonly exit: Promise<number | null>;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
}

/** Builds as `npm ci` does, but leaves `dist/` alone. */
export async function buildGateway(): Promise<BuiltGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-process-'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module","version":"0.0.0"}');
  await promisify(execFile)(process.execPath, ['scripts/build.mjs', join(folder, 'dist')], { cwd: root });
  const running = new Set<ChildProcess>();
  let started = 0;
  return {
    folder,
    async start(yaml, env = {}) {
      const config = join(folder, `antiphon-${String(++started)}.yaml`);
      await writeFile(config, yaml);
      const argv = [join(folder, 'dist/main.js'), '--config', config, '--port', '0', '--data', join(folder, 'data')];
      const child = spawn(process.execPath, argv, {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, ANTIPHON_DISCOVERY: '0', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running.add(child);
      child.once('exit', () => running.delete(child));
      return watch(child);
    },
    async remove() {
      const ends = [...running].map((child) => once(child, 'exit'));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(ends);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function watch(child: ChildProcess): Promise<GatewayProcess> {
  let output = '';
  let tellTap: (url: string) => void = () => undefined;
  const tapUrl = new Promise<string>((resolve) => (tellTap = resolve));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const read = (piece: string): void => {
      output += piece;
      const [, tap] = /^.*(?:reverse|forward), (http:[^\s,]+)/m.exec(output) ?? [];
      if (tap !== undefined) tellTap(tap);
      const [, found] = /antiphon listening on (\S+)\n/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.setEncoding('utf8').on('data', read);
    child.stderr?.setEncoding('utf8').on('data', read);
    void exit.then(() => {
      reject(new Error(`the gateway ended: ${output}`));
    });
  });
  return {
    url,
    pid: child.pid ?? 0,
    tapUrl: () => tapUrl,
    output: () => output,
    exit,
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
