import { describe, expect, test } from 'vitest';
import { toClientPath } from '../front-request.ts';
import { fromAnthropicCount, fromAnthropicRequest } from './from-anthropic-request.ts';

const hello = { role: 'user', content: 'Hello' };

function read(fields: object): ReturnType<typeof fromAnthropicRequest> {
  return fromAnthropicRequest({ model: 'm', max_tokens: 100, messages: [hello], ...fields });
}

function lossPaths(fields: object): string[] {
  return read(fields).losses.map(({ path }) => path);
}

describe('a request of the Messages API in the words of the hub', () => {
  test('at least', () => {
    const { request, losses, names } = read({});
    expect(request).toMatchObject({ model: 'm', max_output_tokens: 100, store: false, stream: false, reasoning: null, stop: [] });
    expect(request.input).toEqual([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }]);
    expect(losses).toEqual([]);
    expect(toClientPath('input[0].content[0]', names)).toBe('messages[0].content');
  });

  test.each<[object, object]>([
    [{ system: 'Be brief.' }, { instructions: 'Be brief.' }],
    [{ system: [] }, { instructions: '' }],
    [
      {
        system: [
          { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.197.2bb; cc_entrypoint=cli; cch=36ee5;' },
          { type: 'text', text: 'You are an agent.' },
        ],
      },
      { instructions: 'You are an agent.' },
    ],
    [
      {
        system: [
          { type: 'text', text: 'One', cache_control: { type: 'ephemeral' } },
          { type: 'text', text: 'Two' },
        ],
      },
      { instructions: 'One\n\nTwo' },
    ],
    [{ max_tokens: 1 }, { max_output_tokens: 1 }],
    [{ top_k: 0 }, { top_k: null }],
    [{ stop_sequences: ['END', '\n'] }, { stop: ['END', '\n'] }],
    [
      { temperature: 0.5, top_p: 0.9, top_k: 40 },
      { temperature: 0.5, top_p: 0.9, top_k: 40 },
    ],
    [{ metadata: { user_id: 'u-1' } }, { user: 'u-1', metadata: { user_id: 'u-1' } }],
    [{ metadata: {} }, { user: null, metadata: {} }],
    [{ stream: true }, { stream: true }],
    [
      { temperature: null, system: null, tools: null, tool_choice: null, thinking: null },
      { temperature: null, tools: [] },
    ],
    [{ thinking: { type: 'disabled' } }, { reasoning: { effort: 'none', summary: null } }],
    [
      { thinking: { type: 'enabled', budget_tokens: 2000 } },
      { reasoning: { effort: 'low', summary: 'auto' }, thinking_budget: 2000 },
    ],
    [
      { thinking: { type: 'enabled', budget_tokens: 10_000 } },
      { reasoning: { effort: 'medium', summary: 'auto' }, thinking_budget: 10_000 },
    ],
    [
      { thinking: { type: 'enabled', budget_tokens: 32_000, display: 'omitted' } },
      { reasoning: { effort: 'high', summary: null }, thinking_budget: 32_000 },
    ],
    [{ thinking: { type: 'adaptive' } }, { reasoning: { effort: 'high', summary: 'auto' }, thinking_budget: null }],
    [
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'max' } },
      { reasoning: { effort: 'max', summary: 'auto' } },
    ],
    [{ output_config: { effort: 'low' } }, { reasoning: { effort: 'low', summary: null } }],
    [{ output_config: {} }, { reasoning: null }],
  ])('%j', (fields, expected) => {
    expect(read(fields).request).toMatchObject(expected);
  });

  test.each([
    { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    { output_format: { type: 'json_schema', schema: { type: 'object' } } },
  ])('an answer of a given form: %j', (fields) => {
    expect(read(fields).request.text.format).toEqual({
      type: 'json_schema',
      name: 'output',
      description: null,
      schema: { type: 'object' },
      strict: true,
    });
  });

  test('names what the client wrote where the hub speaks of something else', () => {
    const { names } = read({
      output_config: { effort: 'low' },
      tools: [
        { type: 'tool_search_tool_bm25', name: 's' },
        { name: 'f', input_schema: {} },
      ],
    });
    const paths = [
      'max_output_tokens',
      'text.format.schema',
      'reasoning.effort',
      'reasoning.summary',
      'instructions',
      'stop[1]',
      'tools[0].parameters.properties',
    ];
    expect(paths.map((path) => toClientPath(path, names))).toEqual([
      'max_tokens',
      'output_config.format.schema',
      'output_config.effort',
      'thinking.display',
      'system',
      'stop_sequences[1]',
      'tools[1].input_schema.properties',
    ]);
  });

  test('names the beta form of output_config.format', () => {
    const { names } = read({ output_format: { type: 'json_schema', schema: {} } });
    expect(toClientPath('text.format', names)).toBe('output_format');
  });
});

describe('fields that change no answer here', () => {
  const settled = {
    cache_control: { type: 'ephemeral', ttl: '1h' },
    service_tier: 'standard_only',
    speed: 'fast',
    inference_geo: 'eu',
    betas: ['x'],
    mcp_servers: [],
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  };
  test.each(Object.entries(settled))('%s is accepted in silence', (name, value) => {
    expect(lossPaths({ [name]: value })).toEqual([]);
  });

  test.each<[object, string]>([
    [{ mcp_servers: [{ type: 'url', url: 'https://x.example', name: 'x' }] }, 'mcp_servers'],
    [{ container: 'c_1' }, 'container'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } }, 'context_management.edits[0]'],
    [{ thinking: { type: 'disabled' }, output_config: { effort: 'low' } }, 'output_config.effort'],
    [{ thinking: { type: 'between_tools' } }, 'thinking.type'],
    [{ colour: 'red' }, 'colour'],
  ])('%j is reported', (fields, path) => {
    expect(lossPaths(fields)).toEqual([path]);
  });

  test('an unknown one is refused in strict mode', () => {
    expect(read({ colour: 'red' }).losses[0]).toMatchObject({ action: 'dropped', code: 'unknown_parameter' });
  });
});

test('tokens are counted without max_tokens', () => {
  expect(fromAnthropicCount({ model: 'm', messages: [hello] }).request.max_output_tokens).toBe(null);
});
