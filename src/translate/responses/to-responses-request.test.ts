import { describe, expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { Loss } from '../../model/loss.ts';
import type { CallOutputInput, ContentPart, InputItem, ModelRequest } from '../../model/model-request.ts';
import type { CreateResponseBody } from '../../protocol/responses/create-body.ts';
import { createResponsesProfile } from './responses-profile.ts';
import { toResponsesState } from './responses-reasoning-state.ts';
import { toResponsesRequest } from './to-responses-request.ts';

const openai = 'https://api.openai.com/v1';
const vllm = 'http://127.0.0.1:8000/v1';
const ollama = 'http://127.0.0.1:11434/v1';
const elsewhere = 'https://models.example/v1';

function translate(change: Partial<ModelRequest>, baseUrl = openai): { body: CreateResponseBody; losses: readonly Loss[] } {
  const { value, losses } = toResponsesRequest(plainRequest('gpt-5', 'Hi', change), createResponsesProfile(baseUrl));
  return { body: value, losses };
}

function paths(losses: readonly Loss[]): string[] {
  return losses.map(({ path, action }) => `${path} ${action}`);
}

const part = (text: string): ContentPart => ({ type: 'text', text, path: 'p' });
const image = (url: string): ContentPart => ({
  type: 'image',
  source: { type: 'url', url },
  detail: null,
  path: 'input[0].content[0]',
});
const user = (...content: ContentPart[]): InputItem => ({ type: 'message', role: 'user', content, path: 'input[0]' });
const assistant = (...content: ContentPart[]): InputItem => ({ type: 'message', role: 'assistant', content, path: 'input[1]' });
const thought = (sealed: string | undefined, model = 'gpt-5', content: string[] = []): InputItem => ({
  type: 'reasoning',
  text: 'hm',
  state: toResponsesState(model, { id: 'rs_1', sealed, summary: ['hm'], content }),
  path: 'input[1]',
});

test('nothing that the server would have to remember, and nothing that it does by itself', () => {
  expect(translate({})).toEqual({
    body: {
      model: 'gpt-5',
      input: [{ type: 'message', role: 'user', content: 'Hi' }],
      include: ['reasoning.encrypted_content'],
      store: false,
      stream: true,
      stream_options: { include_obfuscation: false },
    },
    losses: [],
  });
  expect(translate({ stream: false }, elsewhere).body).toEqual({
    model: 'gpt-5',
    input: [{ type: 'message', role: 'user', content: 'Hi' }],
    include: ['reasoning.encrypted_content'],
    store: false,
  });
});

test.each([
  [openai, 'gpt-4o', {}, false],
  [openai, 'o4-mini', {}, true],
  [openai, 'ft:gpt-5-mini:x', {}, true],
  [openai, 'gpt-5-chat-latest', {}, false],
  [elsewhere, 'openai/gpt-5.2', {}, true],
  [elsewhere, 'qwen3', { effort: 'high' }, false],
  ['https://me.openai.azure.com/openai/v1', 'my-deployment', {}, false],
  ['https://me.openai.azure.com/openai/v1', 'my-deployment', { effort: 'high' }, true],
  ['https://api.x.ai/v1', 'grok-4.3', {}, true],
  ['https://bedrock-mantle.us-east-1.api.aws/v1', 'openai.gpt-5.5', {}, true],
  ['https://bedrock-mantle.us-east-1.api.aws/v1', 'openai.gpt-oss-120b', {}, false],
  ['https://openrouter.ai/api/v1', 'anthropic/claude-sonnet-5', {}, true],
  [vllm, 'openai/gpt-5', { effort: 'high' }, false],
])('%s asks %s for sealed reasoning: %j %j', (baseUrl, model, reasoning, isAsked) => {
  const { body } = translate({ model, reasoning: { effort: null, summary: null, ...reasoning } }, baseUrl);
  expect(body.include).toEqual(isAsked ? ['reasoning.encrypted_content'] : undefined);
});

describe('the history', () => {
  const call: InputItem = { type: 'call', callId: 'call_1', name: 'f', arguments: '{"a":1}', path: 'input[2]' };
  const output = (...content: ContentPart[]): CallOutputInput => ({
    type: 'call-output',
    callId: 'call_1',
    name: 'f',
    content,
    path: 'input[3]',
  });

  test('roles, texts, calls and outputs, without ids', () => {
    const system: InputItem = { type: 'message', role: 'developer', content: [part('Be brief.')], path: 'input[0]' };
    const answer = assistant(part('Yes.'), { type: 'refusal', text: 'No.', path: 'p' });
    const input = [system, user(part('a'), part('b')), answer, assistant(part('One.')), call, output(part('{}'))];
    expect(translate({ input, instructions: 'Sys' }).body).toMatchObject({
      instructions: 'Sys',
      input: [
        { type: 'message', role: 'developer', content: 'Be brief.' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'a' },
            { type: 'input_text', text: 'b' },
          ],
        },
        {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'Yes.' },
            { type: 'refusal', refusal: 'No.' },
          ],
        },
        { type: 'message', role: 'assistant', content: 'One.' },
        { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
        { type: 'function_call_output', call_id: 'call_1', output: '{}' },
      ],
    });
    expect(translate({ input: [system] }, vllm).body.input[0]).toMatchObject({ role: 'system' });
  });

  test('a call without arguments, an id that is too long, one id for two calls', () => {
    const long = 'x'.repeat(80);
    const input: InputItem[] = [
      { ...call, callId: long, arguments: '' },
      { ...output(part('1')), callId: long },
      call,
      output(part('2')),
      call,
      output(part('3')),
    ];
    const ids = translate({ input }).body.input.map((item) => ('call_id' in item ? item.call_id : ''));
    expect(ids[0]).toMatch(/^call_.{1,35}$/);
    expect([ids[1], ids[2], ids[3], ids[5]]).toEqual([ids[0], 'call_1', 'call_1', ids[4]]);
    expect(ids[4]).not.toBe('call_1');
    expect(translate({ input }).body.input[0]).toMatchObject({ arguments: '{}' });
  });

  test('what a function returned beside text', () => {
    const picture: ContentPart = {
      type: 'image',
      source: { type: 'data', mediaType: 'image/png', base64: 'QUJD' },
      detail: 'low',
      path: 'p',
    };
    const shown = { type: 'input_image', image_url: 'data:image/png;base64,QUJD', detail: 'low' };
    const input = [call, output(part('see'), picture)];
    expect(translate({ input }).body.input[1]).toMatchObject({ output: [{ type: 'input_text', text: 'see' }, shown] });
    const { body, losses } = translate({ input }, ollama);
    expect(body.input.slice(1)).toMatchObject([{ output: 'see' }, { role: 'user', content: [{ type: 'input_text' }, shown] }]);
    expect(paths(losses)).toEqual(['input[3] emulated']);
  });

  test('a tool that failed has no mark here', () => {
    const input: InputItem[] = [
      call,
      { type: 'call-output', callId: 'call_1', name: 'f', content: [part('boom')], isError: true, path: 'input[3]' },
    ];
    expect(paths(translate({ input }).losses)).toEqual(['input[3] dropped']);
  });

  test('URLs are fetched by servers outside of our network only', () => {
    const input = [user(image('https://example.org/a.png'))];
    expect(translate({ input }).body.input[0]).toMatchObject({
      content: [{ type: 'input_image', image_url: 'https://example.org/a.png' }],
    });
    const { body, losses } = translate({ input }, vllm);
    expect(body.input[0]).toMatchObject({ content: '(an attachment that cannot be shown)' });
    expect(paths(losses)).toEqual(['input[0].content[0] dropped']);
  });

  test('files, and text files where nothing can read a file', () => {
    const file = (mediaType: string): ContentPart => ({
      type: 'file',
      source: { type: 'data', mediaType, base64: 'SGk=' },
      filename: null,
      path: 'input[0].content[0]',
    });
    expect(translate({ input: [user(file('application/pdf'))] }).body.input[0]).toMatchObject({
      content: [{ type: 'input_file', filename: 'document.pdf', file_data: 'data:application/pdf;base64,SGk=' }],
    });
    expect(translate({ input: [user(file('text/plain'))] }, ollama).body.input[0]).toMatchObject({
      content: '<file name="file">\nHi\n</file>',
    });
    expect(paths(translate({ input: [user(file('application/pdf'))] }, ollama).losses)).toEqual(['input[0].content[0] dropped']);
  });
});

