import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../model/errors.ts';
import { parseCreateResponse } from './parse-create-response.ts';

/** The published schema of Open Responses; not part of this repository. */
const file = new URL('../../../../shared/schemas/open-responses.2026-04-24.openapi.json', import.meta.url);
const isThere = existsSync(file);
if (!isThere) console.log(`skipped: ${file.pathname} is not here`);

function openSchema(): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(JSON.parse(readFileSync(file, 'utf8')) as object, 'open-responses');
  return ajv.compile({ $ref: 'open-responses#/components/schemas/CreateResponseBody' });
}

const refusal = (body: object): string | null => {
  try {
    parseCreateResponse(body);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof GatewayError)) throw thrown;
    return `${thrown.code} at ${String(thrown.param)}`;
  }
};

// ---- requests as the schema describes them ----

const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null, freq: 4 });
const record = (shape: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[]): fc.Arbitrary<object> =>
  fc.record(shape, { requiredKeys });
const text = fc.string({ maxLength: 20 });
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/);
const id = nullable(fc.string({ minLength: 1, maxLength: 40 }));
const callId = fc.string({ minLength: 1, maxLength: 32 });
const status = nullable(fc.constantFrom('in_progress', 'completed', 'incomplete'));
const inputText = record({ type: fc.constant('input_text'), text }, ['type', 'text']);
const detail = nullable(fc.constantFrom('low', 'high', 'auto'));
const imageUrl = fc.constantFrom('data:image/png;base64,AAAA', 'https://example.com/a.png');
const inputImage = record({ type: fc.constant('input_image'), image_url: imageUrl, detail }, ['type', 'image_url']);
const inputFile = record(
  { type: fc.constant('input_file'), filename: nullable(text), file_data: fc.base64String({ minLength: 4, maxLength: 40 }) },
  ['type', 'file_data'],
);
const outputText = record({ type: fc.constant('output_text'), text, annotations: fc.constant([]) }, ['type', 'text']);
const refusalPart = record({ type: fc.constant('refusal'), refusal: text }, ['type', 'refusal']);
const parts = (...of: fc.Arbitrary<object>[]): fc.Arbitrary<unknown> =>
  fc.oneof(text, fc.array(fc.oneof(...of), { maxLength: 3 }));
