import { request, type IncomingMessage } from 'node:http';
import { isJsonObject, parseJson } from '../lib/json.ts';
import { sameServer } from './find-environment-backends.ts';
import type { BackendSettings, ChatSettings, ChatVendor, UpstreamTimeouts } from './settings.ts';

/** A model server at its usual place on this machine. */
export interface LocalServer {
  readonly name: string;
  readonly port: number;
  readonly vendor: ChatVendor | null;
}

/** Ollama, llama.cpp's server, LM Studio. */
export const usualLocalServers: readonly LocalServer[] = [
  { name: 'ollama', port: 11_434, vendor: 'ollama' },
  { name: 'llamacpp', port: 8_080, vendor: 'llamacpp' },
  { name: 'lmstudio', port: 1_234, vendor: null },
];

export interface LocalSearch {
  readonly servers: readonly LocalServer[];
  /** What is known already: a name or an address among these is not looked at. */
  readonly known: readonly BackendSettings[];
  /** Where this gateway listens, so that it does not find itself. */
  readonly ownPort: number;
  readonly timeouts: UpstreamTimeouts;
  /** How long a server may take to answer. */
  readonly timeoutMs: number;
}

export interface LocalBackend {
  readonly backend: ChatSettings;
  readonly models: readonly string[];
}

/** A list of models is some kilobytes; what sends more is something else. */
const largestList = 1024 ** 2;

/** The model servers that answer on loopback right now. Never throws: what does not answer like one is not there. */
export async function findLocalBackends(search: LocalSearch): Promise<readonly LocalBackend[]> {
  const found = await Promise.all(
    search.servers.filter((server) => isNew(server, search)).map((server) => askServer(server, search)),
  );
  return found.filter((local) => local !== null);
}

function isNew({ name, port }: LocalServer, { known, ownPort }: LocalSearch): boolean {
  if (port === ownPort) return false;
  return !known.some((backend) => backend.name === name || isServer(backend, localUrl(port)));
}

function isServer(backend: BackendSettings, url: string): boolean {
  if (backend.type !== 'chat' && backend.type !== 'responses') return false;
  return backend.baseUrl !== null && sameServer(backend.baseUrl, url);
}

function localUrl(port: number): string {
  return `http://127.0.0.1:${port}/v1`;
}

async function askServer(
  { name, port, vendor }: LocalServer,
  { timeouts, timeoutMs }: LocalSearch,
): Promise<LocalBackend | null> {
  const baseUrl = localUrl(port);
  const models = toModelIds(await fetchText(`${baseUrl}/models`, AbortSignal.timeout(timeoutMs)));
  if (models === null) return null;
  const origin = `found on 127.0.0.1:${port}`;
  return {
    backend: {
      type: 'chat',
      name,
      origin,
      baseUrl,
      apiKey: null,
      vendor,
      thinkTags: null,
      headers: new Map(),
      caFile: null,
      timeouts,
    },
    models,
  };
}

/** Null unless it is OpenAI's list. Ollama without models sends `data: null`. */
function toModelIds(text: string | null): readonly string[] | null {
  const list = text === null ? undefined : parseJson(text);
  if (!isJsonObject(list) || list['object'] !== 'list') return null;
  const data = list['data'] ?? [];
  if (!Array.isArray(data)) return null;
  return data.flatMap((model: unknown) => (isJsonObject(model) && typeof model['id'] === 'string' ? [model['id']] : []));
}

/** node:http, because it is loaded anyway: `fetch` would cost the first 50 ms of the time a server has to answer. */
function fetchText(url: string, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const giveUp = (): void => {
      resolve(null);
    };
    const asked = request(url, { agent: false, signal, headers: { accept: 'application/json' } }, (answer) => {
      readAnswer(answer).then(resolve, giveUp);
    });
    asked.on('error', giveUp);
    asked.end();
  });
}

async function readAnswer(answer: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (answer.statusCode !== 200 || size > largestList) return null;
    pieces.push(piece);
  }
  return answer.statusCode === 200 ? Buffer.concat(pieces).toString('utf8') : null;
}
