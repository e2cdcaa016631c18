import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as the server saw it. */
interface SeenCall {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Writes one answer. */
export type ChatAnswer = (response: ServerResponse, call: SeenCall) => void;

/** A chat-completions server on 127.0.0.1. */
export interface ChatUpstream {
  readonly url: string;
  readonly seen: readonly SeenCall[];
  /** Resolves when no call is being answered any more. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Opens it; `answer` runs once per call. */
export async function openChatUpstream(answer: ChatAnswer): Promise<ChatUpstream> {
  const seen: SeenCall[] = [];
  const running = new Set<ServerResponse>();
  const server = createServer((incoming, response) => {
    running.add(response);
    response.on('close', () => {
      running.delete(response);
      server.emit('one-less');
    });
    let text = '';
    incoming.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    incoming.on('end', () => {
      const call = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: text === '' ? null : (JSON.parse(text) as unknown),
      };
      seen.push(call);
      answer(response, call);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    async idle() {
      while (running.size > 0) await once(server, 'one-less');
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with an event stream of these lines, then ends. */
export function streamLines(...lines: readonly string[]): ChatAnswer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(lines.map((line) => `${line}\n\n`).join(''));
  };
}

/** Answers with a body: JSON of a value, or a text as it is. */
export function answerWith(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): ChatAnswer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** The line of one chunk. */
export function dataLine(chunk: unknown): string {
  return `data: ${JSON.stringify(chunk)}`;
}

/** The line of a chunk with one choice. */
export function deltaLine(delta: object, reason: string | null = null): string {
  return dataLine({ choices: [{ index: 0, delta, finish_reason: reason }] });
}