const message = (role: string, content: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  record({ type: fc.constant('message'), id, status, role: fc.constant(role), content }, ['type', 'role', 'content']);
const summary = fc.array(record({ type: fc.constant('summary_text'), text }, ['type', 'text']), { maxLength: 2 });

const item = fc.oneof(
  message('user', parts(inputText, inputImage, inputFile)),
  message('system', parts(inputText)),
  message('developer', parts(inputText)),
  message('assistant', parts(outputText, refusalPart)),
  record({ type: fc.constant('function_call'), id, call_id: callId, name, arguments: text, status }, [
    'type',
    'call_id',
    'name',
    'arguments',
  ]),
  record(
    { type: fc.constant('function_call_output'), id, call_id: callId, output: parts(inputText, inputImage, inputFile), status },
    ['type', 'call_id', 'output'],
  ),
  record({ type: fc.constant('reasoning'), id, summary, content: fc.constant(null), encrypted_content: nullable(text) }, [
    'type',
    'summary',
  ]),
  record({ type: fc.constant('compaction'), id, encrypted_content: text }, ['type', 'encrypted_content']),
  record({ type: fc.constant('item_reference'), id: fc.string({ minLength: 1, maxLength: 40 }) }, ['type', 'id']),
);

const tool = record(
  {
    type: fc.constant('function'),
    name,
    description: text,
    parameters: nullable(fc.constant({ type: 'object' })),
    strict: fc.boolean(),
  },
  ['type', 'name'],
);
const body = fc
  .record(
    {
      model: nullable(fc.string({ minLength: 1, maxLength: 20 })),
      input: fc.oneof(text, fc.array(item, { minLength: 1, maxLength: 4 })),
      instructions: nullable(text),
      previous_response_id: nullable(fc.string({ minLength: 1, maxLength: 20 })),
      include: fc.subarray(['reasoning.encrypted_content', 'message.output_text.logprobs']),
      tools: nullable(fc.uniqueArray(tool, { maxLength: 3, selector: (member) => ('name' in member ? member.name : '') })),
      metadata: nullable(fc.dictionary(fc.string({ maxLength: 20 }), text, { maxKeys: 16, noNullPrototype: true })),
      text: nullable(
        record(
          {
            format: fc.constantFrom(null, { type: 'text' }, { type: 'json_schema', name: 'n', schema: {}, strict: null }),
            verbosity: fc.constantFrom('low', 'high'),
          },
          [],
        ),
      ),
      temperature: nullable(fc.double({ min: 0, max: 2, noNaN: true })),
      top_p: nullable(fc.double({ min: 0, max: 1, noNaN: true })),
      presence_penalty: nullable(fc.double({ min: -2, max: 2, noNaN: true })),
      parallel_tool_calls: nullable(fc.boolean()),
      max_output_tokens: nullable(fc.integer({ min: 16 })),
      max_tool_calls: nullable(fc.integer({ min: 1 })),
      top_logprobs: nullable(fc.integer({ min: 0, max: 20 })),
      reasoning: nullable(
        record(
          {
            effort: fc.constantFrom(null, 'none', 'low', 'xhigh'),
            summary: fc.constantFrom(null, 'auto', 'detailed'),
          },
          [],
        ),
      ),
      safety_identifier: nullable(fc.string({ maxLength: 30 })),
      prompt_cache_key: nullable(fc.string({ maxLength: 30 })),
      truncation: fc.constantFrom('auto', 'disabled'),
      service_tier: fc.constantFrom('auto', 'default', 'flex', 'priority'),
      store: fc.boolean(),
      background: fc.constant(false),
    },
    { requiredKeys: ['input'] },
  )
  .chain((fields) => fc.constantFrom(fields, { ...fields, stream: true, stream_options: { include_obfuscation: false } }));

test.skipIf(!isThere)('what Open Responses allows is understood', () => {
  const validate = openSchema();
  let all = 0;
  fc.assert(
    fc.property(body, (sent) => {
      expect(validate(sent), JSON.stringify(validate.errors)).toBe(true);
      expect(refusal(sent)).toBeNull();
      all += 1;
    }),
    { numRuns: 1_000 },
  );
  console.log(`Open Responses requests: ${String(all)} of ${String(all)} parsed`);
});

// ---- single fields, both ways ----

const samples: readonly unknown[] = [
  ...[
    true,
    false,
    0,
    1,
    -1,
    15,
    16,
    20,
    21,
    0.5,
    2,
    2.5,
    1e300,
    '',
    'x',
    'auto',
    'disabled',
    'flex',
    'none',
    'required',
    'low',
    'medium',
    'x'.repeat(64),
    'x'.repeat(100),
    'x'.repeat(200),
  ],
  ...[
    [],
    {},
    [1],
    ['reasoning.encrypted_content'],
    ['x'],
    { a: 'b' },
    { a: 1 },
    { effort: 'low' },
    { effort: 5 },
    { summary: 'loud' },
    { verbosity: 'low' },
    { verbosity: 1 },
  ],
  ...[
    { include_obfuscation: true },
    { include_obfuscation: 'yes' },
    { format: { type: 'text' } },
    { format: 'text' },
    [{ type: 'function', name: 'f' }],
    [{ type: 'function', name: '' }],
  ],
];

/** Where we know better than the schema, and why. `+`: we accept more, `-`: less. */
const differences: readonly [sign: '+' | '-', field: string, reason: string][] = [
  ['+', 'safety_identifier', 'OpenAI allows 128 characters since 7.57'],
  ['-', 'model', 'an empty or endless name is a mistake'],
  ['-', 'previous_response_id', 'an empty id is a mistake'],
  ['-', 'background', 'true is not served yet'],
  ['-', 'input', 'an empty array gives a model nothing to answer'],
  ['-', 'tool_choice', 'the tools it names must be there'],
  ['-', 'temperature', 'between 0 and 2, as its description says'],
  ['-', 'top_p', 'between 0 and 1'],
  ['-', 'presence_penalty', 'OpenAI: between -2 and 2'],
  ['-', 'frequency_penalty', 'OpenAI: between -2 and 2'],
  ['-', 'max_output_tokens', 'no integer beyond 2^53'],
  ['-', 'max_tool_calls', 'no integer beyond 2^53'],
];

test.skipIf(!isThere)(
  'single fields: valid by the schema means accepted, invalid means refused, except where a reason is given',
  () => {
    const validate = openSchema();
    const document: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const fields = Object.keys(
      (document as { components: { schemas: { CreateResponseBody: { properties: object } } } }).components.schemas
        .CreateResponseBody.properties,
    );
    const surprises: string[] = [];
    const used = new Set<string>();
    let agreed = 0;
    for (const field of fields) {
      for (const sample of samples) {
        const sent = { input: 'hi', ...(field === 'stream_options' && { stream: true }), [field]: sample };
        const isValid = validate(sent);
        const error = refusal(sent);
        const sign = isValid ? '-' : '+';
        if (isValid === (error === null)) agreed += 1;
        else if (differences.some((known) => known[0] === sign && known[1] === field)) used.add(sign + field);
        else surprises.push(`${field} = ${JSON.stringify(sample)}: schema ${String(isValid)}, here ${error ?? 'accepted'}`);
      }
    }
    console.log(
      `fields of Open Responses: ${String(agreed)} of ${String(fields.length * samples.length)} agree, ${String(surprises.length)} differ without a reason`,
    );
    expect(surprises).toEqual([]);
    expect(
      differences.filter(([sign, field]) => !used.has(sign + field)),
      'reasons that nothing needs any more',
    ).toEqual([]);
  },
);
