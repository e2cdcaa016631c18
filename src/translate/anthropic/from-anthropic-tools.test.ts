import { describe, expect, test } from 'vitest';
import { fromAnthropicToolChoice, fromAnthropicTools } from './from-anthropic-tools.ts';

const plain = { name: 'f', input_schema: { type: 'object' } };
const asFunction = { type: 'function', name: 'f', description: null, parameters: { type: 'object' }, strict: false };
const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 2, cache_control: { type: 'ephemeral' } };
const searchSettings = { type: 'web_search', max_uses: 2 };
const place = { type: 'approximate', city: 'Oslo' };

function read(...tools: object[]): ReturnType<typeof fromAnthropicTools> {
  return fromAnthropicTools(tools, new Map());
}

describe('tools', () => {
  test.each<[object, object[]]>([
    [plain, [asFunction]],
    [{ ...plain, type: 'custom' }, [asFunction]],
    [{ ...plain, type: null, description: 'F', strict: true }, [{ ...asFunction, description: 'F', strict: true }]],
    [{ ...plain, defer_loading: true, cache_control: { type: 'ephemeral' }, input_examples: [{}] }, [asFunction]],
    [search, [{ type: 'other', toolType: 'web_search', raw: searchSettings }]],
    [
      { ...search, type: 'web_search_20260209', max_uses: null, allowed_domains: ['a.example'], user_location: place },
      [
        {
          ...{ type: 'other', toolType: 'web_search' },
          raw: { type: 'web_search', filters: { allowed_domains: ['a.example'] }, user_location: place },
        },
      ],
    ],
    [
      { ...search, allowed_domains: [], blocked_domains: ['b.example'] },
      [{ type: 'other', toolType: 'web_search', raw: { ...searchSettings, blocked_domains: ['b.example'] } }],
    ],
    [
      { type: 'code_execution_20260120', name: 'code_execution' },
      [{ type: 'other', toolType: 'code_execution_20260120', raw: { type: 'code_execution_20260120', name: 'code_execution' } }],
    ],
    [{ type: 'tool_search_tool_bm25_20251119', name: 'tool_search_tool_bm25' }, []],
  ])('%j', (tool, expected) => {
    expect(read(tool)).toEqual(expected);
  });
});

describe('tool_choice', () => {
  test.each<[object, object]>([
    [{ type: 'auto' }, { tool_choice: 'auto', parallel_tool_calls: true }],
    [{ type: 'none' }, { tool_choice: 'none', parallel_tool_calls: true }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { tool_choice: 'required', parallel_tool_calls: false },
    ],
    [
      { type: 'tool', name: 'f' },
      { tool_choice: { type: 'function', name: 'f' }, parallel_tool_calls: true },
    ],
    [
      { type: 'tool', name: 'web_search' },
      { tool_choice: { type: 'other', toolType: 'web_search', raw: searchSettings }, parallel_tool_calls: true },
    ],
  ])('%j', (choice, expected) => {
    expect(fromAnthropicToolChoice(choice, read(plain, search))).toEqual(expected);
  });
});
