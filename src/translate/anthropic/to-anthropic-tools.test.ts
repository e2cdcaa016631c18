import { expect, test } from 'vitest';
import { plainRequest } from '../../../test/backend-suite.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { FunctionTool, ModelRequest, TextFormat } from '../../model/model-request.ts';
import { toAnthropicRequest } from './to-anthropic-request.ts';
import { toAnthropicSchema } from './to-anthropic-schema.ts';

function translate(change: Partial<ModelRequest>, model = 'claude-opus-9') {
  const { value, losses } = toAnthropicRequest(plainRequest(model, 'hi', change), { marksCache: false });
  return { ...value, ...value.body, losses, paths: losses.map(({ path, action }) => `${path} ${action}`) };
}

function functionTool(name: string, parameters: JsonObject | null, strict = false): FunctionTool {
  return { name, description: null, parameters, strict, path: 'tools[0]' };
}

test('names that Anthropic refuses get an alias, there and back', () => {
  const longName = `${'x'.repeat(100)}.search`;
  const { tools, names } = translate({ tools: [functionTool(longName, null), functionTool('ok', null)] });
  expect(tools?.map(({ name }) => name)).toEqual([expect.stringMatching(/^[a-zA-Z0-9_-]{1,128}$/), 'ok']);
  expect(names.fromAlias(tools?.[0]?.name ?? '')).toBe(longName);
  const old = translate({ tools: [functionTool('y'.repeat(100), null)] }, 'claude-3-haiku-20240307');
  expect(old.tools?.[0]?.name.length).toBeLessThanOrEqual(64);
});

test.each([
  [{ type: 'none' }, true, { type: 'none' }],
  [{ type: 'auto' }, true, undefined],
  [{ type: 'auto' }, false, { type: 'auto', disable_parallel_tool_use: true }],
  [{ type: 'required' }, true, { type: 'any' }],
  [{ type: 'required-of', names: ['f'] }, false, { type: 'tool', name: 'f', disable_parallel_tool_use: true }],
  [{ type: 'required-of', names: ['f', 'g'] }, true, { type: 'any' }],
  [{ type: 'allowed', names: ['f'] }, true, undefined],
] as const)('the choice %j, parallel %s', (toolChoice, parallelToolCalls, wanted) => {
  const tools = ['f', 'g', 'h'].map((name) => functionTool(name, null));
  const { tool_choice: choice, tools: sent } = translate({ tools, toolChoice, parallelToolCalls });
  expect(choice).toEqual(wanted);
  const narrowed = 'names' in toolChoice ? [...toolChoice.names] : ['f', 'g', 'h'];
  expect(sent?.map(({ name }) => name)).toEqual(narrowed);
});

test('web search is served, with its settings; a function of its name is called otherwise', () => {
  const settings = {
    type: 'web_search',
    search_context_size: 'high',
    filters: { allowed_domains: ['a.example'] },
    user_location: { type: 'approximate', city: 'Oslo', region: null },
  };
  const hostedTools = [
    { type: 'web_search', settings, path: 'tools[1]' },
    { type: 'file_search', settings: { type: 'file_search' }, path: 'tools[2]' },
  ];
  const { tools, names, hasServerTools, paths } = translate({ tools: [functionTool('web_search', null)], hostedTools });
  expect(hasServerTools).toBe(true);
  expect(tools?.[1]).toEqual({
    type: 'web_search_20250305',
    name: 'web_search',
    allowed_domains: ['a.example'],
    user_location: { type: 'approximate', city: 'Oslo' },
  });
  expect(tools?.[0]?.name).not.toBe('web_search');
  expect(names.fromAlias(tools?.[0]?.name ?? '')).toBe('web_search');
  expect(paths).toEqual(['tools[1].search_context_size dropped', 'tools[2].type dropped']);
});

test('tools of Anthropic that the client runs are offered as they are; those that need a beta or a container are losses', () => {
  const hosted = (settings: { type: string; [key: string]: unknown }, at: number) => ({
    ...{ type: settings.type, settings, path: `tools[${String(at)}]` },
  });
  const bash = { type: 'bash_20250124', name: 'bash' };
  const editor = { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 9 };
  const marked = { ...editor, cache_control: { type: 'ephemeral' } };
  const hostedTools = [bash, marked, { type: 'computer_20251124', name: 'computer' }].map(hosted);
  const { tools, paths } = translate({ hostedTools });
  expect(tools).toEqual([bash, editor]);
  expect(paths).toEqual(['tools[2].type dropped']);
});

test('the root of parameters is an object without choices; inside nothing changes', () => {
  const union: JsonObject = {
    description: 'Either.',
    anyOf: [{ type: 'object', properties: { a: { type: 'string', minLength: 3 } }, required: ['a', 'x'] }, { $ref: '#/$defs/B' }],
    $defs: { B: { type: 'object', properties: { b: { type: 'number' } }, required: ['x'] } },
  };
  const { tools, paths } = translate({ tools: [functionTool('f', union), functionTool('g', { properties: {} })] });
  expect(tools?.[0]).toMatchObject({
    input_schema: {
      type: 'object',
      properties: { a: { type: 'string', minLength: 3 }, b: { type: 'number' } },
      required: ['x'],
      description: expect.stringMatching(/^Either\. anyOf: /) as string,
    },
  });
  expect(tools?.[0]).not.toHaveProperty('input_schema.anyOf');
  expect(tools?.[1]).toMatchObject({ input_schema: { type: 'object', properties: {} } });
  expect(paths).toEqual(['tools[0].parameters.anyOf approximated']);
});

