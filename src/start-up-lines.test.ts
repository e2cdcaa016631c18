import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { loadSettings } from './config/load-settings.ts';
import { toStartUpLines, type StartUpReport } from './start-up-lines.ts';

async function report(changes: Partial<StartUpReport>, env: Record<string, string> = {}): Promise<StartUpReport> {
  const settings = await loadSettings({
    argv: [],
    env,
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: () => Promise.resolve(undefined),
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

test('a secret is never shown', async () => {
  expect(toStartUpLines(await report({}, { ANTIPHON_API_KEY: 'sk-1' })).join('\n')).not.toContain('sk-1');
});
