import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { CallInput, CallOutputInput, InputItem, ReasoningInput } from '../../model/model-request.ts';
import type { GeminiPart } from '../../protocol/gemini/request.ts';
import { encodeThoughtState, type ThoughtEntry } from './thought-state.ts';
import { toGeminiRequest } from './to-gemini-request.ts';

const model = 'gemini-3-flash';

function user(text: string): InputItem {
  return { type: 'message', role: 'user', content: [{ type: 'text', text, path: 'u' }], path: 'u' };
}

function assistant(text: string): InputItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'text', text, path: 'a' }], path: 'a' };
}

function call(callId: string): CallInput {
  return { type: 'call', callId, name: 'f', arguments: `{"id":"${callId}"}`, path: `call ${callId}` };
}

function output(callId: string): CallOutputInput {
  return {
    type: 'call-output',
    callId,
    name: 'f',
    content: [{ type: 'text', text: `out ${callId}`, path: 'o' }],
    path: `output ${callId}`,
  };
}

function state(entries: readonly ThoughtEntry[], textLength = 0, madeBy = model): ReasoningInput {
  return { type: 'reasoning', text: '', state: encodeThoughtState(madeBy, { textLength, entries }), path: 'r' };
}

function signed(callId: string, geminiId?: string): ThoughtEntry {
  return { on: 'call', callId, signature: `sig-${callId}`, ...(geminiId !== undefined && { geminiId }) };
}

/** `model: text+f(a)*sig-a | user: a` …: one text per content. */
function shape(input: readonly InputItem[], to = model): { contents: string[]; losses: string[] } {
  const { value, losses } = toGeminiRequest(plainRequest(to, '', { input }));
  return {
    contents: value.contents.map(({ role, parts }) => `${role}: ${parts.map(showPart).join(' + ')}`),
    losses: losses.map(({ path, reason }) => `${path}: ${reason}`),
  };
}

function showPart(part: GeminiPart): string {
  const signature = 'thoughtSignature' in part && typeof part.thoughtSignature === 'string' ? `*${part.thoughtSignature}` : '';
  if ('functionCall' in part) {
    const { id, args } = part.functionCall as { id?: string; args: { id: string } };
    return `f(${args.id})${id === undefined ? '' : `#${id}`}${signature}`;
  }
  if ('functionResponse' in part) {
    const { id, response } = part.functionResponse as { id?: string; response: { result: string } };
    return `${response.result}${id === undefined ? '' : `#${id}`}`;
  }
  return 'text' in part ? `'${String(part.text)}'${signature}` : JSON.stringify(part);
}

const skip = 'skip_thought_signature_validator';
const noThinking = (callId: string) =>
  `call ${callId}: the model gets this call without the thinking behind it: its thought signature is not there`;
const foreign = 'r: this reasoning was made by another model, which alone can read it';

describe('signatures of calls', () => {
  test('parallel calls: one content, only the first is signed, responses in the order of the calls', () => {
    const items = [user('q'), state([signed('a')]), call('a'), call('b'), output('b'), output('a')];
    expect(shape(items)).toEqual({ contents: ["user: 'q'", 'model: f(a)*sig-a + f(b)', 'user: out a + out b'], losses: [] });
  });

  test('sequential steps: each has its own', () => {
    const items = [
      user('q'),
      state([signed('a')]),
      call('a'),
      output('a'),
      state([signed('b')]),
      call('b'),
      output('b'),
      assistant('done'),
      user('more'),
    ];
    expect(shape(items)).toEqual({
      contents: [
        "user: 'q'",
        'model: f(a)*sig-a',
        'user: out a',
        'model: f(b)*sig-b',
        'user: out b',
        "model: 'done'",
        "user: 'more'",
      ],
      losses: [],
    });
  });

  test('parallel calls that a client wrote one after the other are put together again', () => {
    const items = [
      user('q'),
      state([signed('a')]),
      call('a'),
      output('a'),
      call('b'),
      output('b'),
      state([signed('c')]),
      call('c'),
      output('c'),
    ];
    expect(shape(items).contents).toEqual([
      "user: 'q'",
      'model: f(a)*sig-a + f(b)',
      'user: out a + out b',
      'model: f(c)*sig-c',
      'user: out c',
    ]);
  });

  test("Gemini's ids go back with call and response; a call it gave no id gets none", () => {
    const items = [
      user('q'),
      state([signed('a', 'x1'), { on: 'call', callId: 'b', geminiId: 'x2' }]),
      call('a'),
      call('b'),
      output('a'),
      output('b'),
    ];
    expect(shape(items).contents.slice(1)).toEqual(['model: f(a)#x1*sig-a + f(b)#x2', 'user: out a#x1 + out b#x2']);
  });

  test('a state that a client has moved within the turn still finds its call', () => {
    expect(shape([user('q'), call('a'), state([signed('a')]), output('a')]).contents[1]).toBe('model: f(a)*sig-a');
  });

  test('a late output, and an id that comes again in a later turn, keep to their own call', () => {
    const items = [
      user('q'),
      state([signed('a')]),
      call('a'),
      user('hurry'),
      output('a'),
      user('again'),
      state([{ ...signed('a'), signature: 'two' } as ThoughtEntry]),
      call('a'),
      output('a'),
    ];
    expect(shape(items).contents).toEqual([
      "user: 'q'",
      'model: f(a)*sig-a',
      "user: out a + 'hurry' + 'again'",
      'model: f(a)*two',
      'user: out a',
    ]);
  });
});

