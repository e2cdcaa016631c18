import { expect, test } from 'vitest';
import { Secret } from '../model/secret.ts';
import { findEnvironmentBackends, type EnvironmentSearch } from './find-environment-backends.ts';
import type { BackendSettings } from './settings.ts';

const timeouts = { connectMs: 1, firstByteMs: 2, idleMs: 3 };
const remote = { origin: '', headers: new Map<string, Secret>(), caFile: null, timeouts };

function find(env: Record<string, string>, search: Partial<EnvironmentSearch> = {}) {
  return findEnvironmentBackends({
    env,
    timeouts,
    configured: [],
    takenNames: new Set(),
    isOwnKey: () => false,
    ownPort: 8720,
    ...search,
  });
}

test('keys in the environment are backends', () => {
  const { backends, remarks } = find({ GEMINI_API_KEY: ' g \n', OPENAI_API_KEY: 'o', ANTHROPIC_API_KEY: 'a' });
  expect(backends).toMatchObject([
    { type: 'gemini', name: 'gemini', origin: 'from GEMINI_API_KEY', baseUrl: null },
    { type: 'chat', name: 'openai', origin: 'from OPENAI_API_KEY', baseUrl: 'https://api.openai.com/v1', vendor: 'openai' },
    { type: 'anthropic', name: 'anthropic', origin: 'from ANTHROPIC_API_KEY', baseUrl: 'https://api.anthropic.com' },
  ]);
  expect(backends.map((backend) => 'apiKey' in backend && backend.apiKey?.reveal())).toEqual(['g', 'o', 'a']);
  expect(remarks).toEqual([]);
});

test('an empty variable is no key', () => {
  expect(find({ GEMINI_API_KEY: '', OPENAI_API_KEY: ' ', ANTHROPIC_API_KEY: '' })).toEqual({ backends: [], remarks: [] });
});

test('what the configuration has already is left to it', () => {
  const apiKey = new Secret('k');
  const configured: BackendSettings[] = [
    { ...remote, type: 'gemini', name: 'google', baseUrl: null, apiKey },
    { ...remote, type: 'anthropic', name: 'claude', baseUrl: null, apiKey, promptCache: 'off' },
    { ...remote, type: 'chat', name: 'gpt', baseUrl: 'https://api.openai.com/v1', apiKey, vendor: null, thinkTags: null },
  ];
  const env = { GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o', ANTHROPIC_API_KEY: 'a' };
  expect(find(env, { configured }).backends).toEqual([]);
  const responses: BackendSettings = { ...remote, type: 'responses', name: 'gpt', baseUrl: null, apiKey };
  expect(find({ OPENAI_API_KEY: 'o' }, { configured: [responses] }).backends).toEqual([]);
  expect(find(env, { takenNames: new Set(['gemini', 'openai', 'anthropic']) }).backends).toEqual([]);
});

test('a key goes only to the address it was meant for', () => {
  const env = { OPENAI_API_KEY: 'o', OPENAI_BASE_URL: 'https://proxy.example/v1/' };
  expect(find(env).backends).toMatchObject([{ baseUrl: 'https://proxy.example/v1', vendor: null }]);
  expect(find({ ...env, OPENAI_BASE_URL: 'http://localhost:8720/v1' })).toEqual({
    backends: [],
    remarks: ['OPENAI_API_KEY is not used, because OPENAI_BASE_URL is this gateway'],
  });
  expect(find({ ...env, OPENAI_BASE_URL: 'nonsense' }).backends).toEqual([]);
});

test.each([
  ['anthropic', 'ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'Anthropic'],
  ['gemini', 'GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'Google'],
])('the key of %s goes only to the address it was meant for, and never to this gateway or from it', (type, key, url, owner) => {
  const env = { [key]: 'a', [url]: 'https://proxy.example/path/' };
  expect(find(env).backends).toMatchObject([{ type, baseUrl: 'https://proxy.example/path' }]);
  expect(find({ ...env, [url]: 'http://127.0.0.1:8720' })).toEqual({
    backends: [],
    remarks: [`${key} is not used, because ${url} is this gateway`],
  });
  expect(find({ ...env, [url]: 'nonsense' })).toEqual({
    backends: [],
    remarks: [`${key} is not used, because ${url} is not an http(s) address`],
  });
  expect(find(env, { isOwnKey: (word) => word === 'a' })).toEqual({
    backends: [],
    remarks: [`${key} is a key of this gateway: it is not sent to ${owner}`],
  });
});

test('a key of this gateway is not sent to OpenAI', () => {
  expect(find({ OPENAI_API_KEY: 'ours' }, { isOwnKey: (key) => key === 'ours' })).toEqual({
    backends: [],
    remarks: ['OPENAI_API_KEY is a key of this gateway: it is not sent to OpenAI'],
  });
});
