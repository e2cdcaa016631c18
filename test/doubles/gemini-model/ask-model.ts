import { parseJson, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from './gemini-words.ts';

/** What a test reads of an answer. */
export interface ModelReply {
  readonly status: number;
  readonly text: string;
  readonly chunks: readonly JsonObject[];
  /** Parts of all chunks, in order. */
  readonly parts: readonly JsonObject[];
  /** Texts of the parts that are no thinking. */
  readonly said: string;
  readonly thought: string;
  readonly finishReason: string;
}

/** Calls the endpoint as a client would: SSE. The body may end anywhere: then the connection's error is thrown. */
export async function askModel(url: string, body: object, model = 'gemini-3-pro'): Promise<ModelReply> {
  return readReply(await fetch(`${url}/v1beta/models/${model}:streamGenerateContent?alt=sse`, post(body)));
}

export async function readReply(response: Response): Promise<ModelReply> {
  const text = await response.text();
  const chunks = text.startsWith('data: ')
    ? text.split('\r\n\r\n').flatMap((frame) => (frame === '' ? [] : [objectOf(parseJson(frame.slice(6)))]))
    : [parseJson(text)].flat().map(objectOf);
  const candidates = chunks.flatMap((chunk) => objectsOf(chunk['candidates']));
  const parts = candidates.flatMap((candidate) => objectsOf(objectOf(candidate['content'])['parts']));
  const textsOf = (isThought: boolean): string =>
    parts.map((part) => ((part['thought'] === true) === isThought ? textOf(part['text']) : '')).join('');
  return {
    status: response.status,
    text,
    chunks,
    parts,
    said: textsOf(false),
    thought: textsOf(true),
    finishReason: textOf(candidates.at(-1)?.['finishReason']),
  };
}

export function post(body: object): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function user(...parts: (string | object)[]): object {
  return { role: 'user', parts: parts.map((part) => (typeof part === 'string' ? { text: part } : part)) };
}

export function declare(...names: string[]): object {
  return { tools: [{ functionDeclarations: names.map((name) => ({ name, description: `The function ${name}.` })) }] };
}
