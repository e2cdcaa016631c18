import type { JsonObject } from '../../src/lib/json.ts';
import type { GeminiCall, GeminiModelOptions } from '../doubles/gemini-model/gemini-model-options.ts';
import { objectOf } from '../doubles/gemini-model/gemini-words.ts';
import { ownersIn } from './canary.ts';

export interface CountedUsage {
  readonly input: number;
  readonly output: number;
  readonly thinking: number;
}

/** Looks at every request that reaches the model endpoint. */
export interface ModelWatch {
  /** To be given to the endpoint. */
  readonly answer: NonNullable<GeminiModelOptions['answer']>;
  /** Requests so far. */
  readonly requests: number;
  /** Requests with canaries of several clients, in words. */
  readonly crossed: readonly string[];
  /** Requests with a mark of the tap in them. */
  readonly marked: readonly string[];
  /** Forgets the main calls of that client: its turn begins. */
  begin(client: number): void;
  /** What its main calls since then cost by the endpoint's own count. */
  usageOf(client: number): CountedUsage;
}

export function createModelWatch(): ModelWatch {
  const calls = new Map<number, GeminiCall[]>();
  const crossed: string[] = [];
  const marked: string[] = [];
  let requests = 0;

  return {
    answer(call) {
      requests += 1;
      const owners = ownersIn(call.text);
      if (owners.length > 1) crossed.push(`a model request has canaries of the clients ${owners.join()}`);
      if (/antiphon[a-z0-9]{8}/i.test(call.text)) marked.push(`a model request has a mark: ${call.text.slice(0, 200)}`);
      if (call.verb === 'streamGenerateContent') for (const owner of owners) calls.get(owner)?.push(call);
      return undefined;
    },
    get requests() {
      return requests;
    },
    crossed,
    marked,
    begin(client) {
      calls.set(client, []);
    },
    usageOf: (client) => (calls.get(client) ?? []).map(readUsage).reduce(add, { input: 0, output: 0, thinking: 0 }),
  };
}

function readUsage({ chunks }: GeminiCall): CountedUsage {
  const counts: JsonObject = objectOf(chunks.at(-1)?.['usageMetadata']);
  const count = (name: string): number => Number(counts[name] ?? 0);
  const thinking = count('thoughtsTokenCount');
  return { input: count('promptTokenCount'), output: count('candidatesTokenCount') + thinking, thinking };
}

function add(one: CountedUsage, other: CountedUsage): CountedUsage {
  return { input: one.input + other.input, output: one.output + other.output, thinking: one.thinking + other.thinking };
}
