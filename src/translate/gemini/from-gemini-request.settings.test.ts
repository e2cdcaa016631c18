import { describe, expect, test } from 'vitest';
import type { CreateResponseRequest } from '../../protocol/responses/request.ts';
import { toClientPath } from '../front-request.ts';
import { fromOpenApiSchema } from './from-gemini-request-schema.ts';
import { fromGeminiRequest } from './from-gemini-request.ts';

type Read = ReturnType<typeof fromGeminiRequest>;

function read(more: object): Read {
  return fromGeminiRequest({ contents: 'Hello', ...more }, { model: 'gemini/x', stream: true });
}

function configured(generationConfig: object): CreateResponseRequest {
  return read({ generationConfig }).request;
}

describe('generationConfig', () => {
  test('becomes the fields of the hub', () => {
    const { request, losses } = read({
      serviceTier: 'flex',
      generationConfig: {
        ...{ maxOutputTokens: 100, temperature: 0.5, topP: 0.9, topK: 40, seed: -7, presencePenalty: 1, frequencyPenalty: -1 },
        ...{ stopSequences: ['END'], candidateCount: 1, responseLogprobs: true, logprobs: 3, responseModalities: ['TEXT'] },
      },
    });
    expect(request).toMatchObject({
      ...{
        max_output_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        seed: -7,
        presence_penalty: 1,
        frequency_penalty: -1,
      },
      ...{ stop: ['END'], top_logprobs: 3, include: ['message.output_text.logprobs'], service_tier: 'flex' },
    });
    expect(losses).toEqual([]);
  });

  test('is read in snake_case too, and errors name it so', () => {
    const { request, names } = read({
      generation_config: { max_output_tokens: 9, stop_sequences: 'END', thinking_config: { include_thoughts: true } },
    });
    expect(request).toMatchObject({ max_output_tokens: 9, stop: ['END'], reasoning: { summary: 'auto' } });
    expect(toClientPath('max_output_tokens', names)).toBe('generation_config.max_output_tokens');
    expect(toClientPath('reasoning.summary', names)).toBe('generation_config.thinking_config.include_thoughts');
  });

  test.each([
    [{ thinkingBudget: 0 }, 0, 'none'],
    [{ thinkingBudget: -1 }, null, null],
    [{ thinkingBudget: 128 }, 128, 'minimal'],
    [{ thinkingBudget: 2048 }, 2048, 'low'],
    [{ thinkingBudget: 8192 }, 8192, 'medium'],
    [{ thinkingBudget: 24_576 }, 24_576, 'high'],
    [{ thinkingLevel: 'HIGH' }, null, 'high'],
    [{ thinkingLevel: 'minimal' }, null, 'minimal'],
    [{ thinkingLevel: 'THINKING_LEVEL_UNSPECIFIED' }, null, null],
  ])('thinkingConfig %j', (thinkingConfig, budget, effort) => {
    expect(configured({ thinkingConfig })).toMatchObject({ thinking_budget: budget, reasoning: { effort, summary: null } });
  });

  test('shows thoughts only when asked', () => {
    expect(read({ generationConfig: { thinkingConfig: { includeThoughts: true } } }).facts.showsThoughts).toBe(true);
    expect(read({ generationConfig: { thinkingConfig: { includeThoughts: false } } }).facts.showsThoughts).toBe(false);
    expect(read({}).facts.showsThoughts).toBe(false);
  });

  test('asks for JSON, with a schema in either language', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } };
    const format = { type: 'json_schema', name: 'response', description: null, schema, strict: false };
    const json = { responseMimeType: 'application/json' };
    expect(configured(json).text.format).toEqual({ type: 'json_object' });
    expect(configured({ ...json, responseJsonSchema: schema }).text.format).toEqual(format);
    expect(configured({ response_json_schema: schema, response_mime_type: 'application/json' }).text.format).toEqual(format);
    expect(
      configured({ ...json, responseSchema: { type: 'OBJECT', properties: { a: { type: 'STRING' } } } }).text.format,
    ).toEqual(format);
    expect(configured({ responseMimeType: 'text/plain' }).text.format).toEqual({ type: 'text' });
  });

  test('loses what cannot be: other modalities, one-word answers, settings that nobody knows', () => {
    const { losses } = read({
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        responseMimeType: 'text/x.enum',
        speechConfig: {},
        audioTimestamp: null,
      },
    });
    expect(losses.map(({ path }) => path)).toEqual([
      'generationConfig.responseModalities[1]',
      'generationConfig.responseMimeType',
      'generationConfig.speechConfig',
    ]);
  });
});

