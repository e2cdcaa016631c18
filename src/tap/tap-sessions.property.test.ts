import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../test/backend-suite.ts';
import { counterId } from '../../test/counter-id.ts';
import {
  chunk,
  createTestMarks,
  encodeBody,
  output,
  PlainAgent,
  playAnswer,
  sentBody,
  toItems,
  tool,
  user,
  type Mangle,
} from '../../test/doubles/tap-conversation.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import type { InputItem, ModelRequest } from '../model/model-request.ts';
import { toGeminiRequest } from '../translate/gemini/to-gemini-request.ts';
import type { Interception } from './model-call.ts';
import { createTapSessions } from './tap-sessions.ts';

interface Answer {
  readonly text: string;
  readonly calls: readonly { readonly id: string | null; readonly args: string }[];
  readonly isSigned: boolean;
  readonly hasSignedEnd: boolean;
  /** Calls of the agent's own tools: in an answer of their own before, or in this one. */
  readonly own: 'none' | 'alone' | 'first' | 'last';
}

interface Round {
  readonly text: string;
  readonly answer: Answer;
  /** The agent server lost the cascade: everything is replayed into a new one. */
  readonly isFresh: boolean;
  readonly isReversed: boolean;
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((one) => one.trim() !== '');
const answer = fc.record<Answer>({
  text: fc.oneof(fc.constant(''), text),
  calls: fc.array(fc.record({ id: fc.constantFrom('x', 'y', null), args: fc.string({ maxLength: 4 }) }), { maxLength: 3 }),
  isSigned: fc.boolean(),
  hasSignedEnd: fc.boolean(),
  own: fc.constantFrom('none', 'none', 'alone', 'first', 'last'),
});
const round = fc.record<Round>({
  text: fc.oneof(fc.constant(''), text),
  answer,
  isFresh: fc.boolean(),
  isReversed: fc.boolean(),
});

const template = ['<ask now="today">\n', '\n</ask>'] as const;
const mangles: Readonly<Record<string, Mangle>> = {
  'left alone': (marked) => [marked],
  'in a template': (marked) => [template[0] + marked + template[1]],
  trimmed: (marked) => [marked.trim()],
  'with collapsed white space': (marked) => [marked.replace(/\s+/g, ' ').trim()],
  'in several parts': (marked) => marked.split(/(?<=\n)/),
};

describe.each(Object.entries(mangles))('histories whose texts are %s', (name, mangle) => {
  test.each(['gemini-3-flash', 'gemini-2.5-pro'])('reach %s as from the gemini backend, without a mark', (model) => {
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 5 }), (rounds) => {
        for (const { sent, direct } of play(rounds, mangle, model)) {
          expect(JSON.stringify(sent)).not.toContain('antiphon');
          expect(normalize(sent, name)).toEqual(normalize(direct, name));
        }
      }),
      { numRuns: 30 },
    );
  });
});

test('the comparison notices an exchange out of place', () => {
  const twoCalls = {
    text: '',
    calls: [0, 1].map((at) => ({ id: null, args: String(at) })),
    isSigned: true,
    hasSignedEnd: false,
    own: 'none',
  } as const;
  const rounds = [
    { text: 'a', answer: twoCalls, isFresh: false, isReversed: false },
    { text: 'b', answer: twoCalls, isFresh: false, isReversed: false },
  ];
  const [, last] = play(rounds, (marked) => [marked], 'gemini-3-flash');
  const sent = structuredClone(last?.sent ?? []) as { parts: unknown[] }[];
  expect(normalize(sent, '')).toEqual(normalize(last?.direct ?? [], ''));
  sent[2]?.parts.reverse();
  expect(normalize(sent, '')).not.toEqual(normalize(last?.direct ?? [], ''));
});

interface Comparison {
  readonly sent: readonly unknown[];
  readonly direct: readonly unknown[];
}

/** Plays a whole conversation through the tap, and says for every main call what the model got and what it would get from the gemini backend. */
function play(rounds: readonly Round[], mangle: Mangle, model: string): readonly Comparison[] {
  const sessions = createTapSessions({ name: 'tap', marks: createTestMarks(), newId: counterId() });
  const compared: Comparison[] = [];
  let agent = new PlainAgent(mangle);
  let history: readonly InputItem[] = [];
  for (const { text: said, answer: given, isFresh, isReversed } of rounds) {
    const current = currentItems(history, said, isReversed);
    const input = [...history, ...current];
    if (isFresh) agent = new PlainAgent(mangle);
    const request = requestOf(model, input, history.length);
    const direct = toGeminiRequest(request).value.contents;
    const replayedItems = isFresh ? history.filter(({ type }) => type !== 'reasoning').length : 0;
    const turn = sessions.tap.openTurn({
      request: { ...request, model: 'agent-model' },
      replayedItems,
      ownTools: 'keep',
      onChange: () => undefined,
    });
    const block = isFresh || current[0]?.type === 'call-output' ? `So far:\n${JSON.stringify(input)}` : '';
    agent.say(turn.markText({ block, text: current.some(({ type }) => type === 'message') ? said || 'go' : '' }));
    const call = () =>
      sessions.intercept({ model, streams: true, body: encodeBody(agent.body()), gone: new AbortController().signal });
    for (const chunks of toChunks(given)) {
      const refused = sentBody(refuse(call()));
      const interception = call();
      compared.push({ sent: sentBody(interception)['contents'] as unknown[], direct });
      expect(sentBody(interception)).toEqual(refused);
      agent.work(agent.hear(playAnswer(interception, chunks)));
    }
    if (agent.contents.at(-1)?.['role'] === 'user') agent.hear(playAnswer(call(), []));
    history = [...input, ...toItems(turn.takeEvents())];
    expect(turn.state.failure).toBeNull();
    turn.close();
  }
  return compared;
}

