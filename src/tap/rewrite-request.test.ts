import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../test/backend-suite.ts';
import { assistant, createTestMarks, output, tool, user } from '../../test/doubles/tap-conversation.ts';
import type { JsonObject } from '../lib/json.ts';
import type { InputItem, ModelRequest } from '../model/model-request.ts';
import { encodeThoughtState } from '../translate/gemini/thought-state.ts';
import { rewriteRequest } from './rewrite-request.ts';
import { spanOfTurn } from './rewrite/span-of-turn.ts';

const model = 'gemini-3-flash';
const marks = createTestMarks();
const own = { functionDeclarations: [{ name: 'view_file', description: 'd' }] };

function session(inheritedItems: number): Pick<ModelRequest, 'session'> {
  return { session: { owner: 'o', responseId: 'r', previousResponseId: null, conversation: null, inheritedItems } };
}

function call(callId: string, name = 'f'): InputItem {
  return { type: 'call', callId, name, arguments: `{"id":"${callId}"}`, path: 'c' };
}

function signed(callId: string): InputItem {
  const state = encodeThoughtState(model, { textLength: 0, entries: [{ on: 'call', callId, signature: `sig-${callId}` }] });
  return { type: 'reasoning', text: '', state, path: 'r' };
}

/** The marked text of a turn. */
function say(turn: string, request: ModelRequest, parts: { replayed?: number; block?: string; text: string }): string {
  const { span, isNeeded } = spanOfTurn(request, parts.replayed ?? 0);
  return marks.writeText(turn, { span: isNeeded ? span : null, block: parts.block ?? '', text: parts.text });
}

function rewrite(turn: string, request: ModelRequest, body: JsonObject, ownTools: 'keep' | 'drop' = 'keep') {
  const rewritten = rewriteRequest({ tools: [own], ...body }, { turn, request, plannedModel: request.model, ownTools, marks });
  expect(JSON.stringify(rewritten.body)).not.toContain('antiphon');
  return rewritten;
}

function contentsOf(turn: string, request: ModelRequest, contents: readonly unknown[]): unknown {
  return rewrite(turn, request, { contents }).body['contents'];
}

const turn = marks.newTurn();
const said = (text: string) => ({ role: 'user', parts: [{ text }] });
const answered = (...callIds: readonly string[]) => ({
  role: 'model',
  parts: callIds.map((id) => ({ text: marks.writeCallMark(id) })),
});
const fc = (id: string, signature?: string) => ({
  functionCall: { name: 'f', args: { id } },
  ...(signature !== undefined && { thoughtSignature: signature }),
});
const fr = (result: string) => ({ functionResponse: { name: 'f', response: { result } } });

describe('the user’s text', () => {
  const request = plainRequest(model, 'hi');

  test.each([
    ['as it was sent', (text: string) => [text], ['hi\n  there']],
    ['with CRLF', (text: string) => [text.replaceAll('\n', '\r\n')], ['hi\r\n  there']],
    ['in a template', (text: string) => [`<ask>\n${text}\n</ask>`], ['<ask>\nhi\n  there\n</ask>']],
    ['in several parts', (text: string) => ['<ask>', text, '</ask>'], ['<ask>', 'hi\n  there', '</ask>']],
    ['collapsed', (text: string) => [text.replace(/\s+/g, ' ')], ['hi there']],
  ])('%s is what the client wrote', (_, change, texts) => {
    const parts = change(say(turn, request, { text: 'hi\n  there' })).map((text) => ({ text }));
    expect(contentsOf(turn, request, [{ role: 'user', parts }])).toEqual([
      { role: 'user', parts: texts.map((text) => ({ text })) },
    ]);
  });

  test('an empty one leaves a blank: Gemini wants a content', () => {
    expect(contentsOf(turn, request, [said(say(turn, request, { text: '' }))])).toEqual([said(' ')]);
  });

  test('a body without the mark of the turn stays as it is', () => {
    const body = { contents: [said('hi')], tools: [own] };
    expect(rewriteRequest(body, { turn, request, plannedModel: model, ownTools: 'drop', marks }).body).toBe(body);
  });

  test('marks go from every string of the body', () => {
    const mark = marks.writeTurnMark(marks.newTurn());
    const body = {
      contents: [
        { role: 'user', parts: [{ functionResponse: { name: 'x', response: { text: `a${mark}\nb` } } }] },
        said(say(turn, request, { text: 'hi' })),
      ],
      systemInstruction: { parts: [{ text: `known: ${mark}` }] },
      labels: { last: [mark] },
    };
    expect(rewrite(turn, request, body).body).toMatchObject({
      contents: [{ parts: [{ functionResponse: { response: { text: 'ab' } } }] }, said('hi')],
      systemInstruction: { parts: [{ text: 'known: ' }] },
      labels: { last: [''] },
    });
  });
});

