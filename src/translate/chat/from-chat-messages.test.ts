import { describe, expect, test } from 'vitest';
import type { InputItemParam } from '../../protocol/responses/items.ts';
import { fromChatRequest } from './from-chat-request.ts';

function read(body: object): ReturnType<typeof fromChatRequest> {
  return fromChatRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body });
}

function inputOf(...messages: object[]): InputItemParam[] {
  return read({ messages }).request.input;
}

const call = { id: 'call_1', type: 'function', function: { name: 'search', arguments: '{"q":1}' } };

describe('messages become items', () => {
  test("Mistral's thinking, which stands among the content", () => {
    const thinking = {
      type: 'thinking',
      thinking: [
        { type: 'text', text: 'h' },
        { type: 'text', text: 'm' },
      ],
      closed: true,
    };
    const content = [thinking, { type: 'text', text: 'Hello' }, { type: 'thinking', thinking: 'so' }];
    expect(inputOf({ role: 'assistant', content })).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm\n\nso' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hello' }] },
    ]);
    expect(inputOf({ role: 'assistant', content: [thinking], reasoning_content: 'other' })).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'other' }] },
    ]);
    expect(() => inputOf({ role: 'user', content: [thinking] })).toThrow(/thinking/);
    expect(() => inputOf({ role: 'assistant', content: [{ type: 'thinking', thinking: [{ type: 'text', text: 1 }] }] })).toThrow(
      expect.objectContaining({ param: 'messages[0].content[0].thinking[0].text' }),
    );
  });

  test('in order, system text in any place, consecutive roles too', () => {
    const roles = ['user', 'system', 'user', 'user', 'developer', 'assistant', 'assistant'];
    const input = inputOf(...roles.map((role) => ({ role, content: role })));
    expect(input.map((item) => item.type === 'message' && `${item.role} ${JSON.stringify(item.content)}`)).toEqual(
      roles.map((role) => `${role} [{"type":"${role === 'assistant' ? 'output_text' : 'input_text'}","text":"${role}"}]`),
    );
  });

  test('images and files', () => {
    const content = [
      { type: 'image_url', image_url: { url: 'https://a.b/c.png', detail: 'low' } },
      { type: 'image_url', image_url: 'data:image/png;base64,aGVsbG8=' },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGVsbG8=' } },
      { type: 'text', text: 'b', cache_control: { type: 'ephemeral' } },
    ];
    expect(inputOf({ role: 'user', content })).toEqual([
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'https://a.b/c.png', detail: 'low' },
          { type: 'input_image', image_url: 'data:image/png;base64,aGVsbG8=' },
          { type: 'input_file', file_data: 'data:application/pdf;base64,aGVsbG8=', filename: 'a.pdf' },
          { type: 'input_text', text: 'b' },
        ],
      },
    ]);
  });

  test('an answer: its thinking before its text before its calls', () => {
    const detail = { type: 'reasoning.encrypted', data: 'sealed', format: 'antiphon-v1', index: 0 };
    const answer = {
      ...{ role: 'assistant', content: 'Hello', refusal: 'No', reasoning_content: 'hm', tool_calls: [call], annotations: [] },
      reasoning_details: [detail, { ...detail, data: 'more', index: 1 }],
    };
    expect(inputOf(answer)).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: 'sealed' },
      { type: 'reasoning', summary: [], encrypted_content: 'more' },
      {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'Hello' },
          { type: 'refusal', refusal: 'No' },
        ],
      },
      { type: 'function_call', call_id: 'call_1', name: 'search', arguments: '{"q":1}' },
    ]);
  });

  test.each([
    { content: null, tool_calls: [call] },
    { content: '', tool_calls: [call] },
    { tool_calls: [call] },
    { content: [], tool_calls: [{ id: 'call_1', function: call.function }] },
  ])('an answer that only called: %j', (answer) => {
    expect(inputOf({ role: 'assistant', ...answer })).toEqual([
      { type: 'function_call', call_id: 'call_1', name: 'search', arguments: '{"q":1}' },
    ]);
  });

  test.each([
    [{ reasoning: 'a' }, 'a'],
    [{ reasoning: 'a', reasoning_content: 'b' }, 'b'],
    [
      {
        reasoning: null,
        reasoning_details: [
          { type: 'reasoning.text', text: 'a' },
          { type: 'reasoning.summary', summary: 'b' },
        ],
      },
      'a\n\nb',
    ],
    [{ reasoning: 'a', reasoning_details: [{ type: 'reasoning.text', text: 'a' }] }, 'a'],
  ])('thinking text by whatever name: %j', (members, text) => {
    expect(inputOf({ role: 'assistant', content: null, ...members })).toEqual([
      { type: 'reasoning', summary: [{ type: 'summary_text', text }] },
    ]);
  });

  test('outputs of tools: texts, parts, nothing', () => {
    const contents = ['a', [{ type: 'text', text: 'b' }], [{ type: 'image_url', image_url: { url: 'https://a.b/c' } }], null];
    const input = inputOf(...contents.map((content) => ({ role: 'tool', tool_call_id: 'call_1', content })));
    expect(input.map((item) => item.type === 'function_call_output' && item.output)).toEqual([
      'a',
      [{ type: 'input_text', text: 'b' }],
      [{ type: 'input_image', image_url: 'https://a.b/c' }],
      [],
    ]);
  });

  test('a custom call is the engine’s to show', () => {
    const custom = { id: 'call_2', type: 'custom', custom: { name: 'shell', input: 'ls' } };
    expect(inputOf({ role: 'assistant', tool_calls: [custom] })).toEqual([
      {
        type: 'other',
        itemType: 'custom_tool_call',
        raw: { type: 'custom_tool_call', call_id: 'call_2', name: 'shell', input: 'ls' },
      },
    ]);
  });

  test('function_call and function are paired without ids', () => {
    const made = { role: 'assistant', content: null, function_call: { name: 'search', arguments: '{}' } };
    const input = inputOf(made, { role: 'function', name: 'search', content: 'x' }, made, { role: 'user', content: 'b' }, made);
    expect(input.map((item) => ('call_id' in item ? `${item.type} ${item.call_id}` : item.type))).toEqual([
      'function_call call_of_message_0',
      'function_call_output call_of_message_0',
      'function_call call_of_message_2',
      'function_call_output call_of_message_2',
      'message',
      'function_call call_of_message_4',
      'function_call_output call_of_message_4',
    ]);
  });
});

