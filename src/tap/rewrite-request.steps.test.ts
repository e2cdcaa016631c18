import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../test/backend-suite.ts';
import { checkContents } from '../../test/doubles/gemini-model/check-contents.ts';
import { createIssuedSignatures } from '../../test/doubles/gemini-model/issued-signatures.ts';
import { assistant, createTestMarks, output, user } from '../../test/doubles/tap-conversation.ts';
import type { JsonObject } from '../lib/json.ts';
import type { InputItem } from '../model/model-request.ts';
import { encodeThoughtState } from '../translate/gemini/thought-state.ts';
import { rewriteRequest } from './rewrite-request.ts';
import { spanOfTurn } from './rewrite/span-of-turn.ts';

const model = 'gemini-3-flash';
const marks = createTestMarks();
const turn = marks.newTurn();
const signatures = createIssuedSignatures({ allowsSkipValues: true });
const signature = signatures.issue({ name: 'f', args: { id: 'a' }, id: undefined });
const skip = 'skip_thought_signature_validator';

const call = (callId: string): InputItem => ({
  type: 'call',
  callId,
  name: 'f',
  arguments: `{"id":"${callId}"}`,
  path: `call ${callId}`,
});
const state = encodeThoughtState(model, { textLength: 0, entries: [{ on: 'call', callId: 'a', signature }] });
const signed: InputItem = { type: 'reasoning', text: '', state, path: 'r' };
const step = [user('q'), signed, call('a'), call('b')];
const outputs = [output('a', 'f', 'A'), output('b', 'f', 'B')];

const say = (...parts: readonly (JsonObject | string)[]): JsonObject => ({ role: 'user', parts: parts.map(toPart) });
const reply = (...parts: readonly (JsonObject | string)[]): JsonObject => ({ role: 'model', parts: parts.map(toPart) });
const toPart = (part: JsonObject | string): JsonObject => (typeof part === 'string' ? { text: part } : part);
const mark = (callId: string) => marks.writeCallMark(callId);
const fc = (id: string, more: JsonObject = {}): JsonObject => ({ functionCall: { name: 'f', args: { id } }, ...more });
const fr = (result: string): JsonObject => ({ functionResponse: { name: 'f', response: { result } } });
const view = { functionCall: { name: 'view_file', args: {} } };
const viewed = { functionResponse: { name: 'view_file', response: {} } };

interface Conversation {
  readonly history?: readonly InputItem[];
  readonly current?: readonly InputItem[];
  readonly text?: string;
  /** What the agent server writes around a message. */
  readonly wrap?: (marked: string) => string;
  readonly replayed?: number;
}

/** The contents that the model gets, which a strict validator takes. `between`: what the agent server sends between the question and what the user says now. */
function contentsOf(
  between: readonly JsonObject[],
  options: Conversation = {},
): { contents: unknown; losses: readonly unknown[] } {
  const { history = step, current = outputs, text = '', wrap = (marked: string) => marked, replayed = 0 } = options;
  const session = { owner: 'o', responseId: 'r', previousResponseId: null, conversation: null };
  const inheritedItems = replayed > 0 ? 0 : history.length;
  const request = plainRequest(model, '', { input: [...history, ...current], session: { ...session, inheritedItems } });
  const { span } = spanOfTurn(request, replayed);
  const said = say(wrap(marks.writeText(turn, { span, block: '[result of f]\nA', text })));
  const contents = [...(replayed > 0 ? [] : [say('q')]), ...between, said];
  const rewritten = rewriteRequest({ contents }, { turn, request, plannedModel: model, ownTools: 'keep', marks });
  expect(JSON.stringify(rewritten.body)).not.toContain('antiphon');
  expect(checkContents(rewritten.body, model, signatures)).toEqual([]);
  return { contents: rewritten.body['contents'], losses: rewritten.losses };
}

const first = fc('a', { thoughtSignature: signature });

