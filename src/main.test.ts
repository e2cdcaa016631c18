import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHttpUpstream } from '../test/doubles/http-upstream.ts';

const entry = fileURLToPath(new URL('main.ts', import.meta.url));
const loader = import.meta.resolve('tsx');

interface Started {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stdout holds that text; rejects when the process ends before. */
  readonly says: (text: string) => Promise<void>;
  readonly exit: Promise<number | null>;
}

let home: string;
const started: Started[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'antiphon-main-'));
});

afterEach(async () => {
  for (const { process, exit } of started.splice(0)) {
    process.kill('SIGKILL');
    await exit;
  }
  await rm(home, { recursive: true });
});

function start(argv: readonly string[], env: Record<string, string> = {}): Started {
  const process = spawn(globalThis.process.execPath, ['--import', loader, entry, ...argv], {
    cwd: home,
    env: {
      PATH: globalThis.process.env['PATH'] ?? '',
      HOME: home,
      ANTIPHON_DISCOVERY: '0',
      ANTIPHON_LOG_LEVEL: 'silent',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].setEncoding('utf8').on('data', (piece: string) => {
      texts[name] += piece;
      for (const look of waiting) look();
    });
  }
  const exit = new Promise<number | null>((resolve) => process.once('close', resolve));
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (texts.stdout.includes(text)) resolve();
      };
      waiting.add(look);
      look();
      void exit.then(() => {
        reject(new Error(`it ended without saying "${text}": ${texts.stderr}`));
      });
    });
  const one = { process, stdout: () => texts.stdout, stderr: () => texts.stderr, says, exit };
  started.push(one);
  return one;
}

function urlOf({ stdout }: Started): string {
  return /antiphon listening on (\S+)/.exec(stdout())?.[1] ?? '';
}

function ask(url: string, model: string): Promise<Response> {
  return fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, input: 'Hello!', stream: true }),
  });
}

test('it says once where it listens, answers there, and ends well on SIGTERM', async () => {
  const gateway = start(['serve', '--port', '0', '--data', 'state']);
  await gateway.says('curl ');
  expect(gateway.stdout().match(/^antiphon listening on http:\/\/127\.0\.0\.1:\d+$/gm)).toHaveLength(1);
  expect(gateway.stdout()).toContain(join(home, 'state', 'antiphon.db'));
  expect((await fetch(`${urlOf(gateway)}/health`)).status).toBe(200);
  const answer = await ask(urlOf(gateway), 'rehearsal/slow');
  gateway.process.kill('SIGTERM');
  expect(await answer.text()).toContain('event: response.completed');
  expect(await gateway.exit).toBe(0);
  expect(gateway.stderr()).toBe('');
}, 60_000);

test('the first signal closes the port and lets a running answer go on, the second one ends it', async () => {
  const gateway = start(['--port', '0'], { ANTIPHON_STORE_URL: 'memory:' });
  await gateway.says('curl ');
  const answer = await ask(urlOf(gateway), 'rehearsal/stall');
  expect(answer.status).toBe(200);
  gateway.process.kill('SIGINT');
  // The port closes at once, while the answer goes on.
  await expect
    .poll(
      () =>
        fetch(`${urlOf(gateway)}/health`).then(
          () => 'open',
          () => 'closed',
        ),
      { timeout: 10_000 },
    )
    .toBe('closed');
  gateway.process.kill('SIGINT');
  expect(await gateway.exit).toBe(0);
  await expect(answer.text()).rejects.toThrow();
}, 60_000);

test('a port in use is one clear sentence and exit code 1', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = start(['--port', String(port)]);
  expect(await gateway.exit).toBe(1);
  expect(gateway.stderr()).toBe(
    `antiphon: port ${String(port)} on 127.0.0.1 is in use: stop what listens there, or choose another one with --port (0 takes any free one)\n`,
  );
  expect(gateway.stdout()).toBe('');
  server.close();
}, 60_000);

