import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { fromAnthropicCount, fromAnthropicRequest } from './from-anthropic-request.ts';
import { toAnthropicError } from './to-anthropic-error.ts';

const hello = { role: 'user', content: 'Hello' };
const good = { model: 'm', max_tokens: 100, messages: [hello] };
const tool = { name: 'f', input_schema: { type: 'object' } };
const use = { type: 'tool_use', id: 'a', name: 'f', input: {} };
const result = { type: 'tool_result', tool_use_id: 'a' };

/** A body with one user block. */
function block(value: unknown): object {
  return { messages: [{ role: 'user', content: [value] }] };
}

function said(...blocks: unknown[]): object {
  return { messages: [hello, { role: 'assistant', content: blocks }, { role: 'user', content: [result] }] };
}

const first = 'messages[0].content[0]';

/** What is wrong, and what the error names. */
const wrong: readonly [fields: object, param: string][] = [
  [{ model: undefined }, 'model'],
  [{ model: 3 }, 'model'],
  [{ model: '' }, 'model'],
  [{ max_tokens: undefined }, 'max_tokens'],
  [{ max_tokens: null }, 'max_tokens'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ max_tokens: 1.5 }, 'max_tokens'],
  [{ max_tokens: '5' }, 'max_tokens'],
  [{ stream: 'yes' }, 'stream'],
  [{ temperature: 1.1 }, 'temperature'],
  [{ temperature: -0.1 }, 'temperature'],
  [{ temperature: 'hot' }, 'temperature'],
  [{ top_p: 2 }, 'top_p'],
  [{ top_k: -1 }, 'top_k'],
  [{ top_k: 1.5 }, 'top_k'],
  [{ stop_sequences: 'END' }, 'stop_sequences'],
  [{ stop_sequences: ['a', ''] }, 'stop_sequences[1]'],
  [{ metadata: 'u' }, 'metadata'],
  [{ metadata: { user_id: 3 } }, 'metadata.user_id'],
  [{ system: 3 }, 'system'],
  [{ system: [{ type: 'image' }] }, 'system[0].type'],
  [{ system: [{ type: 'text' }] }, 'system[0].text'],
  [{ system: ['text'] }, 'system[0]'],
  [{ thinking: 'on' }, 'thinking'],
  [{ thinking: {} }, 'thinking.type'],
  [{ thinking: { type: 'much' } }, 'thinking.type'],
  [{ thinking: { type: 'enabled' } }, 'thinking.budget_tokens'],
  [{ thinking: { type: 'enabled', budget_tokens: 1000 } }, 'thinking.budget_tokens'],
  [{ thinking: { type: 'adaptive', display: 'all' } }, 'thinking.display'],
  [{ output_config: 3 }, 'output_config'],
  [{ output_config: { effort: 'little' } }, 'output_config.effort'],
  [{ output_config: { format: { type: 'json' } } }, 'output_config.format.type'],
  [{ output_config: { format: { type: 'json_schema' } } }, 'output_config.format.schema'],
  [{ output_format: { type: 'json_schema', schema: 3 } }, 'output_format.schema'],
  [{ thread: { type: 'create' } }, 'thread'],
  [{ tools: {} }, 'tools'],
  [{ tools: [3] }, 'tools[0]'],
  [{ tools: [{ input_schema: {} }] }, 'tools[0].name'],
  [{ tools: [{ name: 'a b', input_schema: {} }] }, 'tools[0].name'],
  [{ tools: [{ name: 'f' }] }, 'tools[0].input_schema'],
  [{ tools: [{ name: 'f', input_schema: { type: 'string' } }] }, 'tools[0].input_schema'],
  [{ tools: [{ ...tool, description: 3 }] }, 'tools[0].description'],
  [{ tools: [{ ...tool, strict: 'yes' }] }, 'tools[0].strict'],
  [{ tools: [{ ...tool, type: 3 }] }, 'tools[0].type'],
  [{ tools: [tool, tool] }, 'tools[1].name'],
  [{ tool_choice: 'auto' }, 'tool_choice'],
  [{ tool_choice: { type: 'required' } }, 'tool_choice.type'],
  [{ tool_choice: { type: 'any' } }, 'tool_choice'],
  [{ tools: [tool], tool_choice: { type: 'tool' } }, 'tool_choice.name'],
  [{ tools: [tool], tool_choice: { type: 'tool', name: 'g' } }, 'tool_choice.name'],
  [{ tool_choice: { type: 'auto', disable_parallel_tool_use: 1 } }, 'tool_choice.disable_parallel_tool_use'],
  [{ messages: undefined }, 'messages'],
  [{ messages: 'Hello' }, 'messages'],
  [{ messages: [] }, 'messages'],
  [{ messages: ['Hello'] }, 'messages[0]'],
  [{ messages: [{ content: 'Hello' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'tool', content: 'Hello' }] }, 'messages[0].role'],
  [{ messages: [hello, { role: 'user' }] }, 'messages[1].content'],
  [{ messages: [{ role: 'user', content: 3 }] }, 'messages[0].content'],
  [block('Hello'), first],
  [block({}), `${first}.type`],
  [block({ type: 3 }), `${first}.type`],
  [block({ type: 'text' }), `${first}.text`],
  [block({ type: 'text', text: 3 }), `${first}.text`],
  [block({ type: 'image' }), `${first}.source`],
  [block({ type: 'image', source: {} }), `${first}.source.type`],
  [block({ type: 'image', source: { type: 'disk' } }), `${first}.source.type`],
  [block({ type: 'image', source: { type: 'base64', data: 'aaaa' } }), `${first}.source.media_type`],
  [block({ type: 'image', source: { type: 'base64', media_type: 'text/plain', data: 'aaaa' } }), `${first}.source.media_type`],
  [block({ type: 'image', source: { type: 'base64', media_type: 'image/png' } }), `${first}.source.data`],
  [block({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'a!' } }), `${first}.source.data`],
  [block({ type: 'image', source: { type: 'url', url: 'file:///etc/passwd' } }), `${first}.source.url`],
  [block({ type: 'image', source: { type: 'file', file_id: 'f' } }), `${first}.source.file_id`],
  [block({ type: 'document', source: { type: 'file', file_id: 'f' } }), `${first}.source.file_id`],
  [block({ type: 'document', source: { type: 'text' } }), `${first}.source.data`],
  [block({ type: 'document', source: { type: 'url', url: 3 } }), `${first}.source.url`],
  [block({ type: 'document', source: { type: 'content', content: [{ type: 'document' }] } }), `${first}.source.content[0].type`],
  [block({ type: 'document', title: 3, source: { type: 'text', data: '' } }), `${first}.title`],
  [block({ type: 'document', citations: { enabled: 1 }, source: { type: 'text', data: '' } }), `${first}.citations.enabled`],
  [block({ type: 'search_result', source: 's', content: [] }), `${first}.title`],
  [block({ type: 'search_result', source: 's', title: 't', content: [{ type: 'text' }] }), `${first}.content[0].text`],
  [block({ type: 'thinking', thinking: '', signature: '' }), `${first}.type`],
  [block(use), `${first}.type`],
  [{ messages: [{ role: 'system', content: [{ type: 'image' }] }] }, `${first}.type`],
  [{ messages: [{ role: 'assistant', content: [result] }] }, `${first}.type`],
  [said({ ...use, id: '' }), 'messages[1].content[0].id'],
  [said({ ...use, name: 3 }), 'messages[1].content[0].name'],
  [said({ ...use, input: '{}' }), 'messages[1].content[0].input'],
  [said(use, use), 'messages[1].content[1].id'],
  [said({ type: 'redacted_thinking' }), 'messages[1].content[0].data'],
  [said({ type: 'thinking', thinking: 3 }), 'messages[1].content[0].thinking'],
  [said({ type: 'thinking', thinking: 'a', signature: 3 }), 'messages[1].content[0].signature'],
  // Calls and results that do not belong together.
  [block(result), `${first}.tool_use_id`],
  [said(use, { ...use, id: 'b' }), 'messages[1].content[1]'],
  [{ messages: [hello, { role: 'assistant', content: [use] }] }, 'messages[1].content[0]'],
  [
    {
      messages: [
        { role: 'assistant', content: [use] },
        { role: 'user', content: [result, result] },
      ],
    },
    'messages[1].content[1].tool_use_id',
  ],
  [{ messages: [{ role: 'assistant', content: [use] }, hello, { role: 'assistant', content: 'a' }] }, first],
  [
    {
      messages: [
        { role: 'assistant', content: [use] },
        { role: 'user', content: [{ ...result, is_error: 'no' }] },
      ],
    },
    'messages[1].content[0].is_error',
  ],
  [
    {
      messages: [
        { role: 'assistant', content: [use] },
        { role: 'user', content: [{ ...result, content: 3 }] },
      ],
    },
    'messages[1].content[0].content',
  ],
  [
    {
      messages: [
        { role: 'assistant', content: [use] },
        { role: 'user', content: [{ ...result, content: [{ type: 'text' }] }] },
      ],
    },
    'messages[1].content[0].content[0].text',
  ],
];

describe('a bad request is a 400 whose message names what is wrong', () => {
  test.each(wrong)('%j: %s', (fields, param) => {
    const error = errorOf(() => fromAnthropicRequest({ ...good, ...fields }));
    expect(error).toMatchObject({ status: 400, param });
    expect(toAnthropicError(error, null).error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringContaining(param) as string,
    });
  });

  test.each([null, 3, 'text', []])('%j is no body', (body) => {
    expect(errorOf(() => fromAnthropicRequest(body)).status).toBe(400);
    expect(errorOf(() => fromAnthropicCount(body)).status).toBe(400);
  });

  test('the refusal of a thread is one that the tool runner understands', () => {
    const error = errorOf(() => fromAnthropicRequest({ ...good, thread: { type: 'create' } }));
    expect(toAnthropicError(error, 'req_1').error.details).toEqual({
      error_code: 'thread_unsupported_request',
      unsupported: ['thread'],
    });
  });
});
