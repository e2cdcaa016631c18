import { isJsonObject, type JsonObject } from '../../../src/lib/json.ts';
import { objectOf, objectsOf, textOf } from '../gemini-model/gemini-words.ts';

export interface AnswerCall {
  readonly id: string | undefined;
  readonly name: string;
  readonly args: unknown;
}

/** One answer of the model, as it grows. */
export class AnswerReader {
  text = '';
  thinking = '';
  signature: string | null = null;
  finishReason: string | null = null;
  /** Of an error inside the stream. */
  error: JsonObject | null = null;
  readonly calls: AnswerCall[] = [];
  /** What goes into the history: no thinking, neighbouring unsigned texts joined, signatures where they were. */
  readonly parts: Record<string, unknown>[] = [];
  #usage: JsonObject = {};

  add(chunk: JsonObject): void {
    if (isJsonObject(chunk['error'])) this.error = chunk['error'];
    this.#usage = { ...this.#usage, ...objectOf(chunk['usageMetadata']) };
    const [candidate] = objectsOf(chunk['candidates']);
    if (candidate === undefined) return;
    for (const part of objectsOf(objectOf(candidate['content'])['parts'])) this.#addPart(part);
    if (typeof candidate['finishReason'] === 'string') this.finishReason = candidate['finishReason'];
  }

  /** Tokens as the model counted them; output includes thinking. */
  get counts(): { readonly input: number; readonly output: number; readonly thinking: number; readonly cached: number } {
    const count = (name: string): number => Number(this.#usage[name] ?? 0);
    const thinking = count('thoughtsTokenCount');
    return {
      input: count('promptTokenCount'),
      output: count('candidatesTokenCount') + thinking,
      thinking,
      cached: count('cachedContentTokenCount'),
    };
  }

  #addPart(part: JsonObject): void {
    if (part['thought'] === true) {
      this.thinking += textOf(part['text']);
      return;
    }
    if (typeof part['thoughtSignature'] === 'string') this.signature = part['thoughtSignature'];
    if (isJsonObject(part['functionCall'])) {
      const { id, name, args } = part['functionCall'];
      this.calls.push({ id: typeof id === 'string' ? id : undefined, name: textOf(name), args: args ?? {} });
    }
    this.text += textOf(part['text']);
    this.#keep(part);
  }

  #keep(part: JsonObject): void {
    const last = this.parts.at(-1);
    const isPlain = (one: JsonObject): boolean => typeof one['text'] === 'string' && one['thoughtSignature'] === undefined;
    if (last !== undefined && isPlain(last) && isPlain(part)) last['text'] = textOf(last['text']) + textOf(part['text']);
    else if (!isPlain(part) || part['text'] !== '') this.parts.push({ ...part });
  }
}