describe('tool exchanges', () => {
  const input = [user('q'), signed('a'), call('a'), call('b'), output('b', 'f', 'B'), output('a', 'f', 'A')];
  const request = plainRequest(model, '', { input, ...session(4) });
  const results = said(say(turn, request, { block: '[result of f]\nA', text: '' }));
  const native = [said('q'), { role: 'model', parts: [fc('a', 'sig-a'), fc('b')] }, { role: 'user', parts: [fr('A'), fr('B')] }];

  test('call marks become calls, outputs come first in the next content and in the order of the calls', () => {
    expect(contentsOf(turn, request, [said('q'), answered('a', 'b'), results])).toEqual(native);
  });

  test('marks that the agent server put together into one text are the same', () => {
    const joined = { role: 'model', parts: [{ text: `let me see${marks.writeCallMark('a')}${marks.writeCallMark('b')}` }] };
    const [asked, calls, outputs] = native;
    const parts = [{ text: 'let me see' }, ...(calls?.parts ?? [])];
    expect(contentsOf(turn, request, [said('q'), joined, results])).toEqual([asked, { role: 'model', parts }, outputs]);
  });

  test.each([
    ['one mark', [answered('a')]],
    ['the other mark', [answered('b')]],
    ['every mark', [said('x')].slice(1)],
  ])('nothing is lost when the agent server lost %s', (_, between) => {
    expect(contentsOf(turn, request, [said('q'), ...between, results])).toEqual(native);
  });

  test('a lost exchange joins what the model said before it', () => {
    const { parts } = native[1] ?? {};
    expect(contentsOf(turn, request, [said('q'), { role: 'model', parts: [{ text: 'hm' }] }, results])).toEqual([
      said('q'),
      { role: 'model', parts: [{ text: 'hm' }, ...(parts ?? [])] },
      native[2],
    ]);
  });

  test('the mark of a call that the client’s history does not have is removed', () => {
    expect(contentsOf(turn, request, [said('q'), answered('zz'), answered('a', 'zz', 'b'), results])).toEqual(native);
  });

  test('responses of the agent’s own calls stand among them, the closing text of the tap is gone', () => {
    const view = { functionCall: { name: 'view_file', args: {} }, thoughtSignature: 'own-sig' };
    const viewed = { functionResponse: { name: 'view_file', response: {} } };
    const step = { role: 'model', parts: [{ text: marks.writeCallMark('a') }, view, { text: marks.writeCallMark('b') }] };
    const closing = { role: 'model', parts: [{ text: marks.writeTurnMark(marks.newTurn()) }] };
    const text = said(`<t>${say(turn, request, { block: 'B', text: 'go on' })}</t>`);
    expect(contentsOf(turn, request, [said('q'), step, { role: 'user', parts: [viewed] }, closing, text])).toEqual([
      said('q'),
      { role: 'model', parts: [fc('a', 'sig-a'), view, fc('b')] },
      { role: 'user', parts: [fr('A'), viewed, fr('B'), { text: '<t>go on</t>' }] },
    ]);
  });

  test('an id that comes again stands for the later call', () => {
    const twice = [...input, signed('a'), { ...call('a'), arguments: '{"id":"2"}' }, output('a', 'f', 'A2')] as InputItem[];
    const later = plainRequest(model, '', { input: twice, ...session(8) });
    const text = said(say(turn, later, { block: 'x', text: '' }));
    expect(contentsOf(turn, later, [said('q'), answered('a', 'b'), answered('a'), text])).toMatchObject([
      said('q'),
      { role: 'model', parts: [fc('a', 'sig-a'), fc('b')] },
      { role: 'user', parts: [fr('A'), fr('B')] },
      { role: 'model', parts: [{ functionCall: { args: { id: '2' } } }] },
      { role: 'user', parts: [fr('A2')] },
    ]);
  });

  test('a call without a signature gets the documented stand-in, and the loss is told', () => {
    const bare = plainRequest(model, '', { input: [user('q'), call('a'), output('a', 'f', 'A')], ...session(2) });
    const { body, losses } = rewrite(turn, bare, {
      contents: [said('q'), answered('a'), said(say(turn, bare, { block: 'x', text: '' }))],
    });
    expect(body['contents']).toMatchObject([{}, { parts: [fc('a', 'skip_thought_signature_validator')] }, {}]);
    expect(losses).toMatchObject([{ path: 'c', action: 'approximated' }]);
  });

  test('a call without a signature gets it also where the agent server’s template stands beside the output', () => {
    const bare = plainRequest(model, '', { input: [user('q'), call('a'), output('a', 'f', 'A')], ...session(2) });
    const text = said(`<t>${say(turn, bare, { block: 'x', text: '' })}</t>`);
    expect(contentsOf(turn, bare, [said('q'), answered('a'), text])).toMatchObject([
      {},
      { parts: [fc('a', 'skip_thought_signature_validator')] },
      { parts: [fr('A'), { text: '<t></t>' }] },
    ]);
  });

  test('an image in an output lies in the response, other media behind the responses', () => {
    const image = (mediaType: string) =>
      ({ type: 'image', source: { type: 'data', mediaType, base64: 'AAAA' }, detail: null, path: 'i' }) as const;
    const shown: InputItem = {
      type: 'call-output',
      callId: 'a',
      name: 'f',
      content: [image('image/png'), image('image/gif')],
      path: 'o',
    };
    const media = plainRequest(model, '', { input: [user('q'), signed('a'), call('a'), shown], ...session(3) });
    const text = said(say(turn, media, { block: 'x', text: 'so?' }));
    expect(contentsOf(turn, media, [said('q'), answered('a'), text])).toMatchObject([
      {},
      {},
      {
        parts: [
          { functionResponse: { parts: [{ inlineData: { mimeType: 'image/png' } }] } },
          { inlineData: { mimeType: 'image/gif' } },
          { text: 'so?' },
        ],
      },
    ]);
  });
});

