import { expect, test } from 'vitest';
import { loadSettings, type SettingsSources } from './load-settings.ts';
import { SettingsError } from './settings-error.ts';

const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Record<string, string>;
  readonly yaml?: string;
  readonly files?: Record<string, string>;
}

function sources({ argv = [], env = {}, yaml, files = {} }: Given): SettingsSources {
  const all: Record<string, string> = { ...files, ...(yaml !== undefined && { '/work/antiphon.yaml': yaml }) };
  return { argv, env, workingDirectory: '/work', homeDirectory: '/home/me', readFile: (path) => Promise.resolve(all[path]) };
}

async function faultsOf(given: Given): Promise<string[]> {
  const error: unknown = await loadSettings(sources(given)).then(
    () => new Error('the settings were accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SettingsError)) throw error;
  return error.message.split('\n');
}

test('the address of a dated version of Azure has its query', async () => {
  const azure = 'https://name.openai.azure.com/openai';
  const yaml = `backends: { a: { type: responses, base_url: "${azure}/?api-version=2025-04-01-preview" } }`;
  const { backends } = await loadSettings(sources({ yaml }));
  expect(backends).toMatchObject([{ baseUrl: `${azure}?api-version=2025-04-01-preview` }]);
});

test('without anything there is a loopback gateway with a database in the home directory', async () => {
  const settings = await loadSettings(sources({}));
  expect(settings).toMatchObject({
    configFile: null,
    dataDirectory: '/home/me/.antiphon',
    server: { host: '127.0.0.1', port: 8720, keys: [], maxBodyBytes: 33_554_432, shutdownMs: 10_000 },
    store: { type: 'sqlite', file: '/home/me/.antiphon/antiphon.db', synchronous: 'normal', busyTimeoutMs: 10_000 },
    retention: { maxAgeMs: 2_592_000_000, maxBytes: 1_073_741_824 },
    backends: [],
    models: { defaultModel: null },
    timeouts: { connectMs: 10_000, firstByteMs: 300_000, idleMs: 300_000, totalMs: 1_800_000, maxTotalMs: 7_200_000 },
    keepAlive: { commentMs: 15_000, eventMs: 60_000 },
    log: { level: 'info', content: false },
    routing: {
      retries: 2,
      retryBudget: 0.2,
      breaker: { failures: 5, windowMs: 30_000, cooldownMs: 15_000 },
      stickinessMs: 600_000,
    },
    probesLocalServers: true,
    warnings: [],
  });
});

test('a whole file is read, with variables, units and relative paths', async () => {
  const yaml = `
data: ./state
server: { host: 0.0.0.0, port: "\${PORT:-9000}", keys: [ "\${KEY_ONE}", two ], allowed_hosts: [ box.lan ], allowed_origins: [ "https://app.example.com" ], max_body_bytes: 8MiB, shutdown: 3s }
store: { url: "sqlite:./db/antiphon.db", synchronous: full, busy_timeout: 500ms, retention: { max_age: 7d, max_bytes: off } }
backends:
  gemini: { type: gemini, api_key: "\${GEMINI_API_KEY}" }
  local: { type: chat, base_url: "http://127.0.0.1:11434/v1/", vendor: ollama, think_tags: true, headers: { X-Title: my app }, ca_file: ca.pem, timeouts: { connect: 1, idle: 2m } }
models: { default: gemini/gemini-3-flash, aliases: { gpt-5: gemini/gemini-3-pro } }
timeouts: { connect: 3s, first_byte: 30s, total: 1h }
keep_alive: { comment: 5s }
log: { level: debug, content: true }
envelope: { keys: [ "${Buffer.alloc(32, 7).toString('base64')}" ] }
discovery: false
`;
  const env = { KEY_ONE: 'one\n', GEMINI_API_KEY: 'g-1', OPENAI_API_KEY: 'not looked at' };
  const settings = await loadSettings(sources({ yaml, env, files: { '/work/ca.pem': certificate } }));
  expect(settings).toMatchObject({
    configFile: '/work/antiphon.yaml',
    dataDirectory: '/work/state',
    server: {
      host: '0.0.0.0',
      port: 9000,
      allowedHosts: ['box.lan'],
      allowedOrigins: ['https://app.example.com'],
      maxBodyBytes: 8_388_608,
      shutdownMs: 3_000,
    },
    store: { type: 'sqlite', file: '/work/db/antiphon.db', synchronous: 'full', busyTimeoutMs: 500 },
    retention: { maxAgeMs: 604_800_000, maxBytes: null },
    models: { defaultModel: 'gemini/gemini-3-flash', aliases: new Map([['gpt-5', [['gemini/gemini-3-pro']]]]) },
    timeouts: { connectMs: 3_000, firstByteMs: 30_000, idleMs: 300_000, totalMs: 3_600_000 },
    keepAlive: { commentMs: 5_000, eventMs: 60_000 },
    log: { level: 'debug', content: true },
    probesLocalServers: false,
  });
  expect(settings.server.keys.map((key) => key.reveal())).toEqual(['one', 'two']);
  expect(settings.envelopeKeys).toHaveLength(1);
  const [gemini, local] = settings.backends;
  expect(gemini).toMatchObject({ name: 'gemini', type: 'gemini', origin: 'from /work/antiphon.yaml', baseUrl: null });
  expect(local).toMatchObject({
    name: 'local',
    baseUrl: 'http://127.0.0.1:11434/v1',
    apiKey: null,
    vendor: 'ollama',
    thinkTags: true,
    caFile: '/work/ca.pem',
    timeouts: { connectMs: 1_000, firstByteMs: 30_000, idleMs: 120_000 },
  });
  expect(settings.backends).toHaveLength(2);
  expect(JSON.stringify(settings)).not.toContain('g-1');
});

test('flags stand above the environment, that above the file, that above the default', async () => {
  const given = {
    yaml: 'server: { host: 127.0.0.5, port: 1 }\ndata: /from/file\nstore: { url: "memory:" }\nlog: { level: warn }',
    env: {
      ANTIPHON_PORT: '2',
      ANTIPHON_DATA: 'from-env',
      ANTIPHON_STORE_URL: 'sqlite:env.db',
      ANTIPHON_LOG_LEVEL: 'ERROR',
      ANTIPHON_API_KEY: 'k',
    },
  };
  expect(await loadSettings(sources({ ...given, argv: ['serve', '--port', '3', '--data=~/flag'] }))).toMatchObject({
    server: { host: '127.0.0.5', port: 3 },
    dataDirectory: '/home/me/flag',
    store: { type: 'sqlite', file: '/work/env.db' },
    log: { level: 'error' },
  });
  expect(await loadSettings(sources(given))).toMatchObject({ server: { port: 2 }, dataDirectory: '/work/from-env' });
});

test('the key of the environment joins those of the file, once', async () => {
  const yaml = 'server: { keys: [ "${ANTIPHON_API_KEY}", other ] }';
  const settings = await loadSettings(sources({ yaml, env: { ANTIPHON_API_KEY: 'mine' } }));
  expect(settings.server.keys.map((key) => key.reveal())).toEqual(['mine', 'other']);
});

test('the file is looked for here, then in the home directory, or where it is said to be', async () => {
  const home = { '/home/me/.antiphon/antiphon.yaml': 'server: { port: 1 }' };
  expect(await loadSettings(sources({ files: home }))).toMatchObject({
    configFile: '/home/me/.antiphon/antiphon.yaml',
    server: { port: 1 },
  });
  expect(await loadSettings(sources({ files: home, yaml: 'server: { port: 2 }' }))).toMatchObject({ server: { port: 2 } });
  const named = { files: { ...home, '/work/other.yaml': 'server: { port: 3 }' } };
  expect(await loadSettings(sources({ ...named, argv: ['--config', 'other.yaml'] }))).toMatchObject({ server: { port: 3 } });
  expect(await loadSettings(sources({ ...named, env: { ANTIPHON_CONFIG: '/work/other.yaml' } }))).toMatchObject({
    server: { port: 3 },
  });
  expect(await faultsOf({ argv: ['--config', 'gone.yaml'] })).toEqual(['/work/gone.yaml: there is no such file']);
});

test.each([
  ['server: { prot: 1 }', `server.prot: is not a key here: did you mean 'port'?`],
  ['sever: {}', `sever: is not a key here: did you mean 'server'?`],
  ['server: { port: 70000 }', 'server.port: must be a port from 1 to 65535, or 0 for any free one'],
  ['server: 5', 'server: must be a section with keys'],
  ['server: { keys: "k" }', 'server.keys: must be a list, for example [ "…" ]'],
  [
    'server: { keys: [ "" ] }',
    'server.keys[0]: is empty: give an API key as text in quotes, without white space or control characters in it, or remove it',
  ],
  [
    'server: { keys: [ ] , host: 192.168.1.5 }',
    'server.host: other machines can reach 192.168.1.5, but no API key is set: set ANTIPHON_API_KEY',
  ],
  ['server: { allowed_origins: [ "https://a.example/path" ] }', 'server.allowed_origins[0]: must be a web origin such as'],
  ['backends: { g: { type: gemini } }', 'backends.g.api_key: is missing: give the API key'],
  [
    'backends: { g: { type: gemini, api_key: "${NOT_SET}" } }',
    'backends.g.api_key: the environment variable NOT_SET is not set: set it, or write ${NOT_SET:-default}',
  ],
  ['backends: { g: { type: gemini, api_key: "${EMPTY}" } }', 'backends.g.api_key: is empty: give the API key'],
  ['backends: { c: { type: chat } }', 'backends.c.base_url: is missing: give an http:// or https:// address'],
  [
    'backends: { c: { type: chat, base_url: "http://u:secret-1@h/v1" } }',
    'backends.c.base_url: must be an http:// or https:// address without user name',
  ],
  ['backends: { c: { type: chat, base_url: "ftp://h" } }', 'backends.c.base_url: must be an http://'],
  ['backends: { c: { type: chat, base_url: "http://h/v1?key=a" } }', 'backends.c.base_url: must be an http://'],
  ['backends: { c: { type: responses, base_url: "http://h?api-version=1&key=a" } }', 'backends.c.base_url: must be an http://'],
  ['backends: { c: { type: chat, base_url: "http://h", vendor: olama } }', 'backends.c.vendor: must be one of openai, ollama'],
  [
    'backends: { c: { type: chat, base_url: "http://h", headers: { Host: a } } }',
    'backends.c.headers.Host: must be a header this gateway does not set itself',
  ],
  [
    'backends: { c: { type: chat, base_url: "http://h", ca_file: gone.pem } }',
    'backends.c.ca_file: /work/gone.pem cannot be read',
  ],
  ['backends: { c: { type: cht } }', 'backends.c.type: must say what speaks there: one of gemini, chat, cascade, rehearsal'],
  ['backends: { c: { } }', 'backends.c.type: must say what speaks there'],
  ['backends: { a/b: { type: rehearsal } }', 'backends.a/b: must be a name of letters, digits, - and _'],
  ['backends: { rehearsal: { type: chat, base_url: "http://h" } }', 'backends.rehearsal: is the name of the built-in backend'],
  ['store: { url: "postgres://h/d" }', 'store.url: must be sqlite:PATH or memory:'],
  ['store: { url: "sqlite::memory:" }', 'store.url: must be sqlite:PATH or memory:'],
  ['store: { retention: { max_age: soon } }', 'store.retention.max_age: must be a length of time such as 30d, or off'],
  ['timeouts: { idle: 0 }', 'timeouts.idle: must be a length of time'],
  ['timeouts: { idle: 30d }', 'timeouts.idle: must be a length of time'],
  ['timeouts: { total: 3h, max_total: 2h }', 'timeouts.max_total: must not be shorter than timeouts.total'],
  ['envelope: { keys: [ "c2hvcnQ=" ] }', 'envelope.keys[0]: must be 32 random bytes in base64'],
  ['log: { level: loud }', 'log.level: must be one of trace'],
  ['server: { port: 1 }\nserver: { port: 2 }', 'the same key stands twice in one section'],
  ['server: { port: 1', 'a bracket or quote before it was not closed'],
  ['server:\n\tport: 1', 'YAML is indented with spaces, not with tabs'],
  ['- a', 'must be a section with keys'],
  ['a: *b', 'an alias (*name) leads nowhere or too far'],
])('%s is refused', async (yaml, message) => {
  const faults = await faultsOf({ yaml, env: { EMPTY: '' } });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
  expect(faults[0]).toContain('/work/antiphon.yaml');
  expect(faults[0]).not.toContain('secret-1');
});

test('everything that is wrong is said at once, with its line', async () => {
  const yaml = 'server:\n  port: x\n  hots: y\nbackends:\n  a:\n    type: gemini\n    api_key: "${NOPE}"\n';
  expect(await faultsOf({ yaml, argv: ['--prt=1', 'run'], env: { ANTIPHON_LOG_LEVEL: 'loud' } })).toEqual([
    'the command line: --prt: is not a known flag: did you mean --port?',
    'the command line: run: is not a command: there are serve, tap ca, tap --record DIR, replay DIR, lint FILE',
    'the environment: ANTIPHON_LOG_LEVEL: must be one of trace, debug, info, warn, error, fatal, silent',
    expect.stringMatching(/^\/work\/antiphon.yaml:7: backends.a.api_key: the environment variable NOPE is not set/),
    '/work/antiphon.yaml:2: server.port: must be a port from 1 to 65535, or 0 for any free one',
    `/work/antiphon.yaml:3: server.hots: is not a key here: did you mean 'host'?`,
  ]);
});

test.each([
  [{ argv: ['--port', 'eighty'] }, 'the command line: --port: must be a port'],
  [{ argv: ['--port'] }, 'the command line: --port: needs a value after it'],
  [{ argv: ['--host', '0.0.0.0'] }, 'other machines can reach 0.0.0.0'],
  [{ env: { ANTIPHON_HOST: '::' } }, 'other machines can reach ::'],
  [{ env: { ANTIPHON_API_KEY: '' } }, 'the environment: ANTIPHON_API_KEY: is set but empty: give it a value, or unset it'],
  [{ env: { ANTIPHON_API_KEY: 'two words' } }, 'the environment: ANTIPHON_API_KEY: must be ASCII without white space'],
  [{ env: { ANTIPHON_STORE_URL: 'redis://h' } }, 'the environment: ANTIPHON_STORE_URL: must be sqlite:PATH or memory:'],
  [{ env: { ANTIPHON_DISCOVERY: 'maybe' } }, 'the environment: ANTIPHON_DISCOVERY: must be 1 or 0'],
] satisfies [Given, string][])('%j is refused', async (given, message) => {
  const faults = await faultsOf(given);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
});

test.each(['127.0.0.1', '127.9.8.7', 'localhost', '::1', '[::1]'])('%s needs no key', async (host) => {
  await expect(loadSettings(sources({ argv: ['--host', host] }))).resolves.toMatchObject({ server: { keys: [] } });
});
