import { expect, test } from 'vitest';
import { parseCommandLine, usage } from './parse-command-line.ts';

function faultsOf(line: string): string[] {
  return parseCommandLine(line.split(' ')).faults.map(({ path, message }) => `${path}: ${message}`);
}

test.each([
  ['', 'serve', {}],
  ['--port 1 --ask hello', 'serve', { port: '1', ask: 'hello' }],
  ['serve --config=f', 'serve', { config: 'f' }],
  ['tap ca --config f --data d', 'tap-ca', { config: 'f', data: 'd' }],
  ['--data d tap ca', 'tap-ca', { data: 'd' }],
  ['tap --record out --tap one --listen 0', 'tap-record', { record: 'out', tap: 'one', listen: '0' }],
  ['tap --record out --upstream http://h', 'tap-record', { record: 'out', upstream: 'http://h' }],
  ['replay out --timing original', 'replay', { folder: 'out', timing: 'original' }],
  ['--listen :1 replay out', 'replay', { folder: 'out', listen: ':1' }],
  ['lint capture.sse', 'lint', { capture: 'capture.sse' }],
  ['lint -', 'lint', { capture: '-' }],
])('antiphon %s', (line, command, flags) => {
  expect(parseCommandLine(line === '' ? [] : line.split(' '))).toEqual({ command, flags, faults: [] });
});

test.each([
  ['run', 'run: is not a command: there are serve, tap ca, tap --record DIR, replay DIR, lint FILE'],
  ['ca', 'ca: is not a command: there are'],
  ['serve now', 'now: is not understood after `antiphon serve`'],
  ['tap', 'tap: needs `ca` or --record DIR after it'],
  ['tap ca now', 'now: is not understood after `antiphon tap ca`'],
  ['tap --record', '--record: needs a value after it'],
  ['tap record --record d', 'record: is not understood after `antiphon tap`'],
  ['tap ca --port 1', '--port: does not belong to `antiphon tap ca`: that takes --config, --data'],
  ['--record d', '--record: does not belong to `antiphon serve`: that takes --config, --host, --port, --data, --ask'],
  ['tap --record d --upstream http://h --tap t', '--tap: does not go together with --upstream'],
  ['tap --record d --upstream http://h --config f', '--config: does not go together with --upstream'],
  ['replay', 'replay: needs the folder of a recording after it'],
  ['replay a b', 'b: is not understood after `antiphon replay`'],
  ['replay a --timming none', '--timming: is not a known flag: did you mean --timing?'],
  ['lint', 'lint: needs a captured event stream (a file, or - for stdin) after it'],
  ['lint a --port 1', '--port: does not belong to `antiphon lint`: that takes no flags'],
  ['--constructor x', '--constructor: is not a known flag'],
])('antiphon %s: one clear sentence', (line, fault) => {
  const faults = faultsOf(line);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(fault);
});

test('who asks for help gets it, whatever else stands there', () => {
  expect(parseCommandLine(['tap', '--help']).command).toBe('help');
  expect(parseCommandLine(['replay', '-v']).command).toBe('version');
});

test('the usage names every command and every flag', () => {
  const words = ['serve', 'tap ca', 'tap --record', 'replay', 'lint FILE|-', '--config', '--host', '--port', '--data', '--ask'];
  for (const word of [...words, '--tap', '--upstream', '--listen', '--timing', '--help', '--version'])
    expect(usage).toContain(word);
});
