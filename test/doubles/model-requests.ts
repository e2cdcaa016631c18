import fc from 'fast-check';
import { toInputItems } from '../../src/engine/to-input-items.ts';
import { toModelRequest } from '../../src/engine/to-model-request.ts';
import type { ContentPart, FunctionTool, InputItem, ModelRequest } from '../../src/model/model-request.ts';
import type { ReasoningState } from '../../src/model/reasoning-state.ts';
import type { CreateResponseRequest } from '../../src/protocol/responses/request.ts';

/** A text that says something. */
export const someText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((text) => text.trim() !== '');

export const toTextPart = (text: string): ContentPart => ({ type: 'text', text, path: '' });

export const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const functionNames = ['search', 'get_weather'] as const;
const json = fc.dictionary(someText, fc.string(), { maxKeys: 2 }).map((value) => JSON.stringify(value));

/** Two functions, the first one strict. */
export const functionTools: readonly FunctionTool[] = functionNames.map((name, at) => ({
  ...{ name, description: at === 0 ? 'Finds' : null, strict: at === 0, path: '' },
  parameters: { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
}));

/** What a dialect can say in a history. */
export interface HistoryForms {
  /** Parts of a user's message. */
  readonly content: fc.Arbitrary<ContentPart[]>;
  /** Parts of what a function returned. */
  readonly output: fc.Arbitrary<ContentPart[]>;
  /** A reasoning item that stands before what it led to; null: none. */
  readonly reasoning: fc.Arbitrary<InputItem | null>;
  /** What a model says besides calls; null: nothing. */
  readonly said: fc.Arbitrary<InputItem | null>;
  /** Whether a tool can be said to have failed; it then returned text and nothing else. */
  readonly knowsErrors: boolean;
}

/** A conversation in turns, as every dialect has it: a user, then what the model thought, said and called, then the outputs in the order of the calls. Ends with the user. */
export function conversations(forms: HistoryForms): fc.Arbitrary<InputItem[]> {
  const call = fc.record({
    name: fc.constantFrom(...functionNames),
    arguments: json,
    output: forms.output,
    isError: forms.knowsErrors ? fc.boolean() : fc.constant(false),
  });
  const turn = fc
    .record({ reasoning: forms.reasoning, said: forms.said, calls: fc.array(call, { maxLength: 3 }) })
    .filter(({ said, calls }) => said !== null || calls.length > 0);
  const user = forms.content.map((content): InputItem => ({ type: 'message', role: 'user', content, path: '' }));
  return fc.tuple(fc.array(fc.tuple(user, turn), { maxLength: 3 }), user).map(([rounds, last]) => [
    ...rounds.flatMap(([asked, { reasoning, said, calls }], round): InputItem[] => {
      const named = calls.map((one, at) => ({ ...one, callId: `call_${String(round)}_${String(at)}` }));
      return [
        asked,
        ...[reasoning, said].filter((item) => item !== null),
        ...named.map(({ callId, name, arguments: text }): InputItem => {
          return { type: 'call', callId, name, arguments: text, path: '' };
        }),
        ...named.map(({ callId, name, output, isError }): InputItem => {
          const hasFailed = isError && output.length > 0 && output.every(({ type }) => type === 'text');
          return { type: 'call-output', callId, name, content: output, ...(hasFailed && { isError: true }), path: '' };
        }),
      ];
    }),
    last,
  ]);
}

/** A parsed body → what a backend is given. `opened`: what is in each seal. */
export function toTurn(request: CreateResponseRequest, opened: ReadonlyMap<string, ReasoningState> = new Map()): ModelRequest {
  const own = request.input.map((item, at) => ({ item, path: `input[${String(at)}]` }));
  const envelope = {
    seal: () => '',
    open(text: string) {
      const state = opened.get(text);
      return state === undefined ? null : [state];
    },
  };
  const { items } = toInputItems({ inherited: [], own }, { owner: 'local', strict: false }, envelope);
  return toModelRequest(request, { model: request.model ?? '', input: items, session: null }).value;
}

/** Paths say where a client wrote something: another place in every dialect. */
export function withoutPaths(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, member: unknown) => (key === 'path' ? undefined : member)));
}
