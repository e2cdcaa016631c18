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
    { maxDepth: 4, depthIdentifier: 'schema' },
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

/** Values that often fit such schemas. */
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
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
      { numRuns: 2000 },
    );
  });

  test('whatever the schema allows, the compiled one allows: weaker, never stricter', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
    let checked = 0;
    fc.assert(
      fc.property(rootSchema, fc.array(anyValue, { minLength: 8, maxLength: 8 }), (schema, values) => {
        // `nullable` and draft 4 forms are not JSON Schema 2020, so another oracle would be needed for them.
        const text = JSON.stringify(schema);
        if (
          /"nullable"|"exclusiveMinimum":(?:true|false)|"https:|"items":\[|"odd"|"enum":\[\]|"type":\[\]|"maxItems":-1/.test(text)
        )
          return;
        const original = tryCompile(ajv, schema);
        if (original === undefined) return;
        const compiled = ajv.compile(toGeminiSchema(schema, 's').value);
        for (const value of values) {
          if (!original(value)) continue;
          checked += 1;
          expect(compiled(value), `${text} allows ${JSON.stringify(value)}`).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
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

function tryCompile(ajv: Ajv2020, schema: JsonObject): ((value: unknown) => boolean) | undefined {
  try {
    return (value) => ajv.compile(schema)(value) === true;
  } catch {
    return undefined;
  }
}
