import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { parseCreateResponse, parseInputTokens } from './parse-create-response.ts';

const failure = (fields: object): { code: string; param: string | null; message: string } => {
  const { code, param, message } = errorOf(() => parseCreateResponse({ input: 'hi', ...fields }));
  return { code, param, message };
};

test('every default', () => {
  expect(parseCreateResponse({ input: 'hi' })).toEqual({
    request: {
      model: null,
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
      instructions: null,
      previous_response_id: null,
      conversation: null,
      store: true,
      background: false,
      stream: false,
      include: [],
      tools: [],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      max_tool_calls: null,
      max_output_tokens: null,
      temperature: null,
      top_p: null,
      top_logprobs: null,
      presence_penalty: null,
      frequency_penalty: null,
      text: { format: { type: 'text' }, verbosity: null },
      reasoning: null,
      truncation: 'disabled',
      metadata: {},
      service_tier: null,
      safety_identifier: null,
      prompt_cache_key: null,
      prompt_cache_retention: null,
      user: null,
      timeout: null,
      stop: [],
      seed: null,
      top_k: null,
      thinking_budget: null,
      wishes_summary: false,
    },
    losses: [],
  });
});

test('every field that is served arrives', () => {
  const fields = {
    model: 'gemini/gemini-3-flash',
    instructions: 'Be brief.',
    previous_response_id: 'resp_1',
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    parallel_tool_calls: false,
    max_tool_calls: 3,
    max_output_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    top_logprobs: 5,
    presence_penalty: -1,
    frequency_penalty: 1.5,
    reasoning: { effort: 'low', summary: 'auto' },
    truncation: 'auto',
    metadata: { a: 'b' },
    service_tier: 'flex',
    safety_identifier: 's',
    prompt_cache_key: 'k',
    prompt_cache_retention: '24h',
    user: 'u',
    timeout: 12.5,
  };
  const { request, losses } = parseCreateResponse({ ...fields, input: 'hi', stream_options: { include_obfuscation: false } });
  expect(request).toMatchObject(fields);
  expect(losses).toEqual([]);
});

test.each([
  ['truncation', 'never', "'auto' and 'disabled'"],
  ['service_tier', 'slow', "'auto', 'default', 'flex', 'scale', 'priority', 'fast', and 'ultrafast'"],
  ['prompt_cache_retention', '1h', "'in_memory' and '24h'"],
])('%s knows its values', (field, value, list) => {
  expect(failure({ [field]: value })).toEqual({
    code: 'invalid_value',
    param: field,
    message: `Invalid value: '${value}'. Supported values are: ${list}.`,
  });
});

test('the words of OpenAI', () => {
  expect(failure({ temperature: 'warm' }).message).toBe(
    "Invalid type for 'temperature': expected a number, but got a string instead.",
  );
  expect(failure({ max_output_tokens: 20.5 }).message).toBe(
    "Invalid type for 'max_output_tokens': expected an integer, but got a decimal instead.",
  );
  expect(failure({ top_p: 2 }).message).toBe(
    "Invalid 'top_p': decimal above maximum value. Expected a value <= 1, but got 2 instead.",
  );
  expect(failure({ timeout: 0 }).message).toBe(
    "Invalid 'timeout': decimal below minimum value. Expected a value > 0, but got 0 instead.",
  );
  expect(failure({ input: [{ role: 'user' }] }).message).toBe("Missing required parameter: 'input[0].content'.");
  expect(failure({ truncation: 'x'.repeat(1_000_000) }).message.length, 'a huge value is not sent back').toBeLessThan(200);
});

