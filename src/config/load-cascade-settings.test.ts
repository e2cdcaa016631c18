import { expect, test } from 'vitest';
import { loadSettings } from './load-settings.ts';
import { SettingsError } from './settings-error.ts';
import type { CascadeSettings, Settings } from './settings.ts';

const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function load(yaml: string, env: Record<string, string> = {}): Promise<Settings> {
  const files: Record<string, string> = { '/work/antiphon.yaml': yaml, '/work/ca.pem': certificate, '/work/empty.pem': '' };
  return loadSettings({
    argv: [],
    env: { ANTIPHON_DISCOVERY: '0', ...env },
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: (path) => Promise.resolve(files[path]),
  });
}

async function faultsOf(yaml: string, env: Record<string, string> = {}): Promise<string[]> {
  const error: unknown = await load(yaml, env).then(
    () => new Error('the settings were accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SettingsError)) throw error;
  return error.message.split('\n');
}

async function cascadeOf(keys: string, env: Record<string, string> = {}): Promise<CascadeSettings> {
  const { backends } = await load(`backends: { agent: { type: cascade, base_url: "http://127.0.0.1:42100/", ${keys} } }`, env);
  const [backend] = backends;
  if (backend?.type !== 'cascade') throw new Error('there is no cascade backend');
  return backend;
}

test('a cascade backend needs nothing but an address', async () => {
  expect(await cascadeOf('')).toEqual({
    type: 'cascade',
    name: 'agent',
    origin: 'from /work/antiphon.yaml',
    baseUrl: 'http://127.0.0.1:42100',
    csrfToken: null,
    token: null,
    tap: null,
    ownTools: 'keep',
    models: new Map(),
    defaultModel: null,
    modelField: 'both',
    workspaceUris: [],
    headers: new Map(),
    caFile: null,
    timeouts: { connectMs: 10_000, firstByteMs: 300_000, idleMs: 300_000 },
  });
});

test('every key of a cascade backend is read', async () => {
  const settings = await load(
    `
backends:
  agent:
    type: cascade
    base_url: https://127.0.0.1:42100
    csrf_token: "\${CSRF}"
    ca_file: ca.pem
    token: "\${TOKEN}"
    token_file: ~/agent.token
    token_command: [ ./login, "--for", "two words", "" ]
    tap: wire
    own_tools: drop
    models: { fast: MODEL_PLACEHOLDER_M7 }
    default_model: fast
    model_field: uid
    workspace_uris: [ "file:///srv/empty" ]
    headers: { X-Name: me }
    timeouts: { connect: 1s }
taps:
  wire: { upstream: "https://models.example/", listen: 9001 }
`,
    { CSRF: 'csrf-1', TOKEN: ' token-1\n' },
  );
  const [agent] = settings.backends;
  expect(agent).toMatchObject({
    caFile: '/work/ca.pem',
    token: { file: '/home/me/agent.token', command: ['/work/login', '--for', 'two words', ''] },
    tap: 'wire',
    ownTools: 'drop',
    models: new Map([['fast', 'MODEL_PLACEHOLDER_M7']]),
    defaultModel: 'fast',
    modelField: 'uid',
    workspaceUris: ['file:///srv/empty'],
    timeouts: { connectMs: 1_000, idleMs: 300_000 },
  });
  if (agent?.type !== 'cascade') throw new Error('not a cascade');
  expect([agent.csrfToken?.reveal(), agent.token?.value?.reveal(), agent.headers.get('x-name')?.reveal()]).toEqual([
    'csrf-1',
    'token-1',
    'me',
  ]);
  expect(JSON.stringify(settings)).not.toMatch(/csrf-1|token-1/);
  expect(settings.warnings).toEqual([]);
});

test.each(['token: ""', 'token: "${NOT_SET}"', 'token: "${EMPTY}"', 'token: " "', 'token: ', 'token: "before-${NOT_SET}"'])(
  '%s: a token is needed, and there is none yet',
  async (keys) => {
    expect((await cascadeOf(keys, { EMPTY: '' })).token).toEqual({ value: null, file: null, command: null });
  },
);

test('a program without a slash is looked for in PATH', async () => {
  expect((await cascadeOf('token_command: [ my-login ]')).token).toEqual({ value: null, file: null, command: ['my-login'] });
});

test.each([
  ['type: cascade', 'backends.c.base_url: is missing'],
  ['type: cascade, base_url: "http://h:1", token: "two words"', 'backends.c.token: must be the access token as text in quotes'],
  ['type: cascade, base_url: "http://h:1", token: 7', 'backends.c.token: must be the access token'],
  [
    'type: cascade, base_url: "http://h:1", csrf_token: "${NOT_SET}"',
    'backends.c.csrf_token: the environment variable NOT_SET is not set',
  ],
  ['type: chat, base_url: "http://h:1", token: "${NOT_SET}"', 'backends.c.token: is not a key here'],
  ['type: cascade, base_url: "http://h:1", token_command: []', 'backends.c.token_command: must be a list of the program'],
  [
    'type: cascade, base_url: "http://h:1", token_command: "login --now"',
    'backends.c.token_command: must be a list of the program',
  ],
  [
    'type: cascade, base_url: "http://h:1", token_command: [ login, 7 ]',
    'backends.c.token_command: must be a list of the program',
  ],
  ['type: cascade, base_url: "http://h:1", token_command: [ " " ]', 'backends.c.token_command: must be a list of the program'],
  ['type: cascade, base_url: "http://h:1", own_tools: both', 'backends.c.own_tools: must be one of keep, drop'],
  [
    'type: cascade, base_url: "http://h:1", model_field: all',
    'backends.c.model_field: must be one of both, plan, requested, uid',
  ],
  ['type: cascade, base_url: "http://h:1", workspace_uris: [ /srv ]', 'backends.c.workspace_uris[0]: must be a file:// URI'],
  ['type: cascade, base_url: "http://h:1", models: [ a ]', 'backends.c.models: must be a section of model id'],
  ['type: cascade, base_url: "http://h:1", models: { a: "" }', 'backends.c.models.a: is empty'],
  ['type: cascade, base_url: "http://h:1", csrf_tokens: x', 'backends.c.csrf_tokens: is not a key here: did you mean'],
  ['type: cascade, base_url: "http://h:1", ca_file: empty.pem', 'backends.c.ca_file: /work/empty.pem holds no PEM certificate'],
  [
    'type: cascade, base_url: "http://h:1", tap: wire',
    'backends.c.tap: must name an entry of taps, and there is none: add taps.wire',
  ],
])('a backend with %s is refused', async (keys, message) => {
  const faults = await faultsOf(`backends: { c: { ${keys} } }`);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
  expect(faults[0]).toContain('/work/antiphon.yaml');
});

test('a tap that is not there is named with those that are', async () => {
  const yaml =
    'backends: { c: { type: cascade, base_url: "http://h:1", tap: wires } }\ntaps: { wire: { upstream: "http://u", listen: 1 }, other: { upstream: "http://u", listen: 2 } }';
  expect(await faultsOf(yaml)).toEqual([
    '/work/antiphon.yaml:1: backends.c.tap: must name an entry of taps: there are wire, other',
  ]);
});

test('what is wrong only with the rest of the file is said with its line, too', async () => {
  const yaml = [
    'taps:',
    '  wire: { upstream: "http://u" }',
    '  proxy:',
    '    mode: forward',
    '    listen: 1',
    'backends:',
    '  c:',
    '    type: cascade',
    '    base_url: "http://h:1"',
    '    ca_file: gone.pem',
    '    tap: wires',
  ].join('\n');
  expect(await faultsOf(yaml)).toEqual([
    '/work/antiphon.yaml:11: backends.c.tap: must name an entry of taps: there are wire, proxy',
    expect.stringContaining('/work/antiphon.yaml:3: taps.proxy.hosts: is missing'),
    '/work/antiphon.yaml:10: backends.c.ca_file: /work/gone.pem cannot be read',
  ]);
});

test('a secret that crosses a network in the clear is a warning', async () => {
  const keys = 'type: cascade, base_url: "http://far.example:1"';
  expect((await load(`backends: { c: { ${keys}, csrf_token: x } }`)).warnings).toEqual([
    expect.stringContaining('backends.c: its key crosses'),
  ]);
  expect((await load(`backends: { c: { ${keys}, token_file: x } }`)).warnings).toHaveLength(1);
  expect((await load(`backends: { c: { ${keys} } }`)).warnings).toEqual([]);
});

test('the admin key comes from the environment, else from the file', async () => {
  const yaml = 'server: { keys: [ k ], admin_key: from-file }';
  expect((await load(yaml)).server.adminKey?.reveal()).toBe('from-file');
  expect((await load(yaml, { ANTIPHON_ADMIN_KEY: 'from-env' })).server.adminKey?.reveal()).toBe('from-env');
  expect((await load('', { ANTIPHON_ADMIN_KEY: '' })).server.adminKey).toBeNull();
});

test.each([
  ['server: { keys: [ same ], admin_key: same }', {}, '/work/antiphon.yaml:1: server.admin_key: is an API key of clients too'],
  ['server: { admin_key: same }', { ANTIPHON_API_KEY: 'same' }, 'server.admin_key: is an API key of clients too'],
  [
    'server: { keys: [ same ] }',
    { ANTIPHON_ADMIN_KEY: 'same' },
    'the environment: ANTIPHON_ADMIN_KEY: is an API key of clients too',
  ],
  ['', { ANTIPHON_ADMIN_KEY: 'two words' }, 'the environment: ANTIPHON_ADMIN_KEY: must be ASCII without white space'],
  ['server: { admin_key: "" }', {}, 'server.admin_key: is empty: give the admin key'],
])('%s with %j: the admin key is refused', async (yaml, env, message) => {
  const faults = await faultsOf(yaml, env);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
  expect(faults[0]).not.toContain('same');
});
