import type { TlsOptions } from 'node:tls';
import type { Socket } from 'node:net';
import { httpAnswer, openRawUpstream, type RawUpstream } from './raw-upstream.ts';

/** The two protocols a model server may speak. */
export type Dialect = 'chat' | 'gemini';
export const dialects: readonly Dialect[] = ['chat', 'gemini'];

/** A turn as the model server got it. */
export interface ModelCall {
  readonly socket: Socket;
  readonly dialect: Dialect;
  /** The upstream's model id: tests put into it what the server shall do. */
  readonly model: string;
  readonly stream: boolean;
  readonly head: string;
  readonly body: string;
}

/** A model server that speaks both protocols on raw sockets; `answer` decides about every byte. Whatever is no turn gets a 404. */
export function openModelUpstream(answer: (call: ModelCall) => void, tls?: TlsOptions): Promise<RawUpstream> {
  return openRawUpstream(({ socket, head, body }) => {
    const call = toCall(head, body);
    if (call === null) socket.write(httpAnswer('{"error":{"message":"no such path"}}', {}, '404 Not Found'));
    else answer({ ...call, socket, head, body });
  }, tls);
}

function toCall(head: string, body: string): Pick<ModelCall, 'dialect' | 'model' | 'stream'> | null {
  if (head.startsWith('POST /v1/chat/completions ')) {
    const { model, stream } = JSON.parse(body) as { model: string; stream?: boolean };
    return { dialect: 'chat', model, stream: stream === true };
  }
  const [, model, method] = /^POST \/v1beta\/models\/([^:/ ]+):(\w+)/.exec(head) ?? [];
  if (model === undefined || method === 'countTokens') return null;
  return { dialect: 'gemini', model: decodeURIComponent(model), stream: method === 'streamGenerateContent' };
}

/** Credentials that may be seen nowhere. */
export const upstreamKeys = { chat: 'sk-upstream-chat-0123456789', gemini: 'AIza-upstream-gemini-0123456789' } as const;

/** A configuration file with that server as backend `chat` and as backend `gemini`. */
export function upstreamYaml(url: string, settings: { backend?: string; more?: string } = {}): string {
  const { backend = '', more = 'store: { url: "memory:" }' } = settings;
  return [
    'backends:',
    `  chat: { type: chat, base_url: "${url}/v1", api_key: "${upstreamKeys.chat}"${backend} }`,
    `  gemini: { type: gemini, base_url: "${url}", api_key: "${upstreamKeys.gemini}"${backend} }`,
    // Each case wants to see its own answer of the upstream, and once.
    'routing: { retries: 0, breaker: off }',
    more,
  ].join('\n');
}