test('a wrong configuration is one line for each mistake and exit code 1', async () => {
  await writeFile(
    join(home, 'antiphon.yaml'),
    'server:\n  prot: 1\n  host: 0.0.0.0\nbackends:\n  g: { type: gemini, api_key: "${NOT_SET}" }\n',
  );
  const gateway = start(['--port', 'x']);
  expect(await gateway.exit).toBe(1);
  expect(gateway.stderr().trimEnd().split('\n')).toEqual([
    'antiphon: the command line: --port: must be a port from 1 to 65535, or 0 for any free one',
    `antiphon: ${home}/antiphon.yaml:5: backends.g.api_key: the environment variable NOT_SET is not set: set it, or write \${NOT_SET:-default}`,
    `antiphon: ${home}/antiphon.yaml:2: server.prot: is not a key here: did you mean 'port'?`,
  ]);
}, 60_000);

test.each([
  [
    'another host needs a key',
    ['--host', '0.0.0.0'],
    {},
    /^antiphon: .*other machines can reach 0\.0\.0\.0, but no API key is set: set ANTIPHON_API_KEY/,
  ],
  ['a database that is none', [], { ANTIPHON_STORE_URL: 'sqlite:antiphon.yaml' }, /^antiphon: .*antiphon\.yaml.*\n$/],
  [
    'a data directory that cannot be made',
    ['--data', '/dev/null/x'],
    { ANTIPHON_STORE_URL: 'memory:' },
    /^antiphon: \/dev\/null\/x\/envelope\.key: cannot be made/,
  ],
  [
    'a foreign address',
    ['--host', '203.0.113.9'],
    { ANTIPHON_API_KEY: 'k' },
    /^antiphon: 203\.0\.113\.9 is not an address of this machine/,
  ],
])(
  '%s: one line, exit code 1, no stack',
  async (_what, argv, env, message) => {
    await writeFile(join(home, 'antiphon.yaml'), '# nothing but a comment, and certainly no database\n'.repeat(40));
    const gateway = start(['--port', '0', ...argv], env);
    expect(await gateway.exit).toBe(1);
    expect(gateway.stderr()).toMatch(message);
    expect(gateway.stderr().trimEnd().split('\n')).toHaveLength(1);
  },
  60_000,
);

test('--version and --help print and end', async () => {
  const version = start(['--version']);
  expect(await version.exit).toBe(0);
  expect(version.stdout()).toMatch(/^\d+\.\d+\.\d+\n$/);
  const help = start(['--help', '--port', 'nonsense']);
  expect(await help.exit).toBe(0);
  expect(help.stdout()).toContain('Usage: antiphon');
}, 60_000);

const forwardTap = 'taps:\n  proxy: { mode: forward, listen: 0, hosts: [ models.example ] }\n';

test('`tap ca` prints where the certificate is, and nothing else on stdout', async () => {
  await writeFile(
    join(home, 'taps.yaml'),
    `server: { host: 0.0.0.0 }\nbackends: { g: { type: gemini, api_key: "\${NOT_SET}" } }\n${forwardTap}`,
  );
  const file = join(home, 'state', 'tap', 'ca.pem');
  for (const time of ['made', 'found']) {
    const command = start(['tap', 'ca', '--config', 'taps.yaml', '--data', 'state']);
    expect([time, await command.exit, command.stdout()]).toEqual([time, 0, `${file}\n`]);
    expect(command.stderr()).toContain(`SSL_CERT_FILE=${file}`);
  }
  expect(await readFile(file, 'utf8')).toContain('-----BEGIN CERTIFICATE-----');
  expect((await stat(join(home, 'state', 'tap'))).mode & 0o777).toBe(0o700);
}, 60_000);

test('without a forward tap there is no certificate', async () => {
  const command = start(['tap', 'ca']);
  expect(await command.exit).toBe(1);
  expect(command.stderr()).toMatch(/^antiphon: no configuration file: taps: there is no tap with `mode: forward`: add one.*\n$/);
  expect(command.stdout()).toBe('');
}, 60_000);

