#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { CommandDeps } from './cli/command-deps.ts';
import { serve } from './cli/serve.ts';
import { describeStartError } from './config/describe-start-error.ts';
import { parseCommandLine, usage, type CommandLine } from './config/parse-command-line.ts';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const version = await readVersion();
  const { command } = parseCommandLine(argv);
  const sources = {
    argv,
    env: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    readFile: readIfThere,
  };
  await runCommand(command, { sources, version, now: Date.now, print, write, readInput, complain, closeOnSignals });
}

/** The other commands are loaded only when they are asked for: starting the gateway must not wait for what they need. */
async function runCommand(command: CommandLine['command'], deps: CommandDeps): Promise<void> {
  switch (command) {
    case 'serve':
      return serve(deps);
    case 'tap-ca':
      return (await import('./cli/tap-ca.ts')).printTapCa(deps);
    case 'tap-record':
      return (await import('./cli/tap-record.ts')).recordTaps(deps);
    case 'replay':
      return (await import('./cli/replay.ts')).replayRecording(deps);
    case 'lint':
      return lint(deps);
    case 'help':
      write(usage);
      return;
    case 'version':
      print(deps.version);
  }
}

/** The exit code tells a script whether there were faults. */
async function lint(deps: CommandDeps): Promise<void> {
  const [command, { lintCapture }] = await Promise.all([import('./cli/lint.ts'), import('./lint-capture.ts')]);
  if ((await command.lint(deps, lintCapture)) > 0) process.exitCode = 1;
}

function closeOnSignals(close: () => Promise<void>): void {
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals > 1) process.exit(0);
    close().then(
      () => process.exit(0),
      (thrown: unknown) => {
        fail(thrown);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function fail(thrown: unknown): void {
  const lines = describeStartError(thrown) ?? [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)];
  for (const line of lines) complain(line);
  process.exit(1);
}

async function readIfThere(path: string | URL): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function readInput(): Promise<string> {
  const { text } = await import('node:stream/consumers');
  return text(process.stdin);
}

/** From the package around this file: one level up in the sources and in `dist`. */
async function readVersion(): Promise<string> {
  const text = await readIfThere(new URL('../package.json', import.meta.url));
  return (text === undefined ? undefined : /"version":\s*"([^"]+)"/.exec(text)?.[1]) ?? 'unknown';
}

function print(line: string): void {
  write(`${line}\n`);
}

function write(text: string): void {
  process.stdout.write(text);
}

function complain(line: string): void {
  process.stderr.write(`antiphon: ${line}\n`);
}

// Whoever read our lines may have gone (`antiphon | head -1`): no reason to stop serving.
process.stdout.on('error', () => undefined);
main().catch(fail);