/** What the user's side says: outputs of all open calls, and a text unless these are enough. */
function currentItems(history: readonly InputItem[], said: string, isReversed: boolean): readonly InputItem[] {
  const outputs = openCalls(history).map((callId) => output(callId, 'f', `result of ${callId}`));
  const sorted = isReversed ? outputs.toReversed() : outputs;
  return said === '' && outputs.length > 0 ? sorted : [...sorted, user(said || 'go')];
}

/** A model call that fails and is sent again changes nothing. */
function refuse(interception: Interception): Interception {
  if (interception.type !== 'forward' || interception.answer === null) return interception;
  interception.answer.begin(429);
  interception.answer.fail(429, {}, '{"error":{"code":429,"message":"slow down"}}');
  interception.answer.end();
  return interception;
}

function requestOf(model: string, input: readonly InputItem[], inheritedItems: number): ModelRequest {
  const session = { owner: 'o', responseId: 'r', previousResponseId: null, conversation: null, inheritedItems };
  return plainRequest(model, '', { input, tools: [tool('f')], session });
}

function openCalls(history: readonly InputItem[]): string[] {
  const done = history.findLastIndex(({ type }) => type === 'call-output');
  return history.slice(done + 1).flatMap((item) => (item.type === 'call' ? [item.callId] : []));
}

function toChunks({ text: said, calls, isSigned, hasSignedEnd, own }: Answer): unknown[][] {
  const view = { functionCall: { name: 'view_file', args: { path: 'p' } }, thoughtSignature: 'own' };
  const made = calls.map(({ id, args }, at) => ({
    // A step without any state behind another step is none that Gemini 3 makes.
    functionCall: { ...((id !== null || !isSigned) && { id: `${id ?? 'z'}${String(at)}` }), name: 'f', args: { args } },
    ...(isSigned && at === 0 && { thoughtSignature: `sig ${args}` }),
  }));
  const isEmpty = said === '' && made.length === 0;
  const spoken = said === '' && !isEmpty ? [] : (said || 'ok').split(/(?<= )/).map((word) => chunk([{ text: word }]));
  const withOwn = made.length === 0 ? made : own === 'first' ? [view, ...made] : own === 'last' ? [...made, view] : made;
  const end = chunk(hasSignedEnd && made.length === 0 ? [{ text: '', thoughtSignature: 'end' }] : [], { finishReason: 'STOP' });
  const last = [chunk([{ text: 'hm', thought: true }]), ...spoken, ...(withOwn.length > 0 ? [chunk(withOwn)] : []), end];
  return own === 'alone' ? [[chunk([view], { finishReason: 'STOP' })], last] : [last];
}

/** What two requests have in common when the agent server has its own words and tools in one of them. */
function normalize(contents: readonly unknown[], mangle: string): unknown {
  const merged: { role: unknown; parts: JsonObject[] }[] = [];
  for (const content of contents) {
    const { role, parts } = isJsonObject(content) ? content : {};
    const kept = (parts as readonly JsonObject[]).flatMap((part) => normalizePart(part, mangle));
    const last = merged.at(-1);
    if (kept.length === 0) continue;
    if (last !== undefined && last.role === role) last.parts.push(...kept);
    else merged.push({ role, parts: kept });
  }
  return merged.map(({ role, parts }) => ({ role, parts: parts.reduce<JsonObject[]>(joinTexts, []) }));
}

function normalizePart(part: JsonObject, mangle: string): JsonObject[] {
  if (isOwn(part['functionCall']) || isOwn(part['functionResponse'])) return [];
  const { thoughtSignature, ...rest } = part;
  // The stand-in belongs on the first call of a step, which may be the agent's.
  const kept = thoughtSignature === undefined || thoughtSignature === 'skip_thought_signature_validator' ? rest : part;
  if (typeof kept['text'] !== 'string') return [kept];
  const plain = kept['text'].replace(template[0], '').replace(template[1], '');
  const same = mangle.includes('white space') || mangle === 'trimmed' ? plain.replace(/\s+/g, ' ').trim() : plain;
  return same === '' && thoughtSignature === undefined ? [] : [{ ...kept, text: same }];
}

function isOwn(value: unknown): boolean {
  return isJsonObject(value) && value['name'] === 'view_file';
}

function joinTexts(parts: JsonObject[], part: JsonObject): JsonObject[] {
  const last = parts.at(-1);
  const isPlain = (one: JsonObject | undefined) => typeof one?.['text'] === 'string' && one['thoughtSignature'] === undefined;
  if (!isPlain(last) || !isPlain(part)) return [...parts, part];
  return [...parts.slice(0, -1), { text: `${String(last?.['text'])}${String(part['text'])}` }];
}
