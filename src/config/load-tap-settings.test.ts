import { expect, test } from 'vitest';
import { loadSettings, type SettingsSources } from './load-settings.ts';
import { loadRecordSettings, loadTapSettings, toReplaySettings } from './load-tap-settings.ts';
import { SettingsError } from './settings-error.ts';

const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

interface Given {
  readonly argv?: string;
  readonly yaml?: string;
  readonly env?: Record<string, string>;
}

function sources({ argv = '', yaml, env = {} }: Given): SettingsSources {
  const files: Record<string, string | undefined> = { '/work/antiphon.yaml': yaml, '/work/ca.pem': certificate };
  return {
    argv: argv === '' ? [] : argv.split(' '),
    env: { ANTIPHON_DISCOVERY: '0', ...env },
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: (path) => Promise.resolve(files[path]),
  };
}

async function faultsOf(loading: () => unknown): Promise<string[]> {
  try {
    await loading();
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.message.split('\n');
    throw thrown;
  }
  throw new Error('the settings were accepted');
}

const reverse = 'upstream: "https://models.example/base/"';

test('a tap has defaults for everything but where it leads', async () => {
  const { taps, warnings } = await loadSettings(sources({ yaml: `taps: { wire: { ${reverse} } }` }));
  expect(taps).toEqual([
    {
      name: 'wire',
      mode: 'reverse',
      host: '127.0.0.1',
      port: 8721,
      upstream: 'https://models.example/base',
      upstreamCaFile: null,
      hosts: [],
      credential: null,
    },
  ]);
  expect(warnings).toEqual([]);
});

test('every key of a tap is read', async () => {
  const yaml =
    'taps: { wire: { mode: forward, listen: "0.0.0.0:9001", hosts: [ Models.Example, "127.0.0.1:4443", models.example ], credential: "me:pass:word 1", upstream: "https://models.example", upstream_ca_file: ca.pem } }';
  const { taps, warnings } = await loadSettings(sources({ yaml }));
  expect(taps).toMatchObject([
    { mode: 'forward', host: '0.0.0.0', port: 9001, hosts: ['models.example', '127.0.0.1:4443'], upstreamCaFile: '/work/ca.pem' },
  ]);
  expect(taps[0]?.credential?.reveal()).toBe('me:pass:word 1');
  expect(warnings).toEqual([expect.stringContaining('taps.wire: its password crosses the network')]);
});

test("without hosts a forward tap reaches its upstream's", async () => {
  const { taps } = await loadSettings(
    sources({ yaml: 'taps: { a: { mode: forward, upstream: "https://Models.example:4443/base" } }' }),
  );
  expect(taps[0]?.hosts).toEqual(['models.example:4443']);
});

test.each([
  ['{}', 'taps.a.upstream: is missing: give the base URL of the model API'],
  ['{ mode: forward }', 'taps.a.hosts: is missing: list the hosts of the model API'],
  ['{ mode: forward, hosts: [] }', 'taps.a.hosts: is missing'],
  ['{ mode: forward, hosts: [ "*.example" ] }', 'taps.a.hosts[0]: must be a host name or an address'],
  ['{ mode: sideways }', 'taps.a.mode: must be one of reverse, forward'],
  [`{ ${reverse}, listen: "here" }`, 'taps.a.listen: must be an address and a port such as 127.0.0.1:8721'],
  [
    `{ ${reverse}, listen: "0.0.0.0:1" }`,
    'taps.a.listen: other machines can reach 0.0.0.0, and a reverse tap asks for no password',
  ],
  [`{ ${reverse}, listen: "0.0.0.0:1", credential: "u:p" }`, 'taps.a.listen: other machines can reach 0.0.0.0'],
  [
    '{ mode: forward, hosts: [ h ], listen: "box.lan:1" }',
    'taps.a.listen: other machines can reach box.lan, and set taps.a.credential',
  ],
  ['{ mode: forward, hosts: [ h ], credential: nocolon }', 'taps.a.credential: must be user:password'],
  ['{ mode: forward, hosts: [ h ], credential: "u:" }', 'taps.a.credential: must be user:password'],
  ['{ mode: forward, hosts: [ h ], credential: "ü:p" }', 'taps.a.credential: must be user:password'],
  ['{ upstream: "https://u:secret-1@h" }', 'taps.a.upstream: must be an http:// or https:// address without user name'],
  [`{ ${reverse}, upstream_ca_file: gone.pem }`, 'taps.a.upstream_ca_file: /work/gone.pem cannot be read'],
  [`{ ${reverse}, host: h }`, "taps.a.host: is not a key here: did you mean 'hosts'?"],
  [`{ ${reverse}, listen: 8720 }`, "taps.a.listen: port 8720 is the gateway's own (server.port)"],
  [`{ ${reverse}, listen: 5 }, b: { ${reverse}, listen: ":5" }`, 'taps.b.listen: port 5 is that of taps.a already'],
  [`{ ${reverse} }, b: { ${reverse} }`, 'taps.b.listen: port 8721 is that of taps.a already'],
])('a tap with %s is refused', async (tap, message) => {
  const faults = await faultsOf(() => loadSettings(sources({ yaml: `taps: { a: ${tap} }` })));
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
  expect(faults[0]).not.toContain('secret-1');
});

