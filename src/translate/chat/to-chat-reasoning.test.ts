import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { ReasoningState } from '../../model/reasoning-state.ts';
import type { ChatRequest } from '../../protocol/chat/request.ts';
import { createChatProfile, type ChatVendor } from './chat-profile.ts';
import { toReasoningState } from './chat-reasoning-state.ts';
import { toChatRequest } from './to-chat-request.ts';

const empty = plainRequest('m', '', { stream: false });

type Role = 'system' | 'developer' | 'user' | 'assistant';
const text = (value: string): ContentPart => ({ type: 'text', text: value, path: 'p' });
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
const thought = (value: string, state: ReasoningState | null = null): InputItem => ({
  type: 'reasoning',
  text: value,
  state,
  path: 'thought',
});

function translate(vendor: ChatVendor, members: Partial<ModelRequest>): { body: ChatRequest; losses: string[] } {
  const profile = createChatProfile({ baseUrl: 'https://example.com/v1', vendor });
  const { value, losses } = toChatRequest({ ...empty, ...members }, profile);
  return { body: value, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

function messagesOf(vendor: ChatVendor, input: InputItem[], members: Partial<ModelRequest> = {}): ChatRequest['messages'] {
  return translate(vendor, { input, ...members }).body.messages;
}

describe('reasoning goes back as each server wants it', () => {
  const plain = toReasoningState('m', { text: 'hmm' });
  const turns = [
    message('user', 'a'),
    thought('', plain),
    call('c'),
    output('c', 'x'),
    thought('', plain),
    message('assistant', 'b'),
  ];
  const fieldsOf = (vendor: ChatVendor, input: InputItem[], model = 'm'): unknown[] =>
    messagesOf(vendor, input, { model }).flatMap((one) =>
      one.role === 'assistant'
        ? [
            {
              ...(one.reasoning_content !== undefined && { c: one.reasoning_content }),
              ...(one.reasoning !== undefined && { r: one.reasoning }),
            },
          ]
        : [],
    );

  test('DeepSeek: R1 never, V3.2 within the turn, V4 on every message', () => {
    const old = [...turns, message('user', 'next'), message('assistant', 'plain')];
    expect(fieldsOf('deepseek', turns, 'deepseek-r1')).toEqual([{}, {}]);
    expect(fieldsOf('deepseek', turns, 'deepseek-v3.2')).toEqual([{ c: 'hmm' }, { c: 'hmm' }]);
    expect(fieldsOf('deepseek', old, 'deepseek-v3.2')).toEqual([{}, {}, {}]);
    expect(fieldsOf('deepseek', old, 'deepseek-reasoner')).toEqual([{ c: 'hmm' }, { c: 'hmm' }, { c: '' }]);
  });

  test('Ollama takes `reasoning`, OpenAI and unknown servers take nothing', () => {
    expect(fieldsOf('ollama', turns)).toEqual([{ r: 'hmm' }, { r: 'hmm' }]);
    expect(fieldsOf('openai', turns)).toEqual([{}, {}]);
    expect(fieldsOf('generic', turns)).toEqual([{}, {}]);
  });

  test('Mistral takes thinking parts', () => {
    expect(messagesOf('mistral', [thought('hmm'), message('assistant', 'b'), message('user', 'c')])[0]).toEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'hmm' }], closed: true },
        { type: 'text', text: 'b' },
      ],
    });
  });

  test('OpenRouter details go back unmodified, only to the model that made them', () => {
    const details = [
      { type: 'reasoning.text', text: 't', signature: 's', index: 0, odd: [1] },
      { type: 'reasoning.encrypted', data: 'd', id: 'e' },
    ];
    const input = [thought('', toReasoningState('m', { details })), call('c'), output('c', 'x')];
    expect(messagesOf('openrouter', input)[0]).toMatchObject({ reasoning_details: details });
    const other = translate('openrouter', { input, model: 'other' });
    expect(other.body.messages[0]).not.toHaveProperty('reasoning_details');
    expect(other.losses).toEqual(['thought dropped']);
  });

  test('signatures of calls go back with their call, also for servers without a reasoning field', () => {
    const extra = { google: { thought_signature: 's' } };
    const state = toReasoningState('m', { calls: { c: extra }, message: extra });
    expect(messagesOf('generic', [thought('', state), call('c'), output('c', 'x')])[0]).toMatchObject({
      extra_content: extra,
      tool_calls: [{ id: 'c', extra_content: extra }],
    });
  });

  test('state of another protocol is a loss; its text is still text', () => {
    const foreign = { format: 'gemini', model: 'm', data: { signature: 's' } };
    const { body, losses } = translate('ollama', { input: [thought('summary', foreign), message('assistant', 'b')] });
    expect(body.messages).toEqual([{ role: 'assistant', content: 'b', reasoning: 'summary' }]);
    expect(losses).toEqual(['thought dropped']);
  });
});
