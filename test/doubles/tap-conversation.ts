import { isJsonObject, type JsonObject } from '../../src/lib/json.ts';
import type { ModelEvent } from '../../src/model/model-event.ts';
import type { CallOutputInput, FunctionTool, InputItem, MessageInput } from '../../src/model/model-request.ts';
import { createMarks, type Marks } from '../../src/tap/marks.ts';
import type { Interception } from '../../src/tap/model-call.ts';

/** Marks under a fixed key; the ids of turns are numbers in a row. */
export function createTestMarks(key = 7): Marks {
  let count = 0;
  return createMarks({
    keys: [new Uint8Array(32).fill(key)],
    randomBytes(size) {
      const bytes = new Uint8Array(size);
      new DataView(bytes.buffer).setUint32(0, ++count);
      return bytes;
    },
  });
}

export function user(text: string): MessageInput {
  return { type: 'message', role: 'user', content: [{ type: 'text', text, path: 'u' }], path: 'u' };
}

export function assistant(text: string): MessageInput {
  return { type: 'message', role: 'assistant', content: [{ type: 'text', text, path: 'a' }], path: 'a' };
}

export function output(callId: string, name: string, text: string): CallOutputInput {
  return { type: 'call-output', callId, name, content: [{ type: 'text', text, path: 'o' }], path: 'o' };
}

export function tool(name: string): FunctionTool {
  return { name, description: `does ${name}`, parameters: null, strict: false, path: 'tools[0]' };
}

/** What the model did as the items that the client sends back. */
export function toItems(events: readonly ModelEvent[]): InputItem[] {
  const items: InputItem[] = [];
  for (const event of events) {
    const last = items.at(-1);
    if (event.type === 'text-delta') {
      const said = last?.type === 'message' ? last.content.map((part) => ('text' in part ? part.text : '')).join('') : '';
      items.splice(last?.type === 'message' ? -1 : items.length, 1, assistant(said + event.delta));
    } else if (event.type === 'reasoning-state') items.push({ type: 'reasoning', text: '', state: event.state, path: 'r' });
    else if (event.type === 'call-start')
      items.push({ type: 'call', callId: event.callId, name: event.name, arguments: '', path: 'c' });
    else if (event.type === 'call-delta' && last?.type === 'call')
      items.splice(-1, 1, { ...last, arguments: last.arguments + event.delta });
  }
  return items;
}

/** How an agent server changes a user's text on its way into its history: the parts that come of it. */
export type Mangle = (text: string) => readonly string[];

/** An agent server's history and what it sends to its model: an independent, naive reading of the Gemini wire. */
export class PlainAgent {
  readonly contents: JsonObject[] = [];
  readonly #mangle: Mangle;
  readonly #ownTools: readonly string[];

  constructor(mangle: Mangle = (text) => [text], ownTools: readonly string[] = ['view_file']) {
    this.#mangle = mangle;
    this.#ownTools = ownTools;
  }

  say(text: string): void {
    this.contents.push({ role: 'user', parts: this.#mangle(text).map((part) => ({ text: part })) });
  }

  body(): JsonObject {
    return {
      contents: this.contents,
      systemInstruction: { parts: [{ text: 'You are an agent.' }] },
      tools: [{ functionDeclarations: this.#ownTools.map((name) => ({ name, description: 'its own' })) }],
    };
  }

  /** Adds a streamed answer to the history: neighbouring texts become one part. Returns the names of the calls in it. */
  hear(chunks: readonly unknown[]): string[] {
    const parts: JsonObject[] = [];
    for (const part of chunks.flatMap(partsOf)) {
      if (part['thought'] === true) continue;
      const last = parts.at(-1);
      const isText = typeof part['text'] === 'string' && part['thoughtSignature'] === undefined;
      if (isText && typeof last?.['text'] === 'string' && last['thoughtSignature'] === undefined) {
        parts.splice(-1, 1, { text: last['text'] + String(part['text']) });
      } else if (part['text'] !== '' || part['thoughtSignature'] !== undefined) parts.push(part);
    }
    if (parts.length > 0) this.contents.push({ role: 'model', parts });
    return parts.flatMap(({ functionCall }) => (isJsonObject(functionCall) ? [String(functionCall['name'])] : []));
  }

  /** Answers calls of its own tools. */
  work(names: readonly string[]): void {
    const parts = names.map((name) => ({ functionResponse: { name, response: { done: name } } }));
    if (parts.length > 0) this.contents.push({ role: 'user', parts });
  }
}

export function encodeBody(body: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}

/** Plays an answer through an interception, as tap-server does: what reaches the agent server. */
export function playAnswer(interception: Interception, chunks: readonly unknown[]): readonly unknown[] {
  if (interception.type === 'answer') return interception.chunks;
  if (interception.type === 'pass' || interception.answer === null) return chunks;
  const { answer } = interception;
  answer.begin(200);
  const passed = chunks.map((value) => {
    const replaced = answer.push({ value });
    return replaced === undefined ? value : replaced;
  });
  return [...passed, ...answer.end()].filter((value) => value !== null);
}

/** The body that the model gets. */
export function sentBody(interception: Interception): JsonObject {
  if (interception.type !== 'forward' || interception.body === null)
    throw new Error(`nothing was rewritten: ${interception.type}`);
  const body: unknown = JSON.parse(interception.body);
  if (!isJsonObject(body)) throw new Error('the body is not an object');
  return body;
}

/** A chunk of an answer. */
export function chunk(parts: readonly unknown[], change: JsonObject = {}): JsonObject {
  return { candidates: [{ content: { role: 'model', parts }, index: 0, ...change }] };
}

function partsOf(value: unknown): readonly JsonObject[] {
  const [candidate] =
    isJsonObject(value) && Array.isArray(value['candidates']) ? (value['candidates'] as readonly unknown[]) : [];
  const content = isJsonObject(candidate) ? candidate['content'] : undefined;
  return isJsonObject(content) && Array.isArray(content['parts'])
    ? (content['parts'] as readonly unknown[]).filter(isJsonObject)
    : [];
}
