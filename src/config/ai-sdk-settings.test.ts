import { expect, test } from 'vitest';
import { loadSettings } from './load-settings.ts';
import type { Settings } from './settings.ts';

function load(yaml: string): Promise<Settings> {
  return loadSettings({
    ...{
      argv: [],
      env: { XAI_KEY: 'sk-very-secret', ANTIPHON_DISCOVERY: '0' },
      workingDirectory: '/work',
      homeDirectory: '/home/me',
    },
    readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? yaml : undefined),
  });
}

test('a provider of the AI SDK: its options are its own, and secret as a whole', async () => {
  const settings = await load(`
backends:
  grok:
    type: ai-sdk
    package: '@ai-sdk/xai'
    options: { apiKey: '\${XAI_KEY}', nested: { fetches: 3 } }
    model_ids: [grok-4]
    headers: { X-Team: agents }
    timeouts: { idle: 1m }
`);
  const [backend] = settings.backends;
  expect(backend).toMatchObject({
    ...{ type: 'ai-sdk', name: 'grok', package: '@ai-sdk/xai', modelIds: ['grok-4'], folder: '/work' },
    timeouts: { firstByteMs: 300_000, idleMs: 60_000 },
  });
  expect(backend?.type === 'ai-sdk' && JSON.parse(backend.options.reveal())).toEqual({
    apiKey: 'sk-very-secret',
    nested: { fetches: 3 },
  });
  expect(backend?.type === 'ai-sdk' && backend.headers.get('x-team')?.reveal()).toBe('agents');
  expect(JSON.stringify(settings)).not.toContain('sk-very-secret');
});

test.each([
  ['../../etc', 'package: "../../etc"'],
  ['/etc', 'package: /etc'],
  ['a path upwards inside', 'package: "a/../b"'],
  ['no name', 'model_ids: [a]'],
  ['options that are a list', 'package: a\n    options: [1]'],
  ['a base_url, which belongs into options', 'package: a\n    base_url: http://a.example'],
])('%s is refused', async (_what, lines) => {
  await expect(load(`backends:\n  a:\n    type: ai-sdk\n    ${lines}\n`)).rejects.toThrow(/backends\.a/);
});
