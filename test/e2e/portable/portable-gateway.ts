import type { ClientTool } from './client.ts';

/** One model of every kind of server. */
export const portableModels = [
  'gemini/gemini-3-pro',
  'chat/m',
  'anthropic/claude-sonnet-4-5',
  'responses/gpt-5',
  'rehearsal/default',
] as const;

/** A configuration with those models, all of them behind one address. */
export function portableYaml(url: string): string {
  return `
backends:
  gemini: { type: gemini, base_url: "${url}", api_key: k }
  chat: { type: chat, base_url: "${url}/v1", api_key: k }
  anthropic: { type: anthropic, base_url: "${url}", api_key: k }
  responses: { type: responses, base_url: "${url}/v1", api_key: k }
  rehearsal: { type: rehearsal }
routing: { retries: 0, breaker: off }
store: { url: "memory:" }`;
}

const toTools = (...names: readonly string[]): ClientTool[] =>
  names.map((name, at) => ({ name, description: `tool ${String(at)}` }));

/** Names that the dialect allows, and that some server does not. */
export const openaiTools = toTools('get_weather', '9-lives', 'n'.repeat(100));
export const googleTools = toTools('get_weather', 'weather.get:now', 'w-1');
