import { expectedAnthropic } from './expected-anthropic.ts';
import { expectedChat } from './expected-chat.ts';
import { expectedGemini } from './expected-gemini.ts';
import { expectedResponses } from './expected-responses.ts';
import type { Content, Recording } from './loose.ts';

/** Recorded answers that come behind every front door, by file in `dev`. The others there are of APIs that no backend speaks (Gemini's interactions, Ollama's own) or are no answers of a model. */
export const answerFiles: readonly string[] = [
  ...['gemini-stream', 'gemini-sync'],
  ...['openai-chat-stream', 'openai-chat-sync', 'chat-compat-stream', 'chat-compat-sync'],
  ...['anthropic-stream', 'anthropic-sync', 'anthropic-compat-stream', 'anthropic-compat-sync'],
  ...['openai-responses-stream', 'openai-responses-sync', 'responses-compat-stream', 'responses-compat-sync'],
];

type BackendType = 'gemini' | 'chat' | 'anthropic' | 'responses';

/** The backend that speaks its language. */
export function backendOf({ provider }: Pick<Recording, 'provider'>): BackendType {
  if (provider.startsWith('gemini')) return 'gemini';
  if (provider.startsWith('anthropic')) return 'anthropic';
  return provider.includes('responses') ? 'responses' : 'chat';
}

/** What a recording holds. */
export function expectedContent(recording: Recording): Content {
  switch (backendOf(recording)) {
    case 'gemini':
      return expectedGemini(recording);
    case 'anthropic':
      return expectedAnthropic(recording);
    case 'responses':
      return expectedResponses(recording);
    case 'chat':
      return expectedChat(recording);
  }
}

/** Configuration of one backend for each language, all at the replay. */
export function replayBackends(url: string): string {
  return `
backends:
  gemini: { type: gemini, api_key: test, base_url: "${url}" }
  chat: { type: chat, base_url: "${url}/v1" }
  anthropic: { type: anthropic, api_key: test, base_url: "${url}" }
  responses: { type: responses, api_key: test, base_url: "${url}/v1" }
`;
}

/** Those of one file; some files hold a few answers of the other mode. */
export function recordingsOf(file: string, recordings: readonly Recording[]): Recording[] {
  const fileOf = ({ provider, response }: Recording): string =>
    `${provider}-${response.chunks === undefined ? 'sync' : 'stream'}`;
  return recordings.filter((one) => fileOf(one) === file);
}
