import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../lib/json.ts';
import { createTextHints } from '../text-hints.ts';
import { generateObject } from './generate-json.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true });

function faultsOf(value: unknown, schema: JsonObject): unknown {
  return ajv.validate(schema, value) ? [] : ajv.errors;
}

function generateFor(schema: JsonObject, text = '', optional: 'all' | 'mentioned' = 'all'): JsonObject {
  return generateObject({ schema, hints: createTextHints(text), optional });
}

const string = { type: 'string' };

describe('generated arguments obey their schema', () => {
  const tree = {
    $defs: {
      node: {
        type: 'object',
        properties: { name: string, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['name', 'children'],
      },
    },
    $ref: '#/$defs/node',
  };
  const list = {
    type: 'object',
    properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['value', 'next'],
  };
  const odd: [string, JsonObject][] = [
    ['a recursive tree', tree],
    ['a linked list', list],
    [
      'oneOf whose branches overlap',
      { properties: { a: { oneOf: [{ type: 'integer' }, { type: 'number', minimum: 5 }] } }, required: ['a'] },
    ],
    [
      'allOf that splits properties',
      {
        allOf: [
          { properties: { a: string }, required: ['a'] },
          { properties: { b: { type: 'null' } }, required: ['b'] },
        ],
      },
    ],
    [
      'two patterns',
      { properties: { a: { allOf: [{ pattern: '^[a-z]+$' }, { type: 'string', minLength: 5 }] } }, required: ['a'] },
    ],
    ['not', { properties: { a: { type: 'string', not: { const: 'a' } } }, required: ['a'] }],
    [
      'if and then',
      {
        properties: { kind: { enum: ['x', 'y'] } },
        required: ['kind'],
        if: { properties: { kind: { const: 'x' } } },
        then: { required: ['extra'] },
      },
    ],
    [
      'distinct items',
      { properties: { a: { type: 'array', items: { type: 'boolean' }, minItems: 2, uniqueItems: true } }, required: ['a'] },
    ],
    [
      'distinct enum items',
      { properties: { a: { type: 'array', items: { enum: [1, 2, 3] }, minItems: 3, uniqueItems: true } }, required: ['a'] },
    ],
    ['contains', { properties: { a: { type: 'array', contains: { const: 7 }, minItems: 2 } }, required: ['a'] }],
    [
      'a tuple',
      {
        properties: { a: { type: 'array', prefixItems: [string, { type: 'integer' }], minItems: 2, items: false } },
        required: ['a'],
      },
    ],
    ['minProperties', { minProperties: 3, additionalProperties: { type: 'integer' } }],
    ['patternProperties', { required: ['x-a'], patternProperties: { '^x-': { type: 'boolean' } }, additionalProperties: false }],
    ['a required name without a schema', { type: 'object', required: ['free'] }],
    [
      'members named like those of Object.prototype',
      { properties: { ['__proto__']: string, constructor: string }, required: ['__proto__', 'constructor', 'toString'] },
    ],
    ['exclusive bounds', { properties: { a: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 } }, required: ['a'] }],
    ['nullable by list of types', { properties: { a: { type: ['string', 'null'], minLength: 40 } }, required: ['a'] }],
    [
      '$ref beside other keywords',
      { $defs: { s: string }, properties: { a: { $ref: '#/$defs/s', maxLength: 2 } }, required: ['a'] },
    ],
    ['no type at all', { properties: { a: {}, b: true, c: { description: 'anything' } }, required: ['a', 'b', 'c'] }],
  ];
  test.each(odd)('%s', (_name, schema) => {
    for (const optional of ['all', 'mentioned'] as const) {
      const value = generateFor(schema, 'a b 12', optional);
      expect(faultsOf(value, schema)).toEqual([]);
      expect(faultsOf(value, { type: 'object' })).toEqual([]);
    }
  });

  const hopeless: [string, JsonObject][] = [
    ['false', { properties: { a: false }, required: ['a'] }],
    ['a contradiction', { properties: { a: { type: 'string', minLength: 5, maxLength: 2 } }, required: ['a'] }],
    ['an endless structure', { $defs: { a: { properties: { a: { $ref: '#/$defs/a' } }, required: ['a'] } }, $ref: '#/$defs/a' }],
    ['references in a circle', { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }],
    [
      'a pattern built to hang',
      { properties: { a: { type: 'string', pattern: '^(a+)+b(a|aa)*$(?!x)', minLength: 500 } }, required: ['a'] },
    ],
    ['a million items', { properties: { a: { type: 'array', minItems: 1_000_000 } }, required: ['a'] }],
    ['exponential alternatives', { properties: { a: exponential(40) }, required: ['a'] }],
    ['a deep nest', { properties: { a: nest(5_000) }, required: ['a'] }],
  ];
  test.each(hopeless)('ends with an object for %s', (_name, schema) => {
    expect(typeof generateFor(schema, 'aaaa')).toBe('object');
  });
});

describe('generated arguments use the text', () => {
  const weather = {
    type: 'object',
    properties: { city: string, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
    required: ['city'],
  };
  const cases: [string, JsonObject, string, unknown][] = [
    ['a capitalised name', weather, 'What is the weather in New York today?', { city: 'New York' }],
    ['an enum value that is mentioned', weather, 'Weather in Oslo in fahrenheit, please', { city: 'Oslo', unit: 'fahrenheit' }],
    ['an assignment', weather, 'call it with city=Rome', { city: 'Rome' }],
    ['a quoted text', { properties: { path: string }, required: ['path'] }, 'Read the file "a/b.txt" now', { path: 'a/b.txt' }],
    [
      'numbers in order',
      { properties: { a: { type: 'integer' }, b: { type: 'number' } }, required: ['a', 'b'] },
      'Add 12 and 30.5',
      { a: 12, b: 30.5 },
    ],
    [
      'the whole text for a query',
      { properties: { query: string }, required: ['query'] },
      'find cheap trains',
      { query: 'find cheap trains' },
    ],
    [
      'two names for two members',
      { properties: { from: string, to: string }, required: ['from', 'to'] },
      'Fly from Oslo to Rome',
      { from: 'Oslo', to: 'Rome' },
    ],
    ['a date', { properties: { day: { ...string, format: 'date' } }, required: ['day'] }, 'on 2027-03-04', { day: '2027-03-04' }],
    [
      'one optional member when none is required',
      { properties: { path: string, depth: { type: 'integer' } } },
      '',
      { path: 'path' },
    ],
  ];
  test.each(cases)('%s', (_name, schema, text, expected) => {
    expect(generateFor(schema, text, 'mentioned')).toEqual(expected);
  });

  const shapes: [string, RegExp][] = [
    ['date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/],
    ['email', /^[^@\s]+@[^@\s]+\.[a-z]+$/],
    ['uri', /^https:\/\/[^\s]+$/],
    ['uuid', /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/],
    ['ipv4', /^\d+\.\d+\.\d+\.\d+$/],
  ];
  test.each(shapes)('format %s is observed', (format, shape) => {
    expect(generateFor({ properties: { a: { ...string, format } }, required: ['a'] }, 'Oslo')['a']).toMatch(shape);
  });
});

function exponential(levels: number): JsonObject {
  let schema: JsonObject = { type: 'string', minLength: 5, maxLength: 1 };
  for (let level = 0; level < levels; level++) schema = { anyOf: [schema, schema] };
  return schema;
}

function nest(levels: number): JsonObject {
  let schema: JsonObject = string;
  for (let level = 0; level < levels; level++) schema = { type: 'object', properties: { a: schema }, required: ['a'] };
  return schema;
}
