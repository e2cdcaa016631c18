import { expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { InputItem, MessageInput, ModelRequest } from '../../model/model-request.ts';
import { encodeRedactedThinking, encodeThinking } from './anthropic-thinking-state.ts';
import { toAnthropicRequest } from './to-anthropic-request.ts';

const model = 'claude-sonnet-4-5';

function message(role: MessageInput['role'], text: string, path = 'input[0]'): InputItem {
  return { type: 'message', role, content: [{ type: 'text', text, path }], path };
}

function call(callId: string, args = '{}', path = 'input[1]'): InputItem {
  return { type: 'call', callId, name: 'f', arguments: args, path };
}

function output(callId: string, text: string, isError = false): InputItem {
  const content = text === '' ? [] : [{ type: 'text' as const, text, path: 'input[2].output' }];
  return { type: 'call-output', callId, name: 'f', content, path: 'input[2]', ...(isError && { isError: true as const }) };
}

function translate(input: readonly InputItem[], change: Partial<ModelRequest> = {}) {
  const request = plainRequest(model, '', { input, ...change });
  const { value, losses } = toAnthropicRequest(request, { marksCache: false });
  return { ...value.body, losses };
}

test('instructions and leading system messages are system text; one in the middle is a marked text at its place', () => {
  const { system, messages, losses } = translate(
    [
      message('system', 'one'),
      message('developer', 'two'),
      message('user', 'hi'),
      message('system', 'three', 'input[3]'),
      message('user', 'go on'),
    ],
    { instructions: 'zero' },
  );
  expect(system).toEqual(['zero', 'one', 'two'].map((text) => ({ type: 'text', text })));
  const texts = ['hi', '<system>\nthree\n</system>', 'go on'];
  expect(messages).toEqual([{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }]);
  expect(losses).toMatchObject([{ path: 'input[3]', action: 'emulated' }]);
});

test('parallel calls get all their results in one user message, in the order of the calls, before other text', () => {
  const { messages } = translate([
    message('user', 'hi'),
    message('assistant', 'I look.'),
    call('call.a', '{"x":1}'),
    call('call_b', ''),
    output('call_b', 'B'),
    message('user', 'meanwhile'),
    output('call.a', '', true),
  ]);
  const [, assistant, user] = messages;
  const ids = assistant?.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
  expect(ids).toEqual([expect.stringMatching(/^toolu_[a-z0-9]+$/), 'call_b']);
  expect(assistant?.content[0]).toEqual({ type: 'text', text: 'I look.' });
  expect(assistant?.content[1]).toMatchObject({ name: 'f', input: { x: 1 } });
  expect(user?.content).toEqual([
    { type: 'tool_result', tool_use_id: ids?.[0], content: 'The call failed.', is_error: true },
    { type: 'tool_result', tool_use_id: 'call_b', content: 'B' },
    { type: 'text', text: 'meanwhile' },
  ]);
});

test('a call that failed says so in words: Anthropic takes neither an empty result nor media with `is_error`', () => {
  const image = { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' }, detail: null, path: 'p' } as const;
  const failed: InputItem = {
    ...{ type: 'call-output', callId: 'call_1', name: 'f', path: 'input[2]', isError: true },
    content: [{ type: 'text', text: 'no', path: 'p' }, image],
  };
  const { messages, losses } = translate([message('user', 'hi'), call('call_1'), failed]);
  expect(messages.at(-1)?.content).toEqual([
    {
      type: 'tool_result',
      tool_use_id: 'call_1',
      content: [
        { type: 'text', text: 'The call failed.' },
        { type: 'text', text: 'no' },
        { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } },
      ],
    },
  ]);
  expect(losses).toMatchObject([{ path: 'input[2]', action: 'emulated' }]);
});

test('ids that were used twice are told apart', () => {
  const turn = [call('call_1'), output('call_1', 'first'), call('call_1'), output('call_1', 'second')];
  const { messages } = translate([message('user', 'hi'), ...turn]);
  const uses = messages.flatMap(({ content }) => content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])));
  const results = messages.flatMap(({ content }) =>
    content.flatMap((block) => (block.type === 'tool_result' ? [[block.tool_use_id, block.content]] : [])),
  );
  expect(new Set(uses).size).toBe(2);
  expect(results).toEqual([
    [uses[0], 'first'],
    [uses[1], 'second'],
  ]);
});

