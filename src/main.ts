#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { describeStartError } from './config/describe-start-error.ts';
import { loadSettings } from './config/load-settings.ts';
import { parseCommandLine, usage } from './config/parse-command-line.ts';
import { createGateway, type Gateway } from './gateway.ts';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const { command, flags } = parseCommandLine(argv);
  const version = await readVersion();
  if (command === 'serve') return serve(argv, { version, question: flags.ask });
  print(command === 'help' ? usage : version);
}

async function serve(
  argv: readonly string[],
  { version, question }: { version: string; question: string | undefined },
): Promise<void> {
  const settings = await loadSettings({
    argv,
    env: process.env,
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    readFile: readIfThere,
  });
  for (const warning of settings.warnings) complain(`warning: ${warning}`);
  const gateway = createGateway(settings, { version });
  closeOnSignals(gateway);
  const { url } = await gateway.listen();
  print(`antiphon listening on ${url}`);
  for (const line of await gateway.describe()) print(line);
  if (question !== undefined) await gateway.ask(question, (text) => process.stdout.write(text));
}

/** The first signal lets running responses end, the second one does not. */
function closeOnSignals(gateway: Gateway): void {
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals > 1) process.exit(0);
    gateway.close().then(
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

/** From the package around this file: one level up in the sources and in `dist`. */
async function readVersion(): Promise<string> {
  const text = await readIfThere(new URL('../package.json', import.meta.url));
  return (text === undefined ? undefined : /"version":\s*"([^"]+)"/.exec(text)?.[1]) ?? 'unknown';
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`antiphon: ${line}\n`);
}

// Whoever read our lines may have gone (`antiphon | head -1`): no reason to stop serving.
process.stdout.on('error', () => undefined);
main().catch(fail);