describe('tools', () => {
  const functionDeclarations = [
    { name: 'get_weather', description: 'Weather', parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } } } },
    { name: 'ns.search:x', parametersJsonSchema: { type: 'object', additionalProperties: false } },
    { name: 'now' },
  ];

  test('are one for each function, and the hub knows where they stand', () => {
    const { request, names, losses } = read({ tools: [{ googleSearch: {} }, { functionDeclarations }] });
    expect(request.tools).toEqual([
      { type: 'other', toolType: 'web_search', raw: { type: 'web_search' } },
      {
        ...{ type: 'function', name: 'get_weather', description: 'Weather', strict: false },
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
      {
        ...{ type: 'function', name: 'ns.search:x', description: null, strict: false },
        parameters: { type: 'object', additionalProperties: false },
      },
      { type: 'function', name: 'now', description: null, parameters: null, strict: false },
    ]);
    expect(losses).toEqual([]);
    expect(
      ['tools[0].type', 'tools[1].parameters.properties.city', 'tools[2].parameters', 'tools[3].name'].map((path) =>
        toClientPath(path, names),
      ),
    ).toEqual([
      'tools[0].googleSearch',
      'tools[1].functionDeclarations[0].parameters.properties.city',
      'tools[1].functionDeclarations[1].parametersJsonSchema',
      'tools[1].functionDeclarations[2].name',
    ]);
  });

  test('may come without brackets', () => {
    expect(read({ tools: { function_declarations: functionDeclarations[2] } }).request.tools).toHaveLength(1);
  });

  test('that only Google has are lost, and the loss names them', () => {
    const { request, losses, names } = read({
      tools: [{ urlContext: {} }, { google_search: { exclude_domains: ['a'] } }, { codeExecution: {} }, { functionDeclarations }],
    });
    expect(request.tools.map((tool) => (tool.type === 'other' ? tool.toolType : tool.name))).toEqual([
      ...['web_search', 'code_interpreter', 'get_weather', 'ns.search:x', 'now'],
    ]);
    const paths = losses.map(({ path }) => path);
    expect(paths).toEqual(['tools[0].urlContext', 'tools[1].google_search.exclude_domains']);
    // The hub's `tools[0]` is another tool.
    expect(paths.map((path) => toClientPath(path, names))).toEqual(paths);
  });

  test.each([
    [{ mode: 'AUTO' }, 'auto'],
    [{ mode: 'auto' }, 'auto'],
    [{}, 'auto'],
    [{ mode: 'NONE' }, 'none'],
    [{ mode: 'ANY' }, 'required'],
    [{ mode: 'VALIDATED' }, 'auto'],
    [
      { mode: 'ANY', allowedFunctionNames: ['now'] },
      { type: 'function', name: 'now' },
    ],
    [
      { mode: 'any', allowed_function_names: ['now', 'get_weather'] },
      {
        type: 'allowed_tools',
        mode: 'required',
        tools: [
          { type: 'function', name: 'now' },
          { type: 'function', name: 'get_weather' },
        ],
      },
    ],
    [
      { mode: 'VALIDATED', allowedFunctionNames: ['now'] },
      { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'now' }] },
    ],
  ])('are chosen by %j', (functionCallingConfig, expected) => {
    const { request } = read({ tools: [{ functionDeclarations }], toolConfig: { functionCallingConfig } });
    expect(request.tool_choice).toEqual(expected);
  });
});

describe("Gemini's schemas", () => {
  test.each([
    [{ type: 'STRING', nullable: true }, { type: ['string', 'null'] }],
    [
      { type: 'STRING', format: 'enum', enum: ['a'], nullable: true },
      { type: ['string', 'null'], enum: ['a', null] },
    ],
    [
      { type: 'STRING', format: 'date-time' },
      { type: 'string', format: 'date-time' },
    ],
    [{ type: 'TYPE_UNSPECIFIED' }, {}],
    [
      { anyOf: [{ type: 'STRING' }, { type: 'INTEGER' }], nullable: true },
      { anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] },
    ],
    [{ any_of: [{ type: 'STRING' }] }, { anyOf: [{ type: 'string' }] }],
    [
      { type: 'ARRAY', items: { type: 'NUMBER' }, min_items: '1', maxItems: 3 },
      { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3 },
    ],
    [
      { type: 'STRING', example: 'a', default: 'b' },
      { type: 'string', examples: ['a'], default: 'b' },
    ],
    [
      { type: 'object', additionalProperties: { type: 'STRING' } },
      { type: 'object', additionalProperties: { type: 'string' } },
    ],
    [
      { type: ['string', 'null'], $ref: '#/$defs/A', $defs: { A: { type: 'STRING' } } },
      { type: ['string', 'null'], $ref: '#/$defs/A', $defs: { A: { type: 'string' } } },
    ],
    [
      { type: 'OBJECT', properties: { any: true } },
      { type: 'object', properties: { any: true } },
    ],
  ])('%j', (schema, expected) => {
    expect(fromOpenApiSchema({ value: schema, path: 'schema' })).toEqual(expected);
  });

  test('order their properties, whose names stay as they are', () => {
    const schema = fromOpenApiSchema({
      value: {
        type: 'OBJECT',
        properties: { min_items: { type: 'STRING' }, type: { type: 'STRING' }, b: { type: 'STRING' } },
        propertyOrdering: ['b', 'type', 'not_there'],
      },
      path: 'schema',
    });
    expect(Object.keys(schema['properties'] as object)).toEqual(['b', 'type', 'min_items']);
    expect(schema).not.toHaveProperty('propertyOrdering');
  });
});