test('signed thinking of this model goes back first and unchanged; all other thinking is dropped with a loss', () => {
  const signed = encodeThinking(model, { thinking: 'Hm. ', signature: 'SIG' });
  const redacted = encodeRedactedThinking(model, 'XXX');
  const foreign = { ...signed, model: 'claude-opus-4-5' };
  const reasoning = (state: typeof signed | null, at: number): InputItem => ({
    type: 'reasoning',
    text: 'what the client made of it',
    state,
    path: `input[${String(at)}]`,
  });
  const { messages, losses } = translate([
    message('user', 'hi'),
    reasoning(signed, 1),
    reasoning(redacted, 2),
    reasoning(foreign, 3),
    reasoning(null, 4),
    call('call_1'),
    output('call_1', 'ok'),
  ]);
  expect(messages[1]?.content).toMatchObject([
    { type: 'thinking', thinking: 'Hm. ', signature: 'SIG' },
    { type: 'redacted_thinking', data: 'XXX' },
    { type: 'tool_use' },
  ]);
  expect(losses.map(({ path }) => path)).toEqual(['input[3]', 'input[4]']);
});

test('thinking that led to nothing is left out with a loss, and the roles still alternate', () => {
  const state = encodeThinking(model, { thinking: 'Hm.', signature: 'SIG' });
  const { messages, losses } = translate([
    message('user', 'hi'),
    { type: 'reasoning', text: 'Hm.', state, path: 'input[1]' },
    message('user', 'well?'),
  ]);
  expect(messages).toMatchObject([{ role: 'user', content: [{ text: 'hi' }, { text: 'well?' }] }]);
  expect(losses).toHaveLength(1);
});

test('a history that ends with the model: a beginning of the answer where the model takes one, else a request to go on', () => {
  const input = [message('user', 'hi'), message('assistant', 'I think that \n')];
  expect(translate(input).messages.at(-1)).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'I think that' }] });
  const newer = translate(input, { model: 'claude-opus-5' });
  expect(newer.messages.at(-1)).toMatchObject({ role: 'user', content: [{ text: 'Continue.' }] });
  expect(newer.losses).toMatchObject([{ path: 'input', action: 'emulated' }]);
  expect(translate(input, { reasoning: { effort: 'low', summary: null } }).messages.at(-1)?.role).toBe('user');
});

test('a history that begins with the model, or holds only blank texts, gets a message of the user', () => {
  const { messages, losses } = translate([message('assistant', 'Hello!'), message('user', ' \n ')]);
  expect(messages[0]).toEqual({ role: 'user', content: [{ type: 'text', text: '(no message)' }] });
  expect(losses).toMatchObject([{ path: 'input', action: 'emulated' }]);
  expect(translate([message('system', 'only rules')]).messages).toHaveLength(1);
});

test('arguments that are no object are wrapped, with a loss', () => {
  const { messages, losses } = translate([message('user', 'hi'), call('call_1', '[1]'), output('call_1', 'ok')]);
  expect(messages[1]?.content[0]).toMatchObject({ input: { arguments: '[1]' } });
  expect(losses).toMatchObject([{ path: 'input[1].arguments', action: 'approximated' }]);
});

test('images and documents, inline and by address, also in results', () => {
  const path = 'input[0].content[1]';
  const data = (mediaType: string, text: string) => ({ type: 'data' as const, mediaType, base64: btoa(text) });
  const media = [
    { type: 'image' as const, source: data('image/jpg', 'JPG'), detail: null, path },
    { type: 'image' as const, source: { type: 'url' as const, url: 'https://x.example/a.png' }, detail: null, path },
    { type: 'file' as const, source: data('application/pdf', 'PDF'), filename: 'a.pdf', path },
    { type: 'file' as const, source: data('application/json', '{"a":1}'), filename: null, path },
    { type: 'file' as const, source: { type: 'url' as const, url: 'https://x.example/a.pdf' }, filename: null, path },
    { type: 'image' as const, source: data('image/tiff', 'TIFF'), detail: null, path },
    { type: 'file' as const, source: data('audio/wav', 'RIFF'), filename: null, path },
  ];
  const wanted = [
    { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: btoa('JPG') } },
    { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: btoa('PDF') }, title: 'a.pdf' },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '{"a":1}' } },
    { type: 'document', source: { type: 'url', url: 'https://x.example/a.pdf' } },
  ];
  const said = translate([{ type: 'message', role: 'user', content: media, path: 'input[0]' }]);
  expect(said.messages[0]?.content).toEqual(wanted);
  expect(said.losses.map(({ action }) => action)).toEqual(['dropped', 'dropped']);
  const result: InputItem = { type: 'call-output', callId: 'c', name: 'f', content: media, path: 'input[2]' };
  const returned = translate([message('user', 'hi'), call('c'), result]);
  expect(returned.messages[2]?.content).toEqual([{ type: 'tool_result', tool_use_id: 'c', content: wanted }]);
});