describe('what fields say about each other', () => {
  test.each([
    [{ conversation: 'conv_1', previous_response_id: 'resp_1' }, 'mutually_exclusive_parameters', 'previous_response_id'],
    [{ conversation: { id: 'c' }, previous_response_id: 'r' }, 'mutually_exclusive_parameters', 'previous_response_id'],
    [{ conversation: '' }, 'string_below_min_length', 'conversation'],
    [{ conversation: 'c'.repeat(257) }, 'string_above_max_length', 'conversation'],
    [{ conversation: { id: '' } }, 'string_below_min_length', 'conversation.id'],
    [{ conversation: { id: null } }, 'invalid_type', 'conversation.id'],
    [{ conversation: {} }, 'missing_required_parameter', 'conversation.id'],
    [{ background: true }, 'unsupported_parameter', 'background'],
    [{ prompt: { id: 'pmpt_1' } }, 'unsupported_parameter', 'prompt'],
    [{ stream_options: {} }, 'invalid_value', 'stream_options'],
    [{ stream: false, stream_options: { include_obfuscation: true } }, 'invalid_value', 'stream_options'],
    [{ input: [] }, 'empty_array', 'input'],
    [{ input: null }, 'missing_required_parameter', 'input'],
    [{ tool_choice: 'required' }, 'invalid_value', 'tool_choice'],
  ])('%j', (fields, code, param) => {
    expect(failure(fields)).toMatchObject({ code, param });
  });

  test('a previous response can stand for the input', () => {
    for (const fields of [{}, { input: null }, { input: [] }]) {
      expect(parseCreateResponse({ previous_response_id: 'resp_1', ...fields }).request.input).toEqual([]);
    }
  });

  test('tools may stand behind the choice of one', () => {
    const fields = { tool_choice: { type: 'function', name: 'f' }, tools: [{ type: 'function', name: 'f' }] };
    expect(parseCreateResponse({ input: 'hi', ...fields }).request.tool_choice).toEqual(fields.tool_choice);
  });
});

test('the first mistake wins, in the order of the body', () => {
  expect(failure({ top_p: 'x', temperature: 'x' }).param).toBe('top_p');
  expect(failure({ temperature: 'x', top_p: 'x' }).param).toBe('temperature');
  expect(failure({ input: [{ role: 'user', content: 'x' }, { role: 'boss', content: 5 }, 7] }).param).toBe('input[1].role');
  expect(failure({ tool_choice: 'required', top_p: 'x' }).param, 'a field by itself comes before its relations').toBe('top_p');
});

describe('losses', () => {
  const lossesOf = (fields: object): unknown[] =>
    parseCreateResponse({ input: 'hi', ...fields }).losses.map(({ path, action, code }) => [path, action, code]);

  test('an unknown field is reported, with the code for strict mode', () => {
    expect(lossesOf({ frobnicate: { a: 1 } })).toEqual([['frobnicate', 'dropped', 'unknown_parameter']]);
    expect(lossesOf({ ['x'.repeat(1_000_000)]: 1 })).toEqual([[`${'x'.repeat(64)}…`, 'dropped', 'unknown_parameter']]);
    const [loss] = parseCreateResponse({ input: 'hi', max_tokens: 5 }).losses;
    expect(loss?.reason).toBe("in the Responses API this parameter has moved to 'max_output_tokens'");
  });

  test.each([
    [{ text: { formatt: {} } }, 'text.formatt'],
    [{ text: { format: { type: 'text', name: 'x' } } }, 'text.format.name'],
    [{ reasoning: { budget: 5 } }, 'reasoning.budget'],
    [{ stream: true, stream_options: { include_usage: true } }, 'stream_options.include_usage'],
  ])('an unknown setting %j', (fields, path) => {
    expect(lossesOf(fields)).toEqual([[path, 'dropped', 'unknown_parameter']]);
  });

  test.each([
    [{ moderation: { model: 'omni' } }, 'moderation', 'dropped'],
    [{ context_management: [{ type: 'compaction', compact_threshold: 1000 }] }, 'context_management', 'dropped'],
    [{ image: { context_compression: 'enabled' } }, 'image.context_compression', 'dropped'],
    [{ personality: 'pragmatic' }, 'personality', 'dropped'],
    [{ generate: false }, 'generate', 'dropped'],
    [{ prompt_cache_options: { prewarm: true } }, 'prompt_cache_options.prewarm', 'dropped'],
    [{ reasoning: { context: 'current_turn' } }, 'reasoning.context', 'approximated'],
    [{ reasoning: { mode: 'pro' } }, 'reasoning.mode', 'dropped'],
  ])('what would change the answer: %j', (fields, path, action) => {
    expect(lossesOf(fields)).toEqual([[path, action, undefined]]);
  });

  test('hints are no losses', () => {
    const hints = {
      client_metadata: { session: 'x' },
      access_programs: {},
      prompt_cache_options: { mode: 'implicit', ttl: '30m' },
      prompt_cache_key: 'k',
      image: { context_compression: 'auto' },
      generate: true,
      reasoning: { context: 'all_turns', mode: 'standard' },
      stream: true,
      stream_options: { include_obfuscation: true },
    };
    expect(lossesOf(hints)).toEqual([]);
  });

  test.each([
    [
      { context_management: [{ type: 'compaction', compact_threshold: 999 }] },
      'integer_below_min_value',
      'context_management[0].compact_threshold',
    ],
    [{ moderation: {} }, 'missing_required_parameter', 'moderation.model'],
    [{ image: { context_compression: 'much' } }, 'invalid_value', 'image.context_compression'],
  ])('mistakes in them are told: %j', (fields, code, param) => {
    expect(failure(fields)).toMatchObject({ code, param });
  });
});