describe('settings', () => {
  test('in the hub’s words', () => {
    const { request } = read({
      ...{
        max_tokens: 5,
        stop: 'end',
        seed: 7,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 3,
        presence_penalty: 1,
        frequency_penalty: -1,
      },
      ...{ logprobs: true, top_logprobs: 2, user: 'me', safety_identifier: 'you', prompt_cache_key: 'key', service_tier: 'flex' },
      ...{
        metadata: { a: 'b' },
        parallel_tool_calls: false,
        reasoning_effort: 'low',
        verbosity: 'high',
        timeout: 30,
        stream: true,
      },
      ...{ store: true, prompt_cache_retention: 'in-memory' },
    });
    expect(request).toMatchObject({
      ...{ max_output_tokens: 5, stop: ['end'], seed: 7, temperature: 0.5, top_p: 0.9, top_k: 3 },
      ...{ presence_penalty: 1, frequency_penalty: -1, top_logprobs: 2, include: ['message.output_text.logprobs'] },
      ...{ user: 'me', safety_identifier: 'you', prompt_cache_key: 'key', service_tier: 'flex', metadata: { a: 'b' } },
      ...{ parallel_tool_calls: false, reasoning: { effort: 'low', summary: null }, timeout: 30, stream: true, store: false },
      ...{ text: { format: { type: 'text' }, verbosity: 'high' }, prompt_cache_retention: 'in_memory' },
    });
  });

  test('stop takes up to four texts, and empty ones are none', () => {
    expect(read({ stop: ['a', '', 'b'] }).request.stop).toEqual(['a', 'b']);
    expect(read({ stop: '' }).request.stop).toEqual([]);
  });

  test('thinking text is wished for, which is nothing that the client asked for', () => {
    expect(read({}).request).toMatchObject({ reasoning: null, wishes_summary: true });
    expect(read({ reasoning_effort: 'low' }).request.reasoning).toEqual({ effort: 'low', summary: null });
  });

  test('a format goes one level up', () => {
    const json_schema = { name: 'a', description: 'b', schema: { type: 'object' }, strict: true };
    expect(read({ response_format: { type: 'json_schema', json_schema } }).request.text.format).toEqual({
      type: 'json_schema',
      ...json_schema,
    });
    expect(read({ response_format: { type: 'json_object' } }).request.text.format).toEqual({ type: 'json_object' });
  });

  const search = {
    type: 'function',
    function: { name: 'search', description: 'Finds', parameters: { type: 'object' }, strict: true },
  };
  const named = { type: 'function', function: { name: 'search' } };

  test.each([
    ['auto', 'auto'],
    ['none', 'none'],
    ['required', 'required'],
    ['any', 'required'],
    [named, { type: 'function', name: 'search' }],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [named] } },
      { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'search' }] },
    ],
  ])('tool_choice %j', (tool_choice, expected) => {
    const { request } = read({ tools: [search, { function: { name: 'bare' } }], tool_choice });
    expect(request.tool_choice).toEqual(expected);
    expect(request.tools).toEqual([
      { type: 'function', name: 'search', description: 'Finds', parameters: { type: 'object' }, strict: true },
      { type: 'function', name: 'bare', description: null, parameters: null, strict: false },
    ]);
  });

  test('functions are tools that are called one at a time', () => {
    const { request, facts } = read({
      functions: [{ name: 'search' }],
      function_call: { name: 'search' },
      parallel_tool_calls: true,
    });
    expect(request).toMatchObject({ tool_choice: { type: 'function', name: 'search' }, parallel_tool_calls: false });
    expect(facts.isLegacy).toBe(true);
  });

  test('custom tools and a search are hosted tools, as the Responses API writes them', () => {
    const grammar = { definition: 'start: "a"', syntax: 'lark' };
    const { request } = read({
      tools: [{ type: 'custom', custom: { name: 'shell', description: 'Runs', format: { type: 'grammar', grammar } } }],
      web_search_options: { search_context_size: 'low', user_location: { type: 'approximate', approximate: { city: 'Oslo' } } },
    });
    expect(request.tools.map((tool) => tool.type === 'other' && tool.raw)).toEqual([
      { type: 'custom', name: 'shell', description: 'Runs', format: { type: 'grammar', ...grammar } },
      { type: 'web_search', search_context_size: 'low', user_location: { type: 'approximate', city: 'Oslo' } },
    ]);
  });
});
