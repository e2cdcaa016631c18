import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { parseCreateResponse } from './parse-create-response.ts';

const parse = (fields: object): ReturnType<typeof parseCreateResponse> => parseCreateResponse({ input: 'hi', ...fields });
const failure = (fields: object): { code: string; param: string | null } => {
  const { code, param } = errorOf(() => parse(fields));
  return { code, param };
};
const f = { type: 'function', name: 'f' };

describe('function tools', () => {
  test('defaults, and strict as it is applied', () => {
    expect(parse({ tools: [f] }).request.tools).toEqual([{ ...f, description: null, parameters: null, strict: false }]);
    expect(parse({ tools: [{ ...f, description: null, parameters: null, strict: null }] }).request.tools).toMatchObject([
      { strict: false },
    ]);
    const whole = { ...f, description: 'd', parameters: { type: 'object', properties: {}, $schema: 'x' }, strict: true };
    expect(parse({ tools: [whole] }).request.tools).toEqual([whole]);
  });

  test.each([
    [{ name: undefined }, 'missing_required_parameter', 'tools[0].name'],
    [{ name: '' }, 'string_below_min_length', 'tools[0].name'],
    [{ name: 'n'.repeat(129) }, 'string_above_max_length', 'tools[0].name'],
    [{ name: 'a.b' }, 'invalid_value', 'tools[0].name'],
    [{ name: 'a b' }, 'invalid_value', 'tools[0].name'],
    [{ name: 'f\n' }, 'invalid_value', 'tools[0].name'],
    [{ parameters: { type: 'string' } }, 'invalid_function_parameters', 'tools[0].parameters'],
    [{ parameters: { type: null } }, 'invalid_function_parameters', 'tools[0].parameters'],
    [{ parameters: { type: 'object', properties: [] } }, 'invalid_function_parameters', 'tools[0].parameters'],
    [{ parameters: 'none' }, 'invalid_type', 'tools[0].parameters'],
  ])('%j', (change, code, param) => {
    expect(failure({ tools: [{ ...f, ...change }] })).toEqual({ code, param });
  });

  test('a name of 128 characters', () => {
    expect(parse({ tools: [{ ...f, name: 'n'.repeat(128) }] }).request.tools).toHaveLength(1);
  });

  test('two of the same name', () => {
    expect(failure({ tools: [f, { type: 'web_search' }, { ...f, description: 'again' }] })).toEqual({
      code: 'invalid_value',
      param: 'tools[2].name',
    });
  });

  test("the chat API's nested form gets a hint", () => {
    const error = errorOf(() => parse({ tools: [{ type: 'function', function: { name: 'f' } }] }));
    expect(error).toMatchObject({ code: 'missing_required_parameter', param: 'tools[0].name' });
    expect(error.message).toMatch(/^Missing required parameter: 'tools\[0\]\.name'\. .*not inside 'function'/);
  });

  test('settings that are not served are losses', () => {
    const tools = [{ ...f, defer_loading: true, async: true, allowed_callers: ['programmatic'], output_schema: {} }];
    expect(parse({ tools }).losses.map(({ path }) => path)).toEqual([
      'tools[0].defer_loading',
      'tools[0].async',
      'tools[0].allowed_callers',
    ]);
    expect(
      parse({ tools: [{ ...f, defer_loading: false, async: null, allowed_callers: ['direct', 'programmatic'] }] }).losses,
    ).toEqual([]);
  });
});

describe('other tools', () => {
  test.each([
    { type: 'web_search', search_context_size: 'low' },
    { type: 'custom', name: 'x', format: {} },
    { type: 'brand_new_tool' },
  ])('%j is kept', (raw) => {
    expect(parse({ tools: [raw] }).request.tools).toEqual([{ type: 'other', toolType: raw.type, raw }]);
  });

  test.each([
    [{}, 'missing_required_parameter', 'tools[0].type'],
    [{ type: '' }, 'string_below_min_length', 'tools[0].type'],
    [{ name: 'f' }, 'missing_required_parameter', 'tools[0].type'],
  ])('%j', (tool, code, param) => {
    expect(failure({ tools: [tool] })).toEqual({ code, param });
  });
});