test('an argument whose name Anthropic refuses stands in the description; the function is not strict then', () => {
  const parameters = {
    type: 'object',
    properties: { id: { type: 'string' }, 'filter[id]': { type: 'string' }, nested: { properties: { $top: {} } } },
    required: ['id', 'filter[id]'],
    additionalProperties: false,
  };
  const { tools, paths } = translate({ tools: [functionTool('f', parameters, true)] });
  expect(tools?.[0]).toEqual({
    name: 'f',
    input_schema: {
      type: 'object',
      properties: { id: { type: 'string' }, nested: { properties: { $top: {} } } },
      required: ['id'],
      description: 'Also takes these arguments: {"filter[id]":{"type":"string"}} Of them required: "filter[id]".',
    },
  });
  expect(paths).toEqual(['tools[0].parameters.properties approximated', 'tools[0].strict dropped']);
});

test('strict functions are strict where the model can and the schema allows it', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } }, required: ['n'] };
  const { tools, paths } = translate({ tools: [functionTool('f', schema, true)] });
  expect(tools?.[0]).toMatchObject({ strict: true, input_schema: { additionalProperties: false } });
  expect(paths).toEqual(['tools[0].parameters.properties.n.minimum approximated']);
  expect(translate({ tools: [functionTool('f', schema, true)] }, 'claude-3-7-sonnet-latest').paths).toEqual([
    'tools[0].strict dropped',
  ]);
  const many = Array.from({ length: 21 }, (_, at) => functionTool(`f${String(at)}`, schema, true));
  expect(translate({ tools: many }).tools?.some((tool) => 'strict' in tool)).toBe(false);
  const tree = { type: 'object', properties: { child: { $ref: '#' } } };
  expect(translate({ tools: [functionTool('f', tree, true)] })).toMatchObject({
    paths: ['tools[0].strict dropped'],
    tools: [{ input_schema: tree }],
  });
});

test('what cannot be enforced in a schema stands in the description', () => {
  const { value, losses } = toAnthropicSchema(
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        id: { type: 'string', format: 'uuid', pattern: '^a' },
        tags: { type: 'array', items: { type: 'string', format: 'color' }, minItems: 1, maxItems: 4, description: 'Tags.' },
        kind: { oneOf: [{ const: 'a' }, { type: 'object', additionalProperties: { type: 'number' } }] },
      },
      required: ['id', 'nothing'],
    },
    's',
  );
  expect(value).toEqual({
    type: 'object',
    properties: {
      id: { type: 'string', format: 'uuid', description: '(pattern: "^a")' },
      tags: {
        type: 'array',
        items: { type: 'string', description: '(format: "color")' },
        minItems: 1,
        description: 'Tags. (maxItems: 4)',
      },
      kind: { anyOf: [{ const: 'a' }, { type: 'object', properties: {}, additionalProperties: false }] },
    },
    required: ['id'],
    additionalProperties: false,
  });
  expect(losses.map(({ path }) => path)).toEqual([
    's.properties.id.pattern',
    's.properties.tags.items.format',
    's.properties.tags.maxItems',
    's.properties.kind.oneOf[1].additionalProperties',
    's.required',
  ]);
});

const person: TextFormat = {
  type: 'json-schema',
  name: 'person',
  description: 'A person.',
  schema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false },
  strict: true,
};

test('structured output: enforced, through a function, or in the prompt', () => {
  const native = translate({ format: person });
  expect(native).toMatchObject({
    paths: [],
    output_config: { format: { type: 'json_schema', schema: { description: 'A person.' } } },
  });
  const old = translate({ format: person }, 'claude-3-7-sonnet-latest');
  expect(old).toMatchObject({
    answerTool: 'answer_in_json',
    tools: [{ name: 'answer_in_json', input_schema: person.schema }],
    tool_choice: { type: 'tool', name: 'answer_in_json' },
    paths: ['text.format emulated'],
  });
  const withTools = translate({ format: person, tools: [functionTool('f', null)] }, 'claude-3-7-sonnet-latest');
  expect(withTools).toMatchObject({ answerTool: null, system: [{ text: expect.stringContaining('JSON Schema') as string }] });
  expect(translate({ format: { type: 'json-object' } })).toMatchObject({
    answerTool: 'answer_in_json',
    thinking: { type: 'disabled' },
  });
  const thinking = translate({ format: { type: 'json-object' }, reasoning: { effort: 'low', summary: null } });
  expect(thinking).toMatchObject({ answerTool: null, thinking: { type: 'adaptive' }, paths: ['text.format emulated'] });
});

test('the function that is the answer obeys the rules for functions', () => {
  const schema = { ...person.schema, anyOf: [{ properties: { 'a b': {} } }] };
  const { tools, paths } = translate({ format: { ...person, schema } }, 'claude-3-7-sonnet-latest');
  expect(tools?.[0]).toMatchObject({ input_schema: { type: 'object', properties: { name: { type: 'string' } } } });
  expect(tools?.[0]).not.toHaveProperty('input_schema.anyOf');
  expect(paths).toEqual([
    'text.format emulated',
    'text.format.schema.anyOf approximated',
    'text.format.schema.properties approximated',
  ]);
});

test('a schema that leads back to itself is not enforced', () => {
  const schema = {
    type: 'object',
    properties: { next: { $ref: '#/$defs/N' } },
    $defs: { N: { anyOf: [{ $ref: '#/$defs/N' }] } },
  };
  expect(toAnthropicSchema(schema, 's').value).toBeNull();
  expect(toAnthropicSchema({ $ref: 'https://example.com/x.json' }, 's').value).toBeNull();
  expect(translate({ format: { ...person, schema } })).toMatchObject({
    answerTool: 'answer_in_json',
    paths: ['text.format emulated'],
  });
});