describe('settings', () => {
  test('the deprecated generate_summary counts where summary is absent', () => {
    expect(parseCreateResponse({ input: 'hi', reasoning: { generate_summary: 'concise' } }).request.reasoning).toEqual({
      effort: null,
      summary: 'concise',
    });
    expect(
      parseCreateResponse({ input: 'hi', reasoning: { generate_summary: 'concise', summary: 'detailed' } }).request.reasoning
        ?.summary,
    ).toBe('detailed');
  });

  test('include: known values, each once', () => {
    expect(
      parseCreateResponse({ input: 'hi', include: ['message.output_text.logprobs', 'message.output_text.logprobs'] }).request
        .include,
    ).toEqual(['message.output_text.logprobs']);
    expect(failure({ include: ['reasoning.encrypted_content', 'everything'] })).toMatchObject({
      code: 'invalid_value',
      param: 'include[1]',
    });
  });

  test('in-memory, as older SDKs spell it', () => {
    expect(parseCreateResponse({ input: 'hi', prompt_cache_retention: 'in-memory' }).request.prompt_cache_retention).toBe(
      'in_memory',
    );
  });

  test('keys that are traps in JavaScript are plain data', () => {
    const body: unknown = JSON.parse(
      '{"input":"hi","metadata":{"__proto__":"a","constructor":"b"},"__proto__":{"model":"evil"}}',
    );
    const { request, losses } = parseCreateResponse(body);
    expect(JSON.stringify(request.metadata)).toBe('{"__proto__":"a","constructor":"b"}');
    expect(request.model).toBeNull();
    expect(losses.map((loss) => loss.path)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('input_tokens', () => {
  test('everything is optional', () => {
    expect(parseInputTokens({})).toEqual({ request: { ...parseCreateResponse({ input: 'x' }).request, input: [] }, losses: [] });
  });

  test('the fields it takes are read like those of a response', () => {
    const fields = {
      model: 'm',
      instructions: 'i',
      previous_response_id: 'resp_1',
      truncation: 'auto',
      parallel_tool_calls: false,
    };
    expect(parseInputTokens({ ...fields, input: 'hi' }).request).toMatchObject(fields);
    expect(errorOf(() => parseInputTokens({ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }))).toMatchObject({
      code: 'missing_required_parameter',
      param: 'input[0].content[0].text',
    });
    expect(parseInputTokens({ conversation: { id: 'conv_1' } }).request.conversation).toBe('conv_1');
    expect(errorOf(() => parseInputTokens({ tool_choice: 'required' })).param).toBe('tool_choice');
  });

  test('fields of a response that mean nothing here are unknown', () => {
    expect(
      parseInputTokens({ input: 'hi', temperature: 'anything', store: false }).losses.map((loss) => [loss.path, loss.code]),
    ).toEqual([
      ['temperature', 'unknown_parameter'],
      ['store', 'unknown_parameter'],
    ]);
  });
});
