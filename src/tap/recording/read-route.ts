import { isJsonObject } from '../../lib/json.ts';
import type { RecordingLabels } from './recording.ts';

/** What a call asks of which kind of server, as far as path, host and body tell. */
export interface Route extends RecordingLabels {
  /** Providers of one protocol have one kind: what a replay may answer with. Null: no model API that we know. */
  readonly kind: string | null;
  /** The answer was asked for as a stream. */
  readonly streamRequested: boolean;
}

interface Known {
  readonly path: RegExp;
  readonly kind: string;
  /** The provider, and the one on other hosts than the protocol's own. */
  readonly provider: readonly [own: string, other: string];
  readonly host?: string;
}

/** In this order: the first that fits. */
const known: readonly Known[] = [
  { path: /:(?:streamG|g)enerateContent$/, kind: 'gemini', provider: ['gemini', 'gemini'] },
  { path: /:countTokens$/, kind: 'gemini-counttokens', provider: ['gemini-counttokens', 'gemini-counttokens'] },
  { path: /\/interactions$/, kind: 'gemini-interactions', provider: ['gemini-interactions', 'gemini-interactions'] },
  { path: /\/chat\/completions$/, kind: 'chat', provider: ['openai-chat', 'chat-compat'], host: 'api.openai.com' },
  { path: /\/responses$/, kind: 'responses', provider: ['openai-responses', 'responses-compat'], host: 'api.openai.com' },
  { path: /\/responses\/[^/]+/, kind: 'responses-other', provider: ['openai-responses-other', 'openai-responses-other'] },
  {
    path: /\/messages\/count_tokens$/,
    kind: 'anthropic-counttokens',
    provider: ['anthropic-counttokens', 'anthropic-counttokens'],
  },
  { path: /\/messages$/, kind: 'messages', provider: ['anthropic', 'anthropic-compat'], host: 'api.anthropic.com' },
  { path: /\/api\/chat$/, kind: 'ollama-chat', provider: ['ollama-chat', 'ollama-chat'] },
  { path: /\/api\/generate$/, kind: 'ollama-generate', provider: ['ollama-generate', 'ollama-generate'] },
  { path: /\/(?:models|tags)$/, kind: 'models', provider: ['models', 'models'] },
];

/** `path` with its query; `host` without port, empty when it is not known. The names of providers are those of the recordings' README. */
export function readRoute(path: string, host: string, body: unknown): Route {
  const [plain = '', query = ''] = path.split('?', 2);
  const found = known.find((candidate) => candidate.path.test(plain));
  const kind = found?.kind ?? null;
  const isOwn = found?.host === undefined || found.host === host;
  return {
    kind,
    provider: found === undefined ? 'other' : found.provider[isOwn ? 0 : 1],
    vendor: readVendor(kind, isOwn && host !== '', plain),
    model: readModel(plain, body),
    streamRequested: isStreamRequested({ kind, plain, query, body }),
  };
}

function readVendor(kind: string | null, isOwnHost: boolean, path: string): string {
  if (kind?.startsWith('gemini') === true) return path.includes('/projects/') ? 'vertex' : 'google-ai';
  if (!isOwnHost) return 'unknown';
  if (kind === 'chat' || kind === 'responses') return 'openai';
  return kind === 'messages' ? 'anthropic' : 'unknown';
}

function readModel(path: string, body: unknown): string {
  const inBody = isJsonObject(body) ? body['model'] : undefined;
  if (typeof inBody === 'string') return inBody;
  return decodePath(/\/models\/([^/]+):[A-Za-z]+$/.exec(path)?.[1] ?? 'unknown');
}

function isStreamRequested(call: { kind: string | null; plain: string; query: string; body: unknown }): boolean {
  const flag = isJsonObject(call.body) ? call.body['stream'] : undefined;
  switch (call.kind) {
    case 'gemini':
      return call.plain.endsWith(':streamGenerateContent');
    case 'ollama-chat':
    case 'ollama-generate':
      return flag !== false;
    case 'responses-other':
      return new URLSearchParams(call.query).get('stream') === 'true';
    default:
      return flag === true;
  }
}

/** Percent-encoding undone where it is right; text with a bare `%` stays as it is. */
export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