describe('tool_choice', () => {
  const tools = [
    f,
    { type: 'function', name: 'g' },
    { type: 'web_search' },
    { type: 'custom', name: 'exec' },
    { type: 'computer' },
    { type: 'mcp', server_label: 's' },
  ];
  const choose = (tool_choice: unknown): unknown => parse({ tools, tool_choice }).request.tool_choice;

  test.each(['none', 'auto', 'required', { type: 'function', name: 'g' }])('%j', (choice) => {
    expect(choose(choice)).toEqual(choice);
  });

  test.each([
    { type: 'web_search' },
    { type: 'web_search_preview' },
    { type: 'custom', name: 'exec' },
    { type: 'computer_use_preview' },
    { type: 'mcp', server_label: 's', name: 'read' },
  ])('%j', (raw) => {
    expect(choose(raw)).toEqual({ type: 'other', toolType: raw.type, raw });
  });

  test('allowed_tools, with its default mode', () => {
    const allowed = [{ type: 'function', name: 'f' }, { type: 'web_search' }, { type: 'custom', name: 'exec' }];
    expect(choose({ type: 'allowed_tools', tools: allowed })).toEqual({ type: 'allowed_tools', mode: 'auto', tools: allowed });
    expect(choose({ type: 'allowed_tools', mode: 'required', tools: allowed })).toMatchObject({ mode: 'required' });
    expect(choose({ type: 'allowed_tools', mode: 'none', tools: allowed }), 'Open Responses').toBe('none');
  });

  test('none and auto need no tools', () => {
    for (const tool_choice of ['none', 'auto', null]) expect(() => parse({ tool_choice })).not.toThrow();
  });

  const many = (count: number): object[] => Array.from({ length: count }, () => f);

  test('allowed_tools takes 1 to 128', () => {
    expect(choose({ type: 'allowed_tools', tools: many(128) })).toMatchObject({ mode: 'auto' });
  });

  test.each([
    ['any', 'invalid_value', 'tool_choice'],
    [{ type: 'auto' }, 'invalid_value', 'tool_choice.type'],
    [{ name: 'f' }, 'missing_required_parameter', 'tool_choice.type'],
    [{ type: 'function' }, 'missing_required_parameter', 'tool_choice.name'],
    [{ type: 'function', function: { name: 'f' } }, 'missing_required_parameter', 'tool_choice.name'],
    [{ type: 'function', name: 'h' }, 'invalid_value', 'tool_choice'],
    [{ type: 'function', name: 'exec' }, 'invalid_value', 'tool_choice'],
    [{ type: 'custom', name: 'f' }, 'invalid_value', 'tool_choice'],
    [{ type: 'custom' }, 'missing_required_parameter', 'tool_choice.name'],
    [{ type: 'mcp' }, 'missing_required_parameter', 'tool_choice.server_label'],
    [{ type: 'file_search' }, 'invalid_value', 'tool_choice'],
    [{ type: 'tool', name: 'f' }, 'invalid_value', 'tool_choice'],
    [{ type: 'allowed_tools' }, 'missing_required_parameter', 'tool_choice.tools'],
    [{ type: 'allowed_tools', allowed_tools: { tools: [] } }, 'missing_required_parameter', 'tool_choice.tools'],
    [{ type: 'allowed_tools', tools: [] }, 'empty_array', 'tool_choice.tools'],
    [{ type: 'allowed_tools', tools: many(129) }, 'array_above_max_length', 'tool_choice.tools'],
    [{ type: 'allowed_tools', mode: 'any', tools: [f] }, 'invalid_value', 'tool_choice.mode'],
    [{ type: 'allowed_tools', tools: [f, { type: 'function', name: 'h' }] }, 'invalid_value', 'tool_choice.tools[1]'],
    [{ type: 'allowed_tools', tools: [{ type: 'function' }] }, 'missing_required_parameter', 'tool_choice.tools[0].name'],
    [{ type: 'allowed_tools', tools: [{ type: 'shell' }] }, 'invalid_value', 'tool_choice.tools[0]'],
  ])('%.80j', (tool_choice, code, param) => {
    expect(failure({ tools, tool_choice })).toEqual({ code, param });
  });

  test('words', () => {
    expect(errorOf(() => parse({ tools, tool_choice: { type: 'function', name: 'h' } })).message).toBe(
      "Tool choice 'h' not found in 'tools' parameter.",
    );
    expect(errorOf(() => parse({ tools: [], tool_choice: 'required' })).message).toBe(
      "Tool choice 'required' must be specified with 'tools' parameter.",
    );
    const odd: unknown = JSON.parse('{"type":"custom","name":{"toString":1}}');
    expect(() => parse({ tools: [odd], tool_choice: { type: 'custom', name: 'x' } })).toThrow("Tool choice 'x' not found");
  });
});

describe('text', () => {
  const schema = { type: 'json_schema', name: 'n', schema: { type: 'object' } };
  const format = (value: object): unknown => parse({ text: { format: value } }).request.text.format;

  test('formats', () => {
    expect(parse({ text: {} }).request.text).toEqual({ format: { type: 'text' }, verbosity: null });
    expect(parse({ text: { format: null, verbosity: 'low' } }).request.text).toEqual({
      format: { type: 'text' },
      verbosity: 'low',
    });
    expect(format({ type: 'json_object' })).toEqual({ type: 'json_object' });
    expect(format({ ...schema, strict: null })).toEqual({ ...schema, description: null, strict: false });
    expect(format({ ...schema, strict: true, description: 'd' })).toEqual({ ...schema, description: 'd', strict: true });
  });

  test.each([
    [{}, 'missing_required_parameter', 'text.format.type'],
    [{ type: 'grammar' }, 'invalid_value', 'text.format.type'],
    [{ ...schema, name: undefined }, 'missing_required_parameter', 'text.format.name'],
    [{ ...schema, name: '' }, 'string_below_min_length', 'text.format.name'],
    [{ ...schema, name: 'n'.repeat(65) }, 'string_above_max_length', 'text.format.name'],
    [{ ...schema, name: 'ä' }, 'invalid_value', 'text.format.name'],
    [{ ...schema, schema: undefined }, 'missing_required_parameter', 'text.format.schema'],
    [{ ...schema, schema: [] }, 'invalid_type', 'text.format.schema'],
    [{ type: 'json_schema', json_schema: schema }, 'missing_required_parameter', 'text.format.name'],
  ])('%j', (value, code, param) => {
    expect(failure({ text: { format: value } })).toEqual({ code, param });
  });
});
