import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { runTokenCommand } from './run-token-command.ts';

/** A program of these lines. */
const script = (text: string, ...rest: string[]): string[] => [process.execPath, '-e', text, ...rest];

test('the output is what the program wrote, its error output is dropped', async () => {
  expect(await runTokenCommand(script('console.error("noise"); console.log("token-1")'))).toBe('token-1\n');
});

test('no shell: arguments arrive as they are', async () => {
  const word = '$(echo no) `no` "quoted" *';
  expect(await runTokenCommand(script('process.stdout.write(process.argv[1])', word))).toBe(word);
});

test.each([
  ['another code', script('console.log("canary"); console.error("canary"); process.exit(3)'), /ended with code 3/],
  ['a signal', script('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'), /ended by SIGTERM/],
  ['too much output', script('for (;;) process.stdout.write("canary".repeat(10000))'), /more than 65536 bytes/],
  ['no such program', ['/nonexistent/token-program'], /cannot be started \(ENOENT\)/],
])('%s is an error without its words', async (_name, command, words) => {
  const error = await runTokenCommand(command).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: expect.stringMatching(words) as string });
  expect(inspect(error)).not.toContain('canary');
});

test('a program that takes too long is ended, with what it has started', async () => {
  // The child of the child would hold the output open for a minute.
  const text = `
    const { spawn } = require('node:child_process');
    spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' });
    setInterval(() => {}, 1000);`;
  await expect(runTokenCommand(script(text), 500)).rejects.toThrow(/longer than 500 ms/);
});