describe('replayed history', () => {
  const input = [user('q'), signed('a'), call('a'), output('a', 'f', 'A'), assistant('done'), user('more')];
  const request = plainRequest(model, '', { input, ...session(0) });
  const text = say(turn, request, { replayed: 4, block: '[user]\nq\n[assistant]\ndone', text: 'more' });
  const native = [
    said('q'),
    { role: 'model', parts: [fc('a', 'sig-a')] },
    { role: 'user', parts: [fr('A')] },
    { role: 'model', parts: [{ text: 'done' }] },
  ];

  test('stands before the content that the block was in, and the words around the text stay', () => {
    expect(contentsOf(turn, request, [said(`<ask>\n${text}\n</ask>`)])).toEqual([...native, said('<ask>\nmore\n</ask>')]);
  });

  test('joins what the agent server says before it', () => {
    expect(contentsOf(turn, request, [said('today is Monday'), said(text)])).toEqual([
      { role: 'user', parts: [{ text: 'today is Monday' }, { text: 'q' }] },
      ...native.slice(1),
      said('more'),
    ]);
  });

  test('is expanded again in every later turn of the cascade, once', () => {
    const later = plainRequest(model, '', { input: [...input, assistant('ok'), user('last')], ...session(7) });
    const next = marks.newTurn();
    const contents = [said(text), { role: 'model', parts: [{ text: 'ok' }] }, said(say(next, later, { text: 'last' }))];
    const expected = [...native, said('more'), { role: 'model', parts: [{ text: 'ok' }] }, said('last')];
    expect(contentsOf(next, later, contents)).toEqual(expected);
    expect(contentsOf(next, later, [said(text), ...contents])).toEqual([...native, said('more'), ...expected.slice(-3)]);
  });

  test('a block of another history stays the text that it is', () => {
    const other = plainRequest(model, '', { input: [user('else'), assistant('x'), user('last')], ...session(2) });
    const next = marks.newTurn();
    expect(contentsOf(next, other, [said(text), said(say(next, other, { text: 'last' }))])).toEqual([
      said('[user]\nq\n[assistant]\ndone\nmore'),
      said('last'),
    ]);
  });

  test('a block whose end is missing stays, too', () => {
    const cut = text.slice(0, text.lastIndexOf('antiphon'));
    const next = said(say(turn, plainRequest(model, 'x', session(0)), { text: 'x' }));
    expect(contentsOf(turn, request, [said(cut), next])).toEqual([said('[user]\nq\n[assistant]\ndone\n'), said('x')]);
  });

  test('a block that runs over several parts goes from all of them, media stay', () => {
    const [head = '', tail = ''] = text.split('[assistant]');
    const image = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
    const parts = [{ text: head }, image, { text: `[assistant]${tail}` }];
    expect(contentsOf(turn, request, [{ role: 'user', parts }])).toEqual([
      ...native,
      { role: 'user', parts: [image, { text: 'more' }] },
    ]);
  });

  test('begins with the user whatever comes first', () => {
    const odd = plainRequest(model, '', { input: [assistant('hello'), user('hi')], ...session(0) });
    expect(contentsOf(turn, odd, [said(say(turn, odd, { replayed: 1, block: 'x', text: 'hi' }))])).toEqual([
      said(' '),
      { role: 'model', parts: [{ text: 'hello' }] },
      said('hi'),
    ]);
  });

  test('a developer message at the end of a re-ask does not spoil later turns', () => {
    const order: InputItem = { ...user('call a tool'), role: 'developer' };
    const reask = plainRequest(model, '', { input: [...input, order], ...session(0) });
    const asked = say(turn, reask, { replayed: 4, block: 'b', text: 'more' });
    const later = plainRequest(model, '', { input: [...input, assistant('ok'), user('last')], ...session(7) });
    const next = marks.newTurn();
    const contents = [said(asked), { role: 'model', parts: [{ text: 'ok' }] }, said(say(next, later, { text: 'last' }))];
    expect(contentsOf(next, later, contents)).toMatchObject([...native, said('more'), {}, said('last')]);
  });
});

test('tools are offered by the names that fit, with a place for one more', () => {
  const request = plainRequest(model, 'hi', { tools: [tool('9-lives'), tool('view_file')] });
  const { names, ownNames } = rewrite(turn, request, { contents: [said(say(turn, request, { text: 'hi' }))] });
  expect(names.toAlias('view_file')).toMatch(/^view_file_\w{10}$/);
  expect(ownNames).toEqual(new Set(['view_file']));
});
