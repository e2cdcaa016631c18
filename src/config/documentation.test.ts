import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { documentSchema } from './document-schema.ts';
import { loadSettings } from './load-settings.ts';

const exampleFile = new URL('../../antiphon.example.yaml', import.meta.url);
const manual = new URL('../../docs/configuration.md', import.meta.url);

/** Every key the schema knows. */
function keysOf(schema: unknown): string[] {
  if (schema instanceof z.ZodOptional) return keysOf(schema.unwrap());
  if (schema instanceof z.ZodPipe) return keysOf(schema.out);
  if (schema instanceof z.ZodRecord) return keysOf(schema.valueType);
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(keysOf);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, member]) => [key, ...keysOf(member)]);
}

test('the walk over the schema finds keys at every depth', () => {
  expect(keysOf(documentSchema)).toEqual(
    expect.arrayContaining([
      'server',
      'port',
      'max_age',
      'think_tags',
      'first_byte',
      'aliases',
      'token_command',
      'upstream_ca_file',
    ]),
  );
});

test.each(['docs/configuration.md', 'antiphon.example.yaml'])('%s names every key', async (name) => {
  const text = await readFile(name.endsWith('.md') ? manual : exampleFile, 'utf8');
  const missing = keysOf(documentSchema).filter((key) => !new RegExp(`\\b${key}\\b`).test(text));
  expect(missing).toEqual([]);
});

test('the example is a right configuration', async () => {
  const text = await readFile(exampleFile, 'utf8');
  const settings = await loadSettings({
    argv: [],
    env: { ANTIPHON_API_KEY: 'a', GEMINI_API_KEY: 'g', OPENROUTER_API_KEY: 'o' },
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? text : undefined),
  });
  expect(settings.warnings).toEqual([]);
  expect(settings.backends.map(({ name }) => name)).toEqual(['gemini', 'local', 'router']);
});

test('what the example shows in comments is right too', async () => {
  const text = await readFile(exampleFile, 'utf8');
  const everything = text.replaceAll(/^( *)# ( *[a-z_]+:)/gm, '$1$2');
  const certificate = '-----BEGIN CERTIFICATE-----';
  const settings = await loadSettings({
    argv: [],
    env: {
      ...{ ANTIPHON_API_KEY: 'a', ANTIPHON_ADMIN_KEY: 'b', GEMINI_API_KEY: 'g', OPENROUTER_API_KEY: 'o', TAP_PASSWORD: 'p' },
      ...{
        OPENAI_API_KEY: 'n',
        ANTHROPIC_API_KEY: 'k',
        AGENT_CSRF: 'c',
        XAI_API_KEY: 'x',
        ANTIPHON_ENVELOPE_KEY: Buffer.alloc(32).toString('base64'),
      },
    },
    workingDirectory: '/work',
    homeDirectory: '/home/me',
    readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? everything : certificate),
  });
  expect(settings.warnings).toEqual([]);
  expect(settings.backends.map(({ name }) => name)).toEqual([
    'gemini',
    'anthropic',
    'openai',
    'local',
    'router',
    'grok',
    'agent',
  ]);
  expect(settings.taps.map(({ name, mode }) => [name, mode])).toEqual([
    ['wire', 'reverse'],
    ['proxy', 'forward'],
  ]);
  expect(settings.envelopeKeys).toHaveLength(1);
  expect(settings.server.adminKey).not.toBeNull();
});

test('the defaults in the example are the defaults', async () => {
  const text = await readFile(exampleFile, 'utf8');
  const read = (yaml: string | undefined) =>
    loadSettings({
      argv: [],
      env: { ANTIPHON_API_KEY: 'a', GEMINI_API_KEY: 'g', OPENROUTER_API_KEY: 'o', ANTIPHON_STORE_URL: 'memory:' },
      workingDirectory: '/work',
      homeDirectory: '/home/me',
      readFile: (path) => Promise.resolve(path === '/work/antiphon.yaml' ? yaml : undefined),
    });
  const [example, bare] = [await read(text), await read(undefined)];
  for (const part of [
    'server',
    'dataDirectory',
    'retention',
    'timeouts',
    'routing',
    'keepAlive',
    'log',
    'probesLocalServers',
  ] as const) {
    expect(example[part]).toEqual(bare[part]);
  }
});
