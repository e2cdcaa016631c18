import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../lib/json.ts';
import { toGeminiSchema } from './to-gemini-schema.ts';

/** The compiled schema, and the losses as `path action`. */
function compile(schema: JsonObject): { schema: JsonObject; losses: string[] } {
  const { value, losses } = toGeminiSchema(schema, 's');
  return { schema: value, losses: losses.map(({ path, action }) => `${path} ${action}`) };
}

describe('what Gemini understands passes unchanged', () => {
  test.each<JsonObject>([
    {},
    { type: 'string', title: 'T', description: 'D', enum: ['a', 'b'] },
    { type: ['string', 'null'], format: 'date-time' },
    { type: 'integer', minimum: 1, maximum: 2, format: 'int32' },
    { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3 },
    { type: 'array', prefixItems: [{ type: 'number' }, {}] },
    {
      type: 'object',
      properties: { a: { type: 'object' } },
      required: ['a'],
      additionalProperties: false,
      propertyOrdering: ['a'],
    },
    { type: 'object', additionalProperties: { type: 'string' } },
    { anyOf: [{ type: 'string' }, { type: 'null' }] },
  ])('%j', (schema) => {
    expect(compile(schema)).toEqual({ schema, losses: [] });
  });
});

describe('what has to be written in another way', () => {
  test.each<[string, JsonObject, JsonObject, string[]]>([
    ['const', { const: 'a' }, { type: 'string', enum: ['a'] }, []],
    ['const null', { const: null }, { type: 'null' }, []],
    ['null among listed values', { enum: ['a', null] }, { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] }, []],
    ['listed values that the type forbids', { type: 'integer', enum: [1, 'a', 2.5] }, { type: 'integer', enum: [1] }, []],
    ['both booleans', { enum: [true, false] }, { type: 'boolean' }, []],
    ['one boolean', { const: true }, { type: 'boolean', description: '(one of: [true])' }, ['s approximated']],
    [
      'an empty text',
      { type: 'string', enum: ['', 'a'] },
      { type: 'string', description: '(one of: ["","a"])' },
      ['s approximated'],
    ],
    ['no listed value', { enum: [] }, {}, ['s dropped']],
    ['nullable', { type: 'string', nullable: true }, { type: ['string', 'null'] }, []],
    [
      'nullable with listed values',
      { type: 'string', enum: ['a'], nullable: true },
      { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] },
      [],
    ],
    ['types in capitals', { type: 'OBJECT' }, { type: 'object' }, []],
    ['an unknown type', { type: 'date' }, {}, ['s.type dropped']],
    [
      'oneOf',
      { oneOf: [{ type: 'string' }, { type: 'number' }] },
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
      ['s.oneOf approximated'],
    ],
    [
      'a single choice',
      { description: 'D', anyOf: [{ type: 'string', description: 'E' }] },
      { type: 'string', description: 'D' },
      [],
    ],
    [
      'exclusive bounds of integers',
      { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 9.5 },
      { type: 'integer', minimum: 1, maximum: 9 },
      [],
    ],
    [
      'exclusive bounds of numbers',
      { type: 'number', exclusiveMinimum: 0 },
      { type: 'number', minimum: 0, description: '(exclusiveMinimum: 0)' },
      ['s.exclusiveMinimum approximated'],
    ],
    ['exclusive bounds of draft 4', { type: 'integer', minimum: 3, exclusiveMinimum: true }, { type: 'integer', minimum: 4 }, []],
    [
      'a pattern',
      { type: 'string', description: 'D', pattern: '^a', minLength: 1 },
      { type: 'string', description: 'D (pattern: ^a; minLength: 1)' },
      ['s.pattern approximated', 's.minLength approximated'],
    ],
    [
      'a format',
      { type: 'string', format: 'email' },
      { type: 'string', description: '(format: email)' },
      ['s.format approximated'],
    ],
    [
      'a default',
      { type: 'integer', default: 3, examples: [1] },
      { type: 'integer', description: '(default: 3; examples: [1])' },
      [],
    ],
    ['notes for tools', { $schema: 'x', $id: 'y', $comment: 'z', type: 'string', deprecated: true }, { type: 'string' }, []],
    [
      'tuples before 2020',
      { type: 'array', items: [{ type: 'string' }], additionalItems: false },
      { type: 'array', prefixItems: [{ type: 'string' }], maxItems: 1 },
      [],
    ],
    ['an array of anything', { type: 'array' }, { type: 'array', items: {} }, []],
    [
      'boolean schemas',
      { type: 'object', properties: { a: true, b: false }, additionalProperties: true },
      { type: 'object', properties: { a: {} } },
      ['s.properties.b dropped'],
    ],
    [
      'required without a declaration',
      { type: 'object', properties: { a: {} }, required: ['b'] },
      { type: 'object', properties: { a: {} } },
      ['s.required approximated'],
    ],
    [
      'patterns of names',
      { type: 'object', patternProperties: { '^x': {} }, additionalProperties: false },
      { type: 'object' },
      ['s.patternProperties dropped'],
    ],
    [
      'what cannot be said',
      { type: 'string', not: { const: 'a' }, if: {}, then: {}, 'x-own': 1 },
      { type: 'string' },
      ['s.not dropped', 's.if dropped', 's.then dropped', 's.x-own dropped'],
    ],
  ])('%s', (_, schema, expected, losses) => {
    expect(compile(schema)).toEqual({ schema: expected, losses });
  });
});