describe('where no signature is left', () => {
  test('Gemini 3: the first call of every step of the current turn gets the documented value, with a loss', () => {
    const items = [user('q'), call('a'), call('b'), output('a'), output('b'), state([signed('c')]), call('c'), output('c')];
    expect(shape(items)).toEqual({
      contents: ["user: 'q'", `model: f(a)*${skip} + f(b)`, 'user: out a + out b', 'model: f(c)*sig-c', 'user: out c'],
      losses: [noThinking('a')],
    });
  });

  test('older turns are not validated and stay as they are', () => {
    const items = [user('q'), call('a'), output('a'), assistant('done'), user('more'), call('b'), output('b')];
    expect(shape(items)).toEqual({
      contents: [
        "user: 'q'",
        'model: f(a)',
        'user: out a',
        "model: 'done'",
        "user: 'more'",
        `model: f(b)*${skip}`,
        'user: out b',
      ],
      losses: [noThinking('b')],
    });
  });

  test.each(['gemini-2.5-flash', 'gemini-2.0-flash'])('%s gets nothing', (older) => {
    expect(shape([user('q'), call('a'), output('a')], older)).toEqual({
      contents: ["user: 'q'", 'model: f(a)', 'user: out a'],
      losses: [],
    });
  });

  test('state of another model or protocol is never sent', () => {
    const other: ReasoningInput = {
      type: 'reasoning',
      text: 'hm',
      state: { format: 'anthropic', model, data: 'blob' },
      path: 'r',
    };
    for (const item of [other, state([signed('a')], 0, 'gemini-2.5-pro')]) {
      expect(shape([user('q'), item, call('a'), output('a')])).toEqual({
        contents: ["user: 'q'", `model: f(a)*${skip}`, 'user: out a'],
        losses: [foreign, noThinking('a')],
      });
    }
  });

  test('state that nobody wrote like this is no state', () => {
    for (const data of [
      null,
      7,
      {},
      { textLength: 0, entries: [null, { on: 'call' }, { on: 'text', start: 'x' }, { on: 'part', start: 0 }] },
    ]) {
      const item: ReasoningInput = { type: 'reasoning', text: '', state: { format: 'gemini', model, data }, path: 'r' };
      expect(shape([user('q'), item, assistant('hi'), user('more')]).contents).toEqual([
        "user: 'q'",
        "model: 'hi'",
        "user: 'more'",
      ]);
    }
  });
});

describe('signatures of texts', () => {
  const text = (start: number, length: number, signature: string): ThoughtEntry => ({ on: 'text', start, length, signature });

  test('an empty signed part comes back as one, behind its text', () => {
    expect(shape([user('q'), assistant('hello'), state([text(5, 0, 'S')], 5), user('more')]).contents[1]).toBe(
      "model: 'hello' + ''*S",
    );
  });

  test('a signed piece stays a part of its own, in order, with the rest unsigned around it', () => {
    const items = [
      user('q'),
      assistant('one two three'),
      state([text(4, 3, 'A'), text(7, 6, 'B'), text(13, 0, 'C')], 13),
      user('more'),
    ];
    expect(shape(items).contents[1]).toBe("model: 'one ' + 'two'*A + ' three'*B + ''*C");
  });

  test('a signature behind a call, and parts that only Gemini understands, stand where the state stands', () => {
    const part = { toolCall: { toolType: 'X' }, thoughtSignature: 'P' };
    const items = [
      user('q'),
      state([{ on: 'part', start: 0, part }]),
      assistant('hi'),
      state([signed('a')]),
      call('a'),
      state([text(0, 0, 'E')]),
      output('a'),
    ];
    expect(shape(items).contents[1]).toBe(`model: ${JSON.stringify(part)} + 'hi' + f(a)*sig-a + ''*E`);
  });

  test('a state that a client has put before its message finds it by its length', () => {
    expect(shape([user('q'), state([text(5, 0, 'S')], 5), assistant('hello'), user('more')]).contents[1]).toBe(
      "model: 'hello' + ''*S",
    );
  });

  test('a changed text loses its signature, with a loss', () => {
    expect(shape([user('q'), assistant('hello!'), state([text(5, 0, 'S')], 5), user('more')])).toEqual({
      contents: ["user: 'q'", "model: 'hello!'", "user: 'more'"],
      losses: ['r: the text that its thought signature belongs to is missing or was changed'],
    });
  });

  test('positions that do not fit are left out; the text stays whole', () => {
    const items = [
      user('q'),
      assistant('hello'),
      state([text(3, 9, 'A'), text(-1, 2, 'B'), text(2, 2, 'C'), text(1, 1, 'D')], 5),
      user('more'),
    ];
    expect(shape(items).contents[1]).toBe("model: 'he' + 'll'*C + 'o'");
  });
});