test('any free port is no conflict, and `taps` may be left empty', async () => {
  const yaml = `server: { port: 0 }\ntaps: { a: { ${reverse}, listen: 0 }, b: { ${reverse}, listen: 0 } }`;
  expect((await loadSettings(sources({ yaml }))).taps).toHaveLength(2);
  expect((await loadSettings(sources({ yaml: 'taps:' }))).taps).toEqual([]);
});

test('a password that nobody asks for, and a key in the clear, are warnings', async () => {
  const yaml =
    'taps: { a: { upstream: "http://far.example", credential: "u:p" }, b: { upstream: "http://127.0.0.1:1", listen: 1 } }';
  expect((await loadSettings(sources({ yaml }))).warnings).toEqual([
    'taps.a: credential is for forward mode; a reverse tap does not ask for it',
    expect.stringContaining("taps.a: the model API's key crosses the network unencrypted"),
  ]);
});

const unready = `
server: { host: 0.0.0.0, port: 8721 }
data: ./state
backends: { g: { type: gemini, api_key: "\${NOT_SET}" } }
taps:
  a: { ${reverse} }
  b: { mode: forward, hosts: [ h ], listen: 9000 }
`;

test('commands of the tap look at nothing but taps and data', async () => {
  const loaded = await loadTapSettings(sources({ argv: 'tap ca', yaml: unready }));
  expect(loaded).toMatchObject({
    configFile: '/work/antiphon.yaml',
    dataDirectory: '/work/state',
    taps: [{ name: 'a' }, { name: 'b' }],
  });
  expect((await loadTapSettings(sources({ argv: 'tap ca --data d', yaml: unready }))).dataDirectory).toBe('/work/d');
  expect(await faultsOf(() => loadTapSettings(sources({ argv: 'tap ca', yaml: 'taps: { a: { mode: x } }' })))).toHaveLength(1);
});

test('what is recorded are the configured taps, or one of them, perhaps elsewhere', async () => {
  const record = (argv: string) => loadRecordSettings(sources({ argv: `tap --record out ${argv}`.trim(), yaml: unready }));
  expect(await record('')).toMatchObject({ recording: '/work/out', taps: [{ name: 'a' }, { name: 'b' }] });
  expect((await record('--tap b')).taps.map(({ name }) => name)).toEqual(['b']);
  expect((await record('--tap b --listen [::1]:1')).taps).toMatchObject([{ name: 'b', mode: 'forward', host: '::1', port: 1 }]);
});

test('with an upstream no configuration is looked for', async () => {
  const given = {
    argv: 'tap --record ~/out --upstream https://models.example/',
    yaml: 'taps: { nonsense: 1 }',
    env: { ANTIPHON_CONFIG: 'gone' },
  };
  expect(await loadRecordSettings(sources(given))).toMatchObject({
    configFile: null,
    recording: '/home/me/out',
    taps: [{ mode: 'reverse', upstream: 'https://models.example', host: '127.0.0.1', port: 8721, credential: null }],
  });
  expect((await loadRecordSettings(sources({ argv: 'tap --record out --upstream http://h --listen 0' }))).taps).toMatchObject([
    { port: 0 },
  ]);
});

test.each([
  ['--tap c', 'the command line: --tap: must name an entry of taps: there are a, b'],
  ['--listen 1', 'the command line: --listen: is for one tap: say with --tap NAME which one'],
  ['--listen here', 'the command line: --listen: must be an address and a port'],
  ['--tap b --listen 0.0.0.0:1', 'the command line: --listen: other machines can reach 0.0.0.0'],
  ['--upstream ftp://h', 'the command line: --upstream: must be an http:// or https:// address'],
  ['--upstream http://h --listen 0.0.0.0:1', 'the command line: --listen: other machines can reach 0.0.0.0'],
])('tap --record out %s is refused', async (argv, message) => {
  const faults = await faultsOf(() => loadRecordSettings(sources({ argv: `tap --record out ${argv}`, yaml: unready })));
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
});

test('without any tap the way out is named', async () => {
  expect(await faultsOf(() => loadRecordSettings(sources({ argv: 'tap --record out' })))).toEqual([
    'no configuration file: taps: there is no tap to record with: add one, or give --upstream URL of a model API',
  ]);
});

test('a replay listens on loopback, at once or in its own time', async () => {
  expect(toReplaySettings(sources({ argv: 'replay out' }))).toEqual({
    recording: '/work/out',
    host: '127.0.0.1',
    port: 8722,
    timing: 'none',
  });
  expect(toReplaySettings(sources({ argv: 'replay /out --listen 0 --timing original' }))).toMatchObject({
    recording: '/out',
    port: 0,
    timing: 'original',
  });
  expect(await faultsOf(() => toReplaySettings(sources({ argv: 'replay out --timing fast' })))).toEqual([
    'the command line: --timing: must be original or none',
  ]);
  expect(await faultsOf(() => toReplaySettings(sources({ argv: 'replay out --listen 0.0.0.0:1' })))).toEqual([
    'the command line: --listen: must be loopback: a replayed recording asks for no key',
  ]);
});