describe('one step is one content, with one content of responses behind it', () => {
  const whole = [say('q'), reply('so', first, fc('b')), say(fr('A'), fr('B'))];

  test.each([
    ['in two contents', [reply('so', mark('a')), reply(mark('b'))]],
    ['in a content for each part', [reply('so'), reply(mark('a')), reply(mark('b'))]],
    ['with the marks the other way round', [reply('so', mark('b')), reply(mark('a'))]],
    ['with the marks the other way round in one content', [reply('so', mark('b'), mark('a'))]],
  ])('%s', (_, between) => {
    expect(contentsOf(between).contents).toEqual(whole);
  });

  test('with something of the agent server between its marks', () => {
    expect(contentsOf([reply('so', mark('a')), say('a note'), reply('and', mark('b'))]).contents).toEqual([
      say('q'),
      reply('so', first, fc('b'), 'and'),
      say(fr('A'), fr('B'), 'a note'),
    ]);
  });

  test('with a call of the agent’s own between them', () => {
    expect(contentsOf([reply(mark('a'), view), say(viewed), reply(mark('b'))]).contents).toEqual([
      say('q'),
      reply(first, fc('b'), view),
      say(fr('A'), fr('B'), viewed),
    ]);
    expect(contentsOf([reply(mark('a'), view, mark('b')), say(viewed)]).contents).toEqual([
      say('q'),
      reply(first, view, fc('b')),
      say(fr('A'), viewed, fr('B')),
    ]);
  });

  test('two steps stay two', () => {
    const history = [user('q'), signed, call('a'), output('a', 'f', 'A'), assistant('then'), call('b')];
    const second = [reply('then', fc('b', { thoughtSignature: skip })), say(fr('B'))];
    for (const between of [[say('go')], []]) {
      const { contents } = contentsOf([reply(mark('a')), ...between, reply('then', mark('b'))], {
        history,
        current: [output('b', 'f', 'B')],
      });
      const texts = between.flatMap(({ parts }) => parts as JsonObject[]);
      expect(contents).toEqual([say('q'), reply(first), say(fr('A'), ...texts), ...second]);
    }
  });
});

describe('what the model gets ends with the user', () => {
  const answered = say(fr('A'), viewed, fr('B'));

  test('a text of the agent server behind the calls goes before the responses', () => {
    const between = [reply(mark('a'), view, mark('b')), say(viewed), reply('closing')];
    expect(contentsOf(between).contents).toEqual([say('q'), reply(first, view, fc('b'), 'closing'), answered]);
    expect(contentsOf(between, { text: 'go on' }).contents).toEqual([
      say('q'),
      reply(first, view, fc('b')),
      answered,
      reply('closing'),
      say('go on'),
    ]);
  });

  test('a text right behind the calls, too', () => {
    const between = [reply(mark('a'), mark('b')), reply('closing')];
    expect(contentsOf(between).contents).toEqual([say('q'), reply(first, fc('b'), 'closing'), say(fr('A'), fr('B'))]);
    expect(contentsOf(between, { text: 'go on' }).contents).toEqual([
      say('q'),
      reply(first, fc('b'), 'closing'),
      say(fr('A'), fr('B'), 'go on'),
    ]);
  });

  test('an empty text behind an answer leaves a blank', () => {
    expect(contentsOf([reply('hello')], { history: [user('q'), assistant('hello')], current: [user('')] }).contents).toEqual([
      say('q'),
      reply('hello'),
      say(' '),
    ]);
  });
});

describe('a call without its signature', () => {
  const bare = [user('q'), assistant('so'), call('a')];
  const told = [{ path: 'call a', action: 'approximated' }];
  const wrap = (marked: string) => `<ask>\n${marked}\n</ask>`;
  const written = [say('q'), reply('so', fc('a', { thoughtSignature: skip })), say(fr('A'), '<ask>\n\n</ask>')];

  test('gets the documented stand-in when its response stands beside words of the agent server', () => {
    const { contents, losses } = contentsOf([reply('so', mark('a'))], { history: bare, current: outputs.slice(0, 1), wrap });
    expect(contents).toEqual(written);
    expect(losses).toMatchObject(told);
  });

  test('in a history from elsewhere as well', () => {
    const { contents, losses } = contentsOf([], { history: bare, current: outputs.slice(0, 1), wrap, replayed: 3 });
    expect(contents).toEqual(written);
    expect(losses).toMatchObject(told);
  });

  test('gets none when the user has spoken since', () => {
    const history = [...bare, ...outputs.slice(0, 1), assistant('done')];
    const { contents, losses } = contentsOf([], { history, current: [user('more')], text: 'more', replayed: 5 });
    expect(contents).toEqual([say('q'), reply('so', fc('a')), say(fr('A')), reply('done'), say('more')]);
    expect(losses).toEqual([]);
  });
});
