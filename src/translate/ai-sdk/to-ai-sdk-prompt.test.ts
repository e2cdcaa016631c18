import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { CallOutputInput, ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import { createAiSdkProfile } from './ai-sdk-profile.ts';
import { encodeAiSdkState, type AiSdkState } from './ai-sdk-state.ts';
import { toAiSdkRequest } from './to-ai-sdk-request.ts';

function promptOf(input: readonly InputItem[], change: Partial<ModelRequest> = {}, provider = 'fake.chat') {
  const profile = createAiSdkProfile(provider, 'fake');
  const options = { profile, acceptsUrl: (_type: string, url: string) => url.startsWith('https://ok.example') };
  const { value, losses } = toAiSdkRequest(plainRequest('m', 'x', { input, ...change }), options);
  return { prompt: value.prompt, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

const text = (value: string): ContentPart => ({ type: 'text', text: value, path: 'p' });
const message = (role: 'system' | 'developer' | 'user' | 'assistant', ...content: ContentPart[]): InputItem => ({
  ...{ type: 'message', role, content, path: role },
});
const call = (callId: string, args = '{"x":1}'): InputItem => ({
  type: 'call',
  callId,
  name: 'get',
  arguments: args,
  path: callId,
});
const output = (callId: string, change: Partial<CallOutputInput> = {}): InputItem => ({
  ...{ type: 'call-output', callId, name: 'get', content: [text(`of ${callId}`)], path: `of ${callId}` },
  ...change,
});
const thought = (state: AiSdkState, model = 'm', said = ''): InputItem => ({
  ...{ type: 'reasoning', text: said, state: encodeAiSdkState(model, state), path: 'thought' },
});
const image: ContentPart = {
  ...{ type: 'image', source: { type: 'data', mediaType: 'image/png', base64: 'AAAA' }, detail: null, path: 'image' },
};
const result = (id: string, value: string, type = 'text') => ({
  ...{ type: 'tool-result', toolCallId: id, toolName: 'get', output: { type, value } },
});
const meta = { fake: { signature: 's' } };

describe('messages', () => {
  test('system texts are one at the beginning; one that stood elsewhere is told', () => {
    const input = [message('developer', text('b')), message('user', text('Hi')), message('system', text('c'))];
    expect(promptOf(input, { instructions: 'a' })).toEqual({
      prompt: [
        { role: 'system', content: 'a\n\nb\n\nc' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      ],
      losses: ['system approximated'],
    });
  });

  test('somebody has to say something', () => {
    expect(promptOf([], { instructions: 'a' })).toMatchObject({
      prompt: [{ role: 'system' }, { role: 'user' }],
      losses: ['input emulated'],
    });
  });

  test('what the model did is one message, and the outputs of its calls follow it in their order', () => {
    const input = [
      message('user', text('a')),
      message('assistant', text('b')),
      call('1'),
      call('2', ''),
      output('2'),
      output('1', { isError: true }),
    ];
    expect(promptOf([...input, message('user', text('c')), message('user', text('d'))])).toEqual({
      prompt: [
        { role: 'user', content: [{ type: 'text', text: 'a' }] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'b' },
            { type: 'tool-call', toolCallId: '1', toolName: 'get', input: { x: 1 } },
            { type: 'tool-call', toolCallId: '2', toolName: 'get', input: {} },
          ],
        },
        { role: 'tool', content: [result('1', 'of 1', 'error-text'), result('2', 'of 2')] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'c' },
            { type: 'text', text: 'd' },
          ],
        },
      ],
      losses: [],
    });
  });

  test('arguments that are no object are wrapped', () => {
    const { prompt, losses } = promptOf([message('user', text('a')), call('1', '[1]'), output('1')]);
    expect(prompt[1]).toMatchObject({ content: [{ input: { arguments: '[1]' } }] });
    expect(losses).toEqual(['1.arguments approximated']);
  });

  test('Mistral gets ids of nine letters, the same on both sides', () => {
    const { prompt } = promptOf(
      [message('user', text('a')), call('call_with_a_long_id'), output('call_with_a_long_id')],
      {},
      'mistral.chat',
    );
    const nine = expect.stringMatching(/^[a-z0-9]{9}$/) as string;
    expect(prompt.slice(1)).toMatchObject([{ content: [{ toolCallId: nine }] }, { content: [{ toolCallId: nine }] }]);
  });
});

