import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { toChatRequest } from './to-chat-request.ts';

const empty = plainRequest('m', '', { stream: false });

type Role = 'system' | 'developer' | 'user' | 'assistant';
const text = (value: string): ContentPart => ({ type: 'text', text: value, path: 'p' });
const image = (url: string): ContentPart => ({ type: 'image', source: { type: 'url', url }, detail: null, path: 'image' });
const picture: ContentPart = {
  type: 'image',
  source: { type: 'data', mediaType: 'image/png', base64: 'AAAA' },
  detail: 'original',
  path: 'picture',
};
const file = (mediaType: string, base64: string): ContentPart => ({
  type: 'file',
  source: { type: 'data', mediaType, base64 },
  filename: 'f.x',
  path: 'file',
});
const message = (role: Role, ...content: (string | ContentPart)[]): InputItem => ({
  type: 'message',
  role,
  content: content.map((part) => (typeof part === 'string' ? text(part) : part)),
  path: `${role}-message`,
});
const call = (callId: string, args = '{"x":1}'): InputItem => ({
  type: 'call',
  callId,
  name: 'get',
  arguments: args,
  path: 'call',
});
const output = (callId: string, ...content: (string | ContentPart)[]): InputItem => ({
  type: 'call-output',
  callId,
  name: 'get',
  content: content.map((part) => (typeof part === 'string' ? text(part) : part)),
  path: 'output',
});

function translate(vendor: ChatVendor, members: Partial<ModelRequest>): { body: ChatRequest; losses: string[] } {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor });
  const { value, losses } = toChatRequest({ ...empty, ...members }, profile);
  return { body: value, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

function messagesOf(vendor: ChatVendor, input: InputItem[], members: Partial<ModelRequest> = {}): ChatRequest['messages'] {
  return translate(vendor, { input, ...members }).body.messages;
}

describe('the order of messages', () => {
  const history = [
    message('developer', 'Be brief.'),
    message('user', 'a'),
    message('system', 'Now in French.'),
    message('user', 'b'),
  ];

  test('strict templates get something of the user where there is only system text', () => {
    const onlySystem = { input: [message('developer', 'Be brief.')], instructions: 'Help.' };
    const { body, losses } = translate('generic', onlySystem);
    expect(body.messages).toEqual([
      { role: 'system', content: 'Help.\n\nBe brief.' },
      { role: 'user', content: ' ' },
    ]);
    expect(losses).toEqual(['input emulated']);
    expect(translate('openai', onlySystem)).toMatchObject({
      body: { messages: [{ role: 'system' }, { role: 'developer' }] },
      losses: [],
    });
  });

  test('no server gets a conversation without messages', () => {
    for (const vendor of ['generic', 'openai'] as const)
      expect(translate(vendor, { input: [] })).toMatchObject({
        body: { messages: [{ role: 'user', content: ' ' }] },
        losses: ['input emulated'],
      });
  });

  test('OpenAI keeps system and developer messages where they are', () => {
    expect(messagesOf('openai', history, { instructions: 'Help.' })).toEqual([
      { role: 'system', content: 'Help.' },
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'a' },
      { role: 'system', content: 'Now in French.' },
      { role: 'user', content: 'b' },
    ]);
  });

  test('others get one system message at the beginning and no two user messages in a row', () => {
    const { body, losses } = translate('generic', { input: history, instructions: 'Help.' });
    expect(body.messages).toEqual([
      { role: 'system', content: 'Help.\n\nBe brief.\n\nNow in French.' },
      { role: 'user', content: 'a\n\nb' },
    ]);
    expect(losses).toEqual(['system-message approximated']);
  });

  test('calls in a row are one assistant message with the text before them, outputs follow in their order', () => {
    const input = [
      message('user', 'a'),
      message('assistant', 'Let me see.'),
      call('c1'),
      call('c2'),
      output('c2', 'two'),
      message('user', 'hurry'),
      output('c1', 'one', 'more'),
    ];
    expect(messagesOf('generic', input)).toEqual([
      { role: 'user', content: 'a' },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'get', arguments: '{"x":1}' } },
          { id: 'c2', type: 'function', function: { name: 'get', arguments: '{"x":1}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'one\n\nmore' },
      { role: 'tool', tool_call_id: 'c2', content: 'two' },
      { role: 'user', content: 'hurry' },
    ]);
  });

  test('steps of a loop stay steps; ids that come again and ids that are too long are replaced', () => {
    const long = `call_${'x'.repeat(50)}`;
    const messages = messagesOf('openai', [
      call('0'),
      output('0', 'a'),
      call('0'),
      output('0', 'b'),
      call(long),
      output(long, 'c'),
    ]);
    const ids = messages.flatMap((one) =>
      one.role === 'tool' ? [one.tool_call_id] : one.role === 'assistant' ? [one.tool_calls?.[0]?.id] : [],
    );
    expect(ids).toEqual([
      '0',
      '0',
      expect.stringMatching(/^call_\w{10}$/),
      ids[2],
      expect.stringMatching(/^call_\w{10}$/),
      ids[4],
    ]);
    expect(new Set(ids).size).toBe(3);
    expect(messages.map(({ content }) => content)).toEqual([null, 'a', null, 'b', null, 'c']);
  });

  test('Mistral: nine-character ids, names, an assistant between tool and user, a prefix at the end', () => {
    const messages = messagesOf('mistral', [
      call('call_abc'),
      output('call_abc', 'one'),
      message('user', 'b'),
      message('assistant', 'Well'),
    ]);
    const id = expect.stringMatching(/^[a-zA-Z0-9]{9}$/) as string;
    expect(messages).toEqual([
      { role: 'assistant', content: '', tool_calls: [{ id, type: 'function', function: { name: 'get', arguments: '{"x":1}' } }] },
      { role: 'tool', tool_call_id: id, name: 'get', content: 'one' },
      { role: 'assistant', content: 'OK.' },
      { role: 'user', content: 'b' },
      { role: 'assistant', content: 'Well', prefix: true },
    ]);
    expect(messages.at(1)).toMatchObject({
      tool_call_id: messages[0]?.role === 'assistant' ? messages[0].tool_calls?.[0]?.id : '',
    });
  });

  test('arguments of the history are a JSON object for servers that parse them', () => {
    const argumentsOf = (vendor: ChatVendor, args: string): unknown => {
      const [first] = messagesOf(vendor, [call('c', args), output('c', '')]);
      return first?.role === 'assistant' ? first.tool_calls?.[0]?.function.arguments : undefined;
    };
    expect(argumentsOf('ollama', '')).toBe('{}');
    expect(argumentsOf('ollama', '{"a":')).toBe('{"arguments":"{\\"a\\":"}');
    expect(argumentsOf('ollama', '{"a":1}')).toBe('{"a":1}');
    expect(argumentsOf('openai', '{"a":')).toBe('{"a":');
  });

  test('a refusal keeps its field at OpenAI and is text elsewhere', () => {
    const input = [message('assistant', { type: 'refusal', text: 'No.', path: 'p' })];
    expect(messagesOf('openai', input)).toEqual([{ role: 'assistant', content: null, refusal: 'No.' }]);
    expect(messagesOf('vllm', input)).toEqual([{ role: 'assistant', content: 'No.' }]);
  });
});

