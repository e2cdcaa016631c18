import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { schemaTypes } from './schema-node.ts';
import { toGeminiSchema } from './to-gemini-schema.ts';

/** What Gemini accepts (backends.md B.4), as a check of each keyword. Nothing else may stand in schema position. */
const keywords: Record<string, (value: unknown) => string[]> = {
  type: (value) => {
    const types: unknown[] = Array.isArray(value) ? value : [value];
    return types.length > 0 && types.every((type) => (schemaTypes as readonly unknown[]).includes(type)) ? [] : ['type'];
  },
  format: isText,
  title: isText,
  description: isText,
  enum: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => typeof one === 'number' || (typeof one === 'string' && one !== ''))
      ? []
      : ['enum'],
  items: checkSchema,
  prefixItems: checkSchemas,
  minItems: isCount,
  maxItems: isCount,
  minimum: isNumber,
  maximum: isNumber,
  anyOf: checkSchemas,
  properties: (value) => (isJsonObject(value) ? Object.values(value).flatMap(checkSchema) : ['properties']),
  additionalProperties: (value) => (value === false ? [] : checkSchema(value)),
  required: isNames,
  propertyOrdering: isNames,
};

function isText(value: unknown): string[] {
  return typeof value === 'string' ? [] : ['text'];
}
function isNumber(value: unknown): string[] {
  return typeof value === 'number' ? [] : ['number'];
}
function isCount(value: unknown): string[] {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? [] : ['count'];
}
function isNames(value: unknown): string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string') ? [] : ['names'];
}
function checkSchemas(value: unknown): string[] {
  return Array.isArray(value) && value.length > 0 ? value.flatMap(checkSchema) : ['schemas'];
}

/** Faults of a schema as Gemini would find them. */
function checkSchema(schema: unknown): string[] {
  if (!isJsonObject(schema)) return ['not an object'];
  const faults = Object.entries(schema).flatMap(([key, value]) =>
    Object.hasOwn(keywords, key) ? (keywords[key]?.(value) ?? []) : [`unknown ${key}`],
  );
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = (schema['required'] ?? []) as string[];
  return [...faults, ...required.filter((name) => !Object.hasOwn(properties, name)).map((name) => `required ${name}`)];
}

const name = fc.constantFrom('a', 'b', 'title', '$ref', '__proto__');
const scalar = fc.constantFrom<unknown>('a', '', 'b', 1, 2.5, true, false, null);
const type = fc.constantFrom(...schemaTypes);

/** Schemas as people write them, and as they should not. */
const { schema: anySchema } = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'schema' },
    fc.boolean(),
    fc.record({ type }),
    fc.record(
      {
        type: fc.oneof(type, fc.array(type, { maxLength: 2 }), fc.constant('odd')),
        enum: fc.array(scalar, { maxLength: 3 }),
        const: scalar,
        nullable: fc.boolean(),
        $ref: fc.constantFrom('#', '#/$defs/a', '#/$defs/b', '#/properties/a', 'https://x/'),
        $defs: fc.dictionary(fc.constantFrom('a', 'b'), tie('schema')),
        properties: fc.dictionary(name, tie('schema')),
        required: fc.array(name, { maxLength: 2 }),
        additionalProperties: tie('schema'),
        patternProperties: fc.dictionary(fc.constant('^x'), tie('schema')),
        items: fc.oneof(tie('schema'), fc.array(tie('schema'), { maxLength: 2 })),
        prefixItems: fc.array(tie('schema'), { maxLength: 2 }),
        anyOf: fc.array(tie('schema'), { maxLength: 3 }),
        oneOf: fc.array(tie('schema'), { maxLength: 3 }),
        allOf: fc.array(tie('schema'), { maxLength: 3 }),
        minimum: fc.integer(),
        exclusiveMinimum: fc.oneof(fc.integer(), fc.boolean()),
        maxItems: fc.oneof(fc.nat(3), fc.constant(-1)),
        description: fc.string({ maxLength: 3 }),
        format: fc.constantFrom('date-time', 'email'),
        not: tie('schema'),
        pattern: fc.constant('^a'),
      },
      { requiredKeys: [] },
    ),
  ),
}));

const rootSchema = anySchema.filter(isJsonObject);

