import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../lib/json.ts';
import { createTextHints } from '../text-hints.ts';
import { generateObject } from './generate-json.ts';
import { isSchemaMatch } from './is-schema-match.ts';
import { createWorkBudget } from './work-budget.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true });

function faultsOf(value: unknown, schema: JsonObject): unknown {
  return ajv.validate(schema, value) ? [] : ajv.errors;
}

function generateFor(schema: JsonObject, text: string, optional: 'all' | 'mentioned'): JsonObject {
  return generateObject({ schema, hints: createTextHints(text), optional });
}

// A name that every object inherits belongs here; not those which ajv's own comparison of values calls.
const name = fc.constantFrom('city', 'count', 'query', 'unit', 'items', 'a_b', 'isPrototypeOf', 'é');
/** ajv's comparison of values calls these members. */
function isComparable(value: unknown): boolean {
  return !/"(?:toString|valueOf|constructor|__proto__)":/.test(JSON.stringify(value));
}

const anchoredPattern = fc.constantFrom(
  '^[a-z]{2,4}$',
  '^\\d{3}-\\d{4}$',
  '^(foo|bar)+$',
  '^#[0-9a-fA-F]{6}$',
  'b+',
  '^[^/]+/[^/]+$',
  '^\\S+@\\S+\\.[a-z]{2,}$',
  '^a.c?$',
);

const text: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constant({ type: 'string' }),
  fc.record({ type: fc.constant('string'), pattern: anchoredPattern }),
  fc.tuple(fc.nat(30), fc.nat(30)).map(([least, more]) => ({ type: 'string', minLength: least, maxLength: least + more })),
  fc.record({ type: fc.constant('string'), format: fc.constantFrom('date', 'email', 'uuid', 'made-up') }),
);

const number: fc.Arbitrary<JsonObject> = fc.oneof(
  fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(50))
    .map(([low, more]) => ({ type: 'integer', minimum: low, maximum: low + more })),
  fc
    .tuple(fc.integer({ min: -1000, max: 1000 }), fc.nat(50))
    .map(([low, more]) => ({ type: 'number', exclusiveMinimum: low, maximum: low + more + 1 })),
  fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: -50, max: 50 }))
    .map(([step, low]) => ({ type: 'integer', multipleOf: step, minimum: low })),
);

const fixed: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constantFrom({ type: 'boolean' }, { type: 'null' }, { type: ['integer', 'null'] }, {}),
  fc
    .jsonValue({ maxDepth: 1 })
    .filter(isComparable)
    .map((value) => ({ const: value })),
  fc.array(fc.jsonValue({ maxDepth: 0 }), { minLength: 1, maxLength: 4 }).map((values) => ({ enum: values })),
);

const leaf = fc.oneof(text, number, fixed);

/** JSON Schemas that some value satisfies, in the forms that tools and answer formats use. */
const satisfiableSchema: fc.Arbitrary<JsonObject> = fc.letrec<{ schema: JsonObject; object: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: leaf },
    { weight: 3, arbitrary: tie('object') },
    {
      weight: 2,
      arbitrary: fc.tuple(tie('schema'), fc.nat(3), fc.boolean()).map(([items, least, capped]) => ({
        type: 'array',
        items,
        minItems: least,
        ...(capped && { maxItems: least + 1 }),
      })),
    },
    { weight: 1, arbitrary: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })) },
    {
      weight: 1,
      arbitrary: fc.array(tie('object'), { minLength: 1, maxLength: 3 }).map((members) => ({ oneOf: members.map(tagged) })),
    },
    { weight: 1, arbitrary: fc.tuple(tie('schema'), fc.string()).map(([schema, title]) => ({ allOf: [schema, { title }] })) },
  ),
  object: fc
    .tuple(
      fc.dictionary(name, tie('schema'), { maxKeys: 4 }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([properties, kept, open]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).filter((_, index) => kept[index]),
      ...(!open && { additionalProperties: false }),
    })),
})).schema;

/** Alternatives that a tag tells apart, as unions in tools are written. */
function tagged(schema: JsonObject, index: number): JsonObject {
  const properties = typeof schema['properties'] === 'object' ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  return { ...schema, properties: { ...properties, kind: { const: `kind-${String(index)}` } }, required: [...required, 'kind'] };
}

test('generated arguments obey every common form of schema', () => {
  fc.assert(
    fc.property(
      satisfiableSchema,
      fc.string(),
      fc.constantFrom('all' as const, 'mentioned' as const),
      (member, text, optional) => {
        const schema = { type: 'object', properties: { member }, required: ['member'], additionalProperties: false };
        expect(faultsOf(generateFor(schema, text, optional), schema)).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

test('the same request gives the same arguments', () => {
  fc.assert(
    fc.property(satisfiableSchema, fc.string(), (member, text) => {
      const schema = { type: 'object', properties: { member }, required: ['member'] };
      expect(generateFor(schema, text, 'all')).toEqual(generateFor(schema, text, 'all'));
    }),
  );
});

// From 1e21 on ajv's `multipleOf` is wrong: it reads the number's text as an integer.
const modestValue = fc.jsonValue().filter((value) => isComparable(value) && !JSON.stringify(value).includes('e+'));

test('the matcher agrees with ajv', () => {
  fc.assert(
    fc.property(satisfiableSchema, modestValue, (schema, value) => {
      expect(isSchemaMatch(value, schema, schema, createWorkBudget(100_000))).toBe(ajv.validate(schema, value));
    }),
    { numRuns: 300 },
  );
});

const keyword = fc.constantFrom(
  ...'type enum const properties required items prefixItems minItems maxItems uniqueItems contains minimum maximum multipleOf pattern format'.split(
    ' ',
  ),
  ...'anyOf oneOf allOf not if then else $ref $defs additionalProperties patternProperties minProperties maxLength minLength default'.split(
    ' ',
  ),
);
const { nonsense } = fc.letrec((tie) => ({
  nonsense: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom('string', 'object', 'array', '#', '#/$defs/type', '^(a|', '[^]', -1, 0.1, 1e9),
    fc.array(tie('nonsense'), { maxLength: 3 }),
    fc.dictionary(keyword, tie('nonsense'), { maxKeys: 4 }),
  ),
}));

test('whatever stands in a schema, there is an object', () => {
  fc.assert(
    fc.property(fc.dictionary(keyword, nonsense, { maxKeys: 5 }), fc.string(), (schema, text) => {
      const value = generateFor(schema, text, 'mentioned');
      expect(typeof value === 'object' && !Array.isArray(value)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