describe('images and files', () => {
  test('parts only where they are needed; remote URLs only to servers that fetch', () => {
    const input = [message('user', 'What is', image('https://example.com/a.png'))];
    expect(messagesOf('openai', input)).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      },
    ]);
    const local = translate('ollama', { input });
    expect(local.body.messages).toEqual([{ role: 'user', content: 'What is' }]);
    expect(local.losses).toEqual(['image dropped']);
  });

  test('a local server of any dialect is never given a URL', () => {
    const profile = createChatProfile({ baseUrl: 'http://192.168.1.5:9000/v1', vendor: 'openai' });
    const { value, losses } = toChatRequest({ ...empty, input: [message('user', image('http://10.0.0.1/'))] }, profile);
    expect(JSON.stringify(value)).not.toContain('10.0.0.1');
    expect(losses).toMatchObject([{ path: 'image', action: 'dropped' }]);
  });

  test('data URLs and detail', () => {
    const { body, losses } = translate('openai', { input: [message('user', picture)] });
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'high' } }] },
    ]);
    expect(losses).toEqual(['picture.detail approximated']);
    expect(translate('deepseek', { input: [message('user', picture)] }).losses).toEqual(['picture dropped']);
  });

  test.each([
    ['low', ['picture.detail dropped']],
    ['high', ['picture.detail dropped']],
    ['original', ['picture.detail dropped']],
    ['auto', []],
    [null, []],
  ])('detail %s on a server that has none', (detail, losses) => {
    const translated = translate('generic', { input: [message('user', { ...picture, detail })] });
    expect(translated.losses).toEqual(losses);
    expect(JSON.stringify(translated.body)).not.toContain('detail');
  });

  test('text files become text, PDFs what the server takes, the rest is lost', () => {
    const plain = file('text/csv', btoa('a,b'));
    expect(messagesOf('ollama', [message('user', plain)])).toEqual([
      { role: 'user', content: '<file name="f.x">\na,b\n</file>' },
    ]);
    const pdf = file('application/pdf', 'AAAA');
    expect(messagesOf('openrouter', [message('user', pdf)])).toEqual([
      { role: 'user', content: [{ type: 'file', file: { filename: 'f.x', file_data: 'data:application/pdf;base64,AAAA' } }] },
    ]);
    expect(messagesOf('mistral', [message('user', pdf)])).toEqual([
      {
        role: 'user',
        content: [{ type: 'document_url', document_url: 'data:application/pdf;base64,AAAA', document_name: 'f.x' }],
      },
    ]);
    expect(translate('vllm', { input: [message('user', pdf)] }).losses).toEqual(['file dropped']);
    expect(translate('openai', { input: [message('user', file('application/zip', btoa('PK\0\xff')))] }).losses).toEqual([
      'file dropped',
    ]);
  });

  test('images in tool outputs follow in a user message', () => {
    const { body, losses } = translate('generic', { input: [call('c'), output('c', 'shot:', picture), message('user', 'And?')] });
    expect(body.messages.slice(1)).toEqual([
      { role: 'tool', tool_call_id: 'c', content: 'shot:' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What get (c) returned beside text:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'text', text: 'And?' },
        ],
      },
    ]);
    expect(losses).toEqual(['picture.detail dropped', 'picture emulated']);
  });
});