/** Valid JSON Schema 2020 of a few properties, so that values from a small world often fit. */
const { sound } = fc.letrec<{ sound: JsonObject; object: JsonObject; list: JsonObject }>((tie) => ({
  sound: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'sound' },
    fc.constantFrom<JsonObject>(
      {},
      { type: 'string' },
      { type: ['integer', 'null'] },
      { const: 'a' },
      { enum: ['a', 1, null, true] },
      { $ref: '#/$defs/a' },
    ),
    fc.record(
      {
        type: fc.constantFrom('integer', 'number'),
        exclusiveMinimum: fc.integer({ min: -1, max: 2 }),
        maximum: fc.integer({ min: 1, max: 3 }),
      },
      { requiredKeys: ['type'] },
    ),
    tie('object'),
    tie('list'),
    fc.record({ anyOf: fc.array(tie('sound'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ oneOf: fc.array(tie('sound'), { minLength: 1, maxLength: 2 }), title: fc.constant('T') }),
    fc.record({ allOf: fc.array(tie('sound'), { minLength: 1, maxLength: 2 }), not: fc.constant({ const: 'b' }) }),
    fc.record({ allOf: fc.array(tie('object'), { minLength: 2, maxLength: 2 }) }),
    fc.record({ allOf: fc.array(tie('list'), { minLength: 2, maxLength: 2 }) }),
  ),
  object: fc.record(
    {
      type: fc.constant('object'),
      properties: fc.dictionary(name, fc.oneof(fc.boolean(), tie('sound')), { maxKeys: 2 }),
      required: fc.uniqueArray(name, { maxLength: 1 }),
      additionalProperties: fc.oneof(fc.boolean(), tie('sound')),
      patternProperties: fc.constant({ '^b': {} }),
      $ref: fc.constant('#/$defs/o'),
    },
    { requiredKeys: ['type', 'properties'] },
  ),
  list: fc.record(
    {
      type: fc.constant('array'),
      items: fc.oneof(fc.boolean(), tie('sound')),
      prefixItems: fc.array(fc.oneof(fc.boolean(), tie('sound')), { minLength: 1, maxLength: 2 }),
      maxItems: fc.nat(2),
    },
    { requiredKeys: ['type'] },
  ),
}));

const $defs = { a: { type: ['string', 'array'], maxLength: 1 }, o: { type: 'object', properties: { a: { minimum: 1 } } } };

/** Values that often fit such schemas. */
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(name, tie('value'), { maxKeys: 2 }),
  ),
}));

describe('any schema', () => {
  test('only what Gemini accepts comes out, and it always comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          rootSchema,
          fc.dictionary(fc.constantFrom('type', 'properties', 'allOf', '$ref', 'enum', 'items'), fc.jsonValue()),
        ),
        (schema) => {
          const { value, losses } = toGeminiSchema(schema, 's');
          expect(checkSchema(value)).toEqual([]);
          expect(losses.length).toBeLessThanOrEqual(51);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('whatever the schema allows, the compiled one allows: weaker, never stricter', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
    let checked = 0;
    fc.assert(
      fc.property(sound, fc.array(anyValue, { minLength: 20, maxLength: 20 }), (written, values) => {
        const schema = { allOf: [written], $defs };
        const original = ajv.compile(schema);
        const compiled = ajv.compile(toGeminiSchema(schema, 's').value);
        for (const value of values) {
          if (!original(value)) continue;
          checked += 1;
          expect(compiled(value), `${JSON.stringify(written)} allows ${JSON.stringify(value)}`).toBe(true);
        }
      }),
      { numRuns: 250 },
    );
    console.log(`instances compared: ${checked}`);
    expect(checked).toBeGreaterThan(500);
  });

  test('these checks find planted mistakes', () => {
    expect(checkSchema({ type: 'string', pattern: 'x' })).toEqual(['unknown pattern']);
    expect(checkSchema({ properties: { a: { $ref: '#' } }, required: ['b'] })).toEqual(['unknown $ref', 'required b']);
    expect(checkSchema({ anyOf: [{ enum: [''] }, { enum: [null] }] })).toEqual(['enum', 'enum']);
    const stricter = new Ajv2020().compile({ type: 'object', additionalProperties: false });
    expect(stricter({ a: 1 })).toBe(false);
  });
});