describe('names of properties are data', () => {
  test('a property may be called like a keyword', () => {
    const properties = Object.fromEntries(
      ['title', '$ref', 'default', 'pattern', 'type', 'properties', 'const', 'required', 'not', 'constructor'].map((name) => [
        name,
        { type: 'string' },
      ]),
    );
    const schema = { type: 'object', properties, required: ['$ref', 'not'] };
    expect(compile(schema)).toEqual({ schema, losses: [] });
  });

  test('__proto__ too', () => {
    const schema = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"__proto__":{"type":"array"}}',
    ) as JsonObject;
    expect(JSON.stringify(compile(schema).schema)).toBe(
      '{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}',
    );
    expect(compile({ $ref: '#/$defs/constructor', $defs: {} }).losses).toEqual(['s.$ref dropped']);
  });
});

describe('references and parts', () => {
  test('references are inlined; what stands beside them wins', () => {
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/x~1y%20z', description: 'mine' }, b: { $ref: '#/definitions/m~0' } },
      $defs: { 'x/y z': { type: 'string', description: 'theirs' } },
      definitions: { 'm~': { enum: [1] } },
    };
    expect(compile(schema)).toEqual({
      schema: { type: 'object', properties: { a: { type: 'string', description: 'mine' }, b: { type: 'integer', enum: [1] } } },
      losses: [],
    });
  });

  test('a recursive schema ends after a few levels', () => {
    const node = { type: 'object', properties: { child: { $ref: '#/$defs/node' } } };
    const { schema, losses } = compile({ $ref: '#/$defs/node', $defs: { node } });
    expect(schema).toEqual({
      type: 'object',
      properties: { child: { type: 'object', properties: { child: { type: 'object' } } } },
    });
    expect(losses).toEqual(['s.properties.child.properties.child.$ref approximated']);
  });

  test('where a recursion ends, nothing is refused that the schema allows', () => {
    const list = { anyOf: [{ type: 'null' }, { type: 'array', items: { $ref: '#' } }] };
    expect(JSON.stringify(compile(list).schema)).toContain('"items":{}');
  });

  test('allOf is merged', () => {
    const parts = [
      { type: 'object', properties: { a: { type: 'number', minimum: 1 } }, required: ['a'] },
      { type: 'object', properties: { a: { type: 'integer', maximum: 5 }, b: {} }, required: ['b'] },
    ];
    expect(compile({ allOf: parts, description: 'D' })).toEqual({
      schema: {
        type: 'object',
        description: 'D',
        properties: { a: { type: 'integer', minimum: 1, maximum: 5 }, b: {} },
        required: ['a', 'b'],
      },
      losses: [],
    });
  });

  test('parts that contradict each other open the schema', () => {
    expect(compile({ allOf: [{ type: 'string' }, { type: 'number' }] })).toEqual({ schema: {}, losses: ['s approximated'] });
    expect(compile({ allOf: [{ enum: ['a'] }, { enum: ['b'] }] })).toEqual({
      schema: { type: 'string' },
      losses: ['s approximated'],
    });
  });
});

describe('hostile schemas', () => {
  function nested(depth: number): JsonObject {
    let schema: JsonObject = { type: 'string' };
    for (let level = 0; level < depth; level += 1) schema = { type: 'object', properties: { a: schema } };
    return schema;
  }

  test("200 levels deep: cut before Gemini's parser gives up", () => {
    const { schema, losses } = compile(nested(200));
    expect(JSON.stringify(schema).split('{').length).toBeLessThan(100);
    expect(losses).toEqual([expect.stringContaining('approximated')]);
  });

  test('references that double at every level', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [
        `d${at}`,
        { type: 'object', properties: { a: { $ref: `#/$defs/d${at + 1}` }, b: { $ref: `#/$defs/d${at + 1}` } } },
      ]),
    );
    const { schema, losses } = compile({ $ref: '#/$defs/d0', $defs });
    expect(JSON.stringify(schema).length).toBeLessThan(500_000);
    expect(losses.length).toBe(51);
  });

  test('references in circles, with and without anything between', () => {
    for (const $defs of [
      { a: { $ref: '#/$defs/a' } },
      { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } },
      { a: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#' }] } },
    ]) {
      expect(compile({ $ref: '#/$defs/a', $defs }).schema).toEqual({});
    }
  });

  test('ten thousand properties, long texts, a thousand choices', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [`p${at}`, { type: 'string', pattern: 'x'.repeat(50) }]),
    );
    const { losses } = compile({
      type: 'object',
      properties,
      default: 'y'.repeat(1_000_000),
      anyOf: Array.from({ length: 1000 }, () => ({ enum: ['a'] })),
    });
    expect(losses.length).toBe(51);
  });
});
