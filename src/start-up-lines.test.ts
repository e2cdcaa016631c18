import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { loadSettings } from './config/load-settings.ts';
import { Secret } from './model/secret.ts';
import type { RunningTap } from './run-taps.ts';
import { toStartUpLines, toTapLines, type StartUpReport } from './start-up-lines.ts';

async function report(changes: Partial<StartUpReport>, env: Record<string, string> = {}, yaml?: string): Promise<StartUpReport> {
  const settings = await loadSettings({
    argv: [],
    env,
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? yaml : undefined),
  });
  const rehearsal = { name: 'rehearsal', origin: 'built in', models: ['default'] };
  const { backends = [], ...others } = changes;
  return {
    url: 'http://127.0.0.1:8720',
    settings,
    defaultModel: null,
    defaultTrouble: null,
    ...others,
    backends: [...backends, rehearsal],
  };
}

async function exampleOf(changes: Partial<StartUpReport>): Promise<string | undefined> {
  const text = toStartUpLines(await report(changes)).join('\n');
  return /"model":"([^"]+)"/.exec(text)?.[1];
}

const gemini = {
  name: 'gemini',
  origin: 'from GEMINI_API_KEY',
  models: ['gemini-embedding-001', 'gemini-2.5-flash', 'gemini-3-pro', 'gemini-3-flash', 'gemini-3-flash-image', 'veo-3'],
};

test.each<[string, Partial<StartUpReport>, string]>([
  ['the default model', { defaultModel: 'fast', backends: [gemini] }, 'fast'],
  ['a small new one that chats', { backends: [gemini] }, 'gemini/gemini-3-flash'],
  [
    'whatever a local server has',
    { backends: [{ name: 'ollama', origin: '', models: ['nomic-embed-text', 'llama3:8b'] }] },
    'ollama/llama3:8b',
  ],
  ['the next backend, when one does not answer', { backends: [{ ...gemini, models: { trouble: 'no' } }] }, 'rehearsal/default'],
  [
    'a working one, when the default is wrong',
    { defaultModel: 'x', defaultTrouble: 'no x', backends: [gemini] },
    'gemini/gemini-3-flash',
  ],
])('the command asks %s', async (_what, changes, model) => {
  expect(await exampleOf(changes)).toBe(model);
});

test('the command survives a shell, whatever the model is called', async () => {
  const lines = toStartUpLines(await report({ defaultModel: `odd/it's "$HOME"` }, { ANTIPHON_API_KEY: 'sk-1' }));
  const command = lines.find((line) => line.includes('curl ')) ?? '';
  const printed = execFileSync('sh', ['-c', command.replace('curl', "printf '%s\\n'")], { env: { ANTIPHON_API_KEY: 'sk-1' } });
  const words = printed.toString().trimEnd().split('\n');
  expect(words).toContain('Authorization: Bearer sk-1');
  expect(JSON.parse(words.at(-1) ?? '')).toMatchObject({ model: `odd/it's "$HOME"` });
});

test('each kind of client is told its address', async () => {
  const text = toStartUpLines(await report({})).join('\n');
  expect(text).toMatch(/^  clients +OpenAI .*http:\/\/127\.0\.0\.1:8720\/v1 /m);
  expect(text).toMatch(/^ +Anthropic +ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:8720$/m);
  expect(text).toMatch(/^ +Gemini +GOOGLE_GEMINI_BASE_URL=http:\/\/127\.0\.0\.1:8720$/m);
});

test('a secret is never shown', async () => {
  expect(toStartUpLines(await report({}, { ANTIPHON_API_KEY: 'sk-1' })).join('\n')).not.toContain('sk-1');
});

const reverse: RunningTap = {
  name: 'wire',
  mode: 'reverse',
  url: 'http://127.0.0.1:9001',
  upstream: 'https://models.example',
  hosts: [],
  credential: null,
  isCredentialGenerated: false,
  certificateFile: null,
  certificateRenewal: null,
};
const forward: RunningTap = {
  ...reverse,
  name: 'proxy',
  mode: 'forward',
  url: 'http://127.0.0.1:9002',
  upstream: null,
  hosts: ['models.example'],
  credential: new Secret('me:p@ss:word'),
  certificateFile: '/home/me/.antiphon/tap/ca.pem',
};

test('each tap says how the agent server gets to it', () => {
  const text = toTapLines([reverse, forward]).join('\n');
  expect(text).toMatch(/^  taps +wire +reverse, http:\/\/127\.0\.0\.1:9001 -> https:\/\/models\.example$/m);
  expect(text).toContain('set the model base URL of the agent server to http://127.0.0.1:9001');
  expect(text).toContain('forward, http://127.0.0.1:9002, leads to models.example only');
  expect(text).toContain('SSL_CERT_FILE=/home/me/.antiphon/tap/ca.pem');
});

test("a tap's own password is never shown, a generated one once, as a URL wants it", () => {
  const configured = toTapLines([forward]).join('\n');
  expect(configured).not.toMatch(/p@ss|p%40ss/);
  expect(configured).toContain('HTTPS_PROXY=http://USER:PASSWORD@127.0.0.1:9002 as in taps.proxy.credential');
  const generated = toTapLines([{ ...forward, isCredentialGenerated: true }]).join('\n');
  expect(generated.match(/p%40ss%3Aword/g)).toHaveLength(1);
  expect(generated).toContain('HTTPS_PROXY=http://me:p%40ss%3Aword@127.0.0.1:9002');
});

const agents = `
server: { admin_key: adm-1 }
backends:
  agent: { type: cascade, base_url: "http://127.0.0.1:42100", csrf_token: csrf-1, token: "", tap: wire }
  other: { type: cascade, base_url: "http://127.0.0.1:42101", token: tok-1 }
taps: { wire: { upstream: "https://models.example" } }
`;

test('an agent server is named with its address and its tap', async () => {
  const backends = ['agent', 'other'].map((name) => ({ name, origin: 'from antiphon.yaml', models: ['fast', 'slow'] }));
  const text = toStartUpLines(await report({ backends }, {}, agents)).join('\n');
  expect(text).toContain(
    'agent      from antiphon.yaml, 2 models\n                           agent server at http://127.0.0.1:42100; its model calls go through tap wire\n',
  );
  expect(text).toContain("agent server at http://127.0.0.1:42101; without a tap: its model gets no client's tools");
  expect(text).toContain('the admin key opens POST /v1/token');
  expect(text).not.toMatch(/adm-1|csrf-1|tok-1/);
});