describe('reasoning', () => {
  const after = assistant(part('Yes.'));

  test('goes back to its model, unchanged and before what it led to', () => {
    expect(translate({ input: [user(part('a')), thought('sealed'), after] }).body.input[1]).toEqual({
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'hm' }],
      encrypted_content: 'sealed',
    });
    expect(translate({ input: [thought(undefined, 'gpt-5', ['hmm']), after] }, elsewhere).body.input[0]).toEqual({
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'hm' }],
      content: [{ type: 'reasoning_text', text: 'hmm' }],
    });
  });

  test.each([
    ['of another model', thought('sealed', 'o3')],
    [
      'of another kind of server',
      { type: 'reasoning', text: 'hm', state: { format: 'gemini', model: 'gpt-5', data: {} }, path: 'input[1]' },
    ],
    ['that nobody sealed', { type: 'reasoning', text: 'hm', state: null, path: 'input[1]' }],
  ] as [string, InputItem][])('%s is dropped, and told', (_name, item) => {
    const { body, losses } = translate({ input: [user(part('a')), item, after] });
    expect(body.input.map(({ type }) => type)).toEqual(['message', 'message']);
    expect(paths(losses)).toEqual(['input[1] dropped']);
  });

  test('that led to nothing would be refused', () => {
    const { body, losses } = translate({ input: [thought('sealed'), user(part('a'))] });
    expect(body.input).toHaveLength(1);
    expect(paths(losses)).toEqual(['input[1] dropped']);
  });

  test('effort and summary, and a budget of tokens', () => {
    expect(translate({ reasoning: { effort: 'high', summary: 'auto' } }).body.reasoning).toEqual({
      effort: 'high',
      summary: 'auto',
    });
    for (const [baseUrl, summary] of [
      ['https://api.openai.com/v1', undefined],
      ['http://127.0.0.1:8000/v1', 'auto'],
    ] as const) {
      const wish = { effort: 'high', summary: 'auto', isWish: true } as const;
      expect(translate({ reasoning: wish }, baseUrl).body.reasoning).toEqual({ effort: 'high', summary });
    }
    for (const [thinkingBudget, effort] of [
      [0, 'none'],
      [1024, 'low'],
      [8192, 'medium'],
      [32_000, 'high'],
    ] as const) {
      const { body, losses } = translate({ thinkingBudget });
      expect([body.reasoning, paths(losses)]).toEqual([{ effort }, ['thinking_budget approximated']]);
    }
    expect(translate({ thinkingBudget: -1 })).toMatchObject({ losses: [] });
  });
});