describe('media', () => {
  const file: ContentPart = {
    ...{ type: 'file', source: { type: 'data', mediaType: 'application/pdf', base64: 'BBBB' }, filename: 'a.pdf', path: 'file' },
  };
  const linked = (url: string): ContentPart => ({ type: 'image', source: { type: 'url', url }, detail: 'high', path: 'linked' });

  test('go as files; a URL only where the provider fetches it', () => {
    const { prompt, losses } = promptOf([
      message('user', text('a'), image, file, linked('https://ok.example/a')),
      message('user', linked('https://no.example/b.png')),
    ]);
    expect(prompt).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'file', mediaType: 'image/png', data: 'AAAA' },
          { type: 'file', mediaType: 'application/pdf', data: 'BBBB', filename: 'a.pdf' },
          { type: 'file', mediaType: 'image/*', data: new URL('https://ok.example/a') },
          { type: 'text', text: '(an attachment that cannot be shown)' },
        ],
      },
    ]);
    expect(losses).toEqual(['linked.detail dropped', 'linked.detail dropped', 'linked dropped']);
    expect(promptOf([message('user', linked('https://ok.example/a.png'))], {}, 'openai.responses').prompt[0]).toMatchObject({
      content: [{ mediaType: 'image/png', providerOptions: { openai: { imageDetail: 'high' } } }],
    });
  });

  test('of a tool stand in its output where the provider takes them, else in a message of the user', () => {
    const input = [message('user', text('a')), call('1'), output('1', { content: [text('see'), image], isError: true })];
    const own = promptOf(input, {}, 'anthropic.messages');
    expect(own.prompt.at(-1)).toMatchObject({
      role: 'tool',
      content: [
        {
          output: {
            type: 'content',
            value: [
              { type: 'text', text: 'see' },
              { type: 'image-data', data: 'AAAA', mediaType: 'image/png' },
            ],
          },
        },
      ],
    });
    expect(own.losses).toEqual(['of 1 dropped']);
    const other = promptOf(input);
    expect(other.prompt.slice(-2)).toMatchObject([
      { role: 'tool', content: [{ output: { type: 'error-text', value: 'see' } }] },
      { role: 'user', content: [{ type: 'text' }, { type: 'file', data: 'AAAA' }] },
    ]);
    expect(other.losses).toEqual(['of 1 emulated']);
  });
});

describe('thinking and what else the provider wants back', () => {
  const start = message('user', text('a'));

  test('goes back to the model that made it, on what it stood', () => {
    const input = [
      start,
      thought({ reasoning: { text: 'Hm', metadata: meta } }),
      message('assistant', text('one two')),
      call('1'),
      thought({ texts: [{ start: 4, length: 3, metadata: meta }], calls: { '1': meta } }),
      output('1'),
    ];
    expect(promptOf(input)).toMatchObject({
      prompt: [
        {},
        {
          content: [
            { type: 'reasoning', text: 'Hm', providerOptions: meta },
            { type: 'text', text: 'one ' },
            { type: 'text', text: 'two', providerOptions: meta },
            { type: 'tool-call', providerOptions: meta },
          ],
        },
        {},
      ],
      losses: [],
    });
  });

  test('of another model or protocol is a loss; its text is just text', () => {
    const foreign: InputItem = {
      type: 'reasoning',
      text: 'Hm',
      state: { format: 'gemini', model: 'm', data: {} },
      path: 'foreign',
    };
    const bound = thought({ reasoning: { text: 'Hm', metadata: meta } }, 'other', 'Hm');
    for (const item of [foreign, bound]) {
      const { prompt, losses } = promptOf([start, item, message('assistant', text('b'))]);
      expect(prompt[1]).toEqual({
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm' },
          { type: 'text', text: 'b' },
        ],
      });
      expect(losses).toEqual([`${item.path} dropped`]);
    }
    expect(promptOf([start, thought({ reasoning: { text: 'Hm' } }, 'other'), message('assistant', text('b'))]).losses).toEqual(
      [],
    );
  });

  test('that led to no answer has no place', () => {
    const { prompt, losses } = promptOf([start, thought({ reasoning: { text: 'Hm' } }), message('user', text('b'))]);
    expect(prompt).toHaveLength(1);
    expect(losses).toEqual(['thought dropped']);
  });

  test('a mark on a text that somebody changed is left out', () => {
    const mark = thought({ texts: [{ start: 0, length: 9, metadata: meta }] });
    expect(promptOf([start, message('assistant', text('short')), mark]).prompt[1]).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'short' }],
    });
  });
});