test('lint names the rules that a captured stream breaks, and its exit code tells whether there are any', async () => {
  const running = { id: 'resp_1', status: 'in_progress', output: [], usage: null };
  const usage = { input_tokens: 1, output_tokens: 0, total_tokens: 1 };
  const opening = ['created', 'in_progress'].map((name) => ({ type: `response.${name}`, response: running }));
  const end = { type: 'response.completed', response: { ...running, status: 'completed', usage } };
  const write = (events: readonly object[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  await writeFile(join(home, 'good.sse'), write([...opening, end]));
  await writeFile(join(home, 'bad.sse'), write([...opening, { type: 'response.output_text.delta', delta: 'x' }, end]));
  const good = start(['lint', 'good.sse']);
  expect([await good.exit, good.stdout(), good.stderr()]).toEqual([0, '0 faults / 3 events\n', '']);
  const bad = start(['lint', 'bad.sse']);
  expect([await bad.exit, bad.stderr()]).toEqual([1, '']);
  expect(bad.stdout()).toBe(
    'item-never-added  #2 response.output_text.delta: belongs to a message, but no item is open\n1 fault / 4 events\n',
  );
});

test('a tap records without a gateway, and a replay serves what it recorded', async () => {
  const upstream = await openHttpUpstream((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"candidates":[{"finishReason":"STOP"}]}');
  });
  const call = (url: string): Promise<Response> =>
    fetch(`${url}/v1beta/models/m:generateContent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"contents":[]}',
    });
  const recording = start(['tap', '--record', 'out', '--upstream', upstream.url, '--listen', '0']);
  await recording.says('set the model base URL');
  const tapUrl = /antiphon tap record listening on (\S+)/.exec(recording.stdout())?.[1] ?? '';
  expect((await call(tapUrl)).status).toBe(200);
  recording.process.kill('SIGINT');
  expect([await recording.exit, recording.stderr()]).toEqual([0, '']);
  await upstream.close();

  const replay = start(['replay', 'out', '--listen', '0']);
  await replay.says('1 exchange from');
  const replayUrl = /antiphon replay listening on (\S+)/.exec(replay.stdout())?.[1] ?? '';
  const answer = await call(replayUrl);
  expect([answer.status, await answer.json()]).toEqual([200, { candidates: [{ finishReason: 'STOP' }] }]);
  replay.process.kill('SIGTERM');
  expect([await replay.exit, replay.stderr()]).toEqual([0, '']);
}, 60_000);

test('a replay without a recording says so', async () => {
  const replay = start(['replay', '.', '--listen', '0']);
  await replay.says('0 exchanges from');
  replay.process.kill('SIGTERM');
  expect(await replay.exit).toBe(0);
  expect(replay.stderr()).toMatch(/^antiphon: warning: \S+ holds no recording, so every request gets a 404\n$/);
}, 60_000);

test.each([
  [['tap'], /tap: needs `ca` or --record DIR after it\n$/],
  [['lint', 'gone.sse'], /the command line: gone\.sse: is not there\n$/],
  [['lint', '-'], /the command line: -: holds no events\n$/],
  [['lint', '.'], /the command line: \.: cannot be read \(EISDIR\)\n$/],
  [['replay', 'gone'], /the command line: replay: \S+\/gone cannot be read \(ENOENT\)\n$/],
  [['tap', '--record', 'out'], /taps: there is no tap to record with: add one, or give --upstream URL of a model API\n$/],
  [['runn'], /runn: is not a command: there are serve, tap ca, tap --record DIR, replay DIR, lint FILE\n$/],
])(
  '%j: one line, exit code 1',
  async (argv, message) => {
    const command = start(argv);
    expect(await command.exit).toBe(1);
    expect(command.stderr()).toMatch(message);
    expect(command.stderr().trimEnd().split('\n')).toHaveLength(1);
    expect(command.stdout()).toBe('');
  },
  60_000,
);
