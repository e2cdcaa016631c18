import { describe, expect, test } from 'vitest';
import { createChatProfile, detectChatVendor, isChatVendor } from './chat-profile.ts';

describe('createChatProfile', () => {
  test.each([
    ['https://api.openai.com/v1', 'openai'],
    ['https://eu.api.openai.com/v1', 'openai'],
    ['https://openrouter.ai/api/v1', 'openrouter'],
    ['https://api.deepseek.com', 'deepseek'],
    ['https://api.groq.com/openai/v1', 'groq'],
    ['https://api.mistral.ai/v1', 'mistral'],
    ['http://127.0.0.1:11434/v1', 'ollama'],
    ['http://ollama.example.com:11434', 'ollama'],
    ['http://localhost:8080/v1', 'llamacpp'],
    ['http://[::1]:8000/v1', 'vllm'],
    ['http://localhost:1234/v1', 'generic'],
    ['https://example.com:8080/v1', 'generic'],
    ['https://api.openai.com.example.com/v1', 'generic'],
    ['https://notopenrouter.ai/v1', 'generic'],
    ['nonsense', 'generic'],
  ])('%s speaks %s', (baseUrl, vendor) => {
    expect(detectChatVendor(baseUrl)).toBe(vendor);
  });

  test.each([
    ['http://127.0.0.1:9', true],
    ['http://localhost:9', true],
    ['http://10.1.2.3', true],
    ['http://172.20.0.1', true],
    ['http://192.168.0.1', true],
    ['http://169.254.169.254', true],
    ['http://100.64.0.1', true],
    ['http://[fd00::1]', true],
    ['http://[fe80::1]', true],
    ['http://[::ffff:7f00:1]', true],
    ['http://gpu-box:8000', true],
    ['http://gpu.local', true],
    ['http://2130706433', true],
    ['https://172.32.0.1', false],
    ['https://[2001:db8::1]', false],
    ['https://api.groq.com', false],
  ])('%s is local: %s', (baseUrl, isLocal) => {
    const profile = createChatProfile({ baseUrl, vendor: 'openai' });
    expect(profile.isLocal).toBe(isLocal);
    expect(profile.fetchesUrls).toBe(!isLocal);
  });

  test('the config has the last word on the vendor', () => {
    expect(createChatProfile({ baseUrl: 'http://localhost:8080', vendor: 'vllm' }).vendor).toBe('vllm');
    expect([isChatVendor('vllm'), isChatVendor('lmstudio')]).toEqual([true, false]);
  });
});
