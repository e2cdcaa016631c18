import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { GatewayError } from '../../model/errors.ts';
import { parseCreateResponse, parseInputTokens } from './parse-create-response.ts';

type Kind = 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** Fourteen kinds of JSON, each with the kinds it counts as. Strings and numbers are outside of every list and limit, so that only types matter below. */
const values: readonly { readonly name: string; readonly value: unknown; readonly kinds: readonly Kind[] }[] = [
  { name: 'true', value: true, kinds: ['boolean'] },
  { name: 'false', value: false, kinds: ['boolean'] },
  { name: 'zero', value: 0, kinds: ['integer', 'number'] },
  { name: 'a negative integer', value: -1, kinds: ['integer', 'number'] },
  { name: 'a decimal', value: 0.5, kinds: ['number'] },
  { name: 'a huge integer', value: 1e300, kinds: ['integer', 'number'] },
  { name: 'more than a double holds', value: JSON.parse('1e999'), kinds: ['number'] },
  { name: 'an empty string', value: '', kinds: ['string'] },
  { name: 'a word', value: 'nonsense', kinds: ['string'] },
  { name: 'a numeral', value: '17', kinds: ['string'] },
  { name: 'an empty array', value: [], kinds: ['array'] },
  { name: 'an array of null', value: [null], kinds: ['array'] },
  { name: 'an empty object', value: {}, kinds: ['object'] },
  {
    name: 'an object without a prototype member',
    value: JSON.parse('{"__proto__":{"type":"x"},"toString":1}'),
    kinds: ['object'],
  },
];

/** Every place of a body that has one type: how to put a value there, and what may stand there. `param` is where an error must be. */
interface Place {
  readonly param: string;
  readonly kinds: readonly Kind[];
  readonly body: (value: unknown) => unknown;
}

const top = (param: string, ...kinds: Kind[]): Place => ({ param, kinds, body: (value) => ({ input: 'hi', [param]: value }) });
const inside = (param: string, body: (value: unknown) => object, ...kinds: Kind[]): Place => ({
  param,
  kinds,
  body: (value) => ({ input: 'hi', ...body(value) }),
});
const item = (member: string, rest: object, ...kinds: Kind[]): Place =>
  inside(`input[0].${member}`, (value) => ({ input: [{ ...rest, [member]: value }] }), ...kinds);
const part = (member: string, rest: object, ...kinds: Kind[]): Place =>
  inside(
    `input[0].content[0].${member}`,
    (value) => ({ input: [{ role: 'user', content: [{ ...rest, [member]: value }] }] }),
    ...kinds,
  );
const tool = (member: string, ...kinds: Kind[]): Place =>
  inside(`tools[0].${member}`, (value) => ({ tools: [{ type: 'function', name: 'f', [member]: value }] }), ...kinds);
const format = (member: string, ...kinds: Kind[]): Place =>
  inside(
    `text.format.${member}`,
    (value) => ({ text: { format: { type: 'json_schema', name: 'n', schema: {}, [member]: value } } }),
    ...kinds,
  );

const places: readonly Place[] = [
  ...['model', 'instructions', 'previous_response_id', 'safety_identifier', 'prompt_cache_key', 'user', 'truncation'].map(
    (name) => top(name, 'string'),
  ),
  ...['service_tier', 'prompt_cache_retention', 'personality'].map((name) => top(name, 'string')),
  ...['store', 'background', 'stream', 'parallel_tool_calls', 'generate'].map((name) => top(name, 'boolean')),
  ...['max_tool_calls', 'max_output_tokens', 'top_logprobs'].map((name) => top(name, 'integer')),
  ...['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'timeout'].map((name) => top(name, 'number')),
  ...['include', 'tools', 'context_management'].map((name) => top(name, 'array')),
  ...['text', 'reasoning', 'metadata', 'stream_options', 'client_metadata', 'access_programs'].map((name) => top(name, 'object')),
  ...['prompt_cache_options', 'moderation', 'image'].map((name) => top(name, 'object')),
  top('input', 'string', 'array'),
  top('conversation', 'string', 'object'),
  top('tool_choice', 'string', 'object'),
  inside(
    'stream_options.include_obfuscation',
    (value) => ({ stream: true, stream_options: { include_obfuscation: value } }),
    'boolean',
  ),
  inside('conversation.id', (id) => ({ conversation: { id } }), 'string'),
  inside('metadata.k', (k) => ({ metadata: { k } }), 'string'),
  inside('include[0]', (value) => ({ include: [value] }), 'string'),
  inside('input[0]', (value) => ({ input: [value] }), 'object'),
  inside('tools[0]', (value) => ({ tools: [value] }), 'object'),
  inside('tools[0].type', (type) => ({ tools: [{ type }] }), 'string'),
  inside('tool_choice.type', (type) => ({ tool_choice: { type } }), 'string'),
  inside('tool_choice.name', (name) => ({ tool_choice: { type: 'function', name } }), 'string'),
  inside('tool_choice.tools', (tools) => ({ tool_choice: { type: 'allowed_tools', tools } }), 'array'),
  inside('tool_choice.tools[0]', (value) => ({ tool_choice: { type: 'allowed_tools', tools: [value] } }), 'object'),
  inside('text.format', (value) => ({ text: { format: value } }), 'object'),
  inside('text.format.type', (type) => ({ text: { format: { type } } }), 'string'),
  inside('text.verbosity', (verbosity) => ({ text: { verbosity } }), 'string'),
  ...['effort', 'summary', 'generate_summary', 'context', 'mode'].map((name) =>
    inside(`reasoning.${name}`, (value) => ({ reasoning: { [name]: value } }), 'string'),
  ),
  ...['name', 'description'].map((name) => tool(name, 'string')),
  ...['strict', 'defer_loading', 'async'].map((name) => tool(name, 'boolean')),
  tool('parameters', 'object'),
  tool('allowed_callers', 'array'),
  ...['name', 'description'].map((name) => format(name, 'string')),
  format('schema', 'object'),
  format('strict', 'boolean'),
  item('type', {}, 'string'),
  item('role', { content: 'x' }, 'string'),
  item('content', { role: 'user' }, 'string', 'array'),
  ...['id', 'status', 'phase'].map((name) => item(name, { role: 'user', content: 'x' }, 'string')),
  ...['call_id', 'name', 'arguments', 'namespace', 'id', 'status'].map((name) =>
    item(name, { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }, 'string'),
  ),
  item('output', { type: 'function_call_output', call_id: 'c' }, 'string', 'array'),
  item('summary', { type: 'reasoning' }, 'array'),
  item('content', { type: 'reasoning', summary: [] }, 'array'),
  item('encrypted_content', { type: 'reasoning', summary: [] }, 'string'),
  item('id', { type: 'item_reference' }, 'string'),
  item('id', { type: 'web_search_call' }, 'string'),
  inside('input[0].content[0]', (value) => ({ input: [{ role: 'user', content: [value] }] }), 'object'),
  part('type', {}, 'string'),
  part('text', { type: 'input_text' }, 'string'),
  part('image_url', { type: 'input_image' }, 'string', 'object'),
  ...['file_id', 'detail'].map((name) => part(name, { type: 'input_image', file_id: 'f' }, 'string')),
  ...['file_id', 'file_data', 'file_url'].map((name) => part(name, { type: 'input_file' }, 'string')),
  part('filename', { type: 'input_file', file_id: 'f' }, 'string'),
];

describe.each(places)('$param ($kinds)', ({ param, kinds, body }) => {
  test.each(values)('$name', ({ value, kinds: is }) => {
    const sent = body(value);
    const before = JSON.stringify(sent);
    if (is.some((kind) => kinds.includes(kind))) {
      // The right type may still be a wrong value, but never another place's error and never a crash.
      try {
        parseCreateResponse(sent);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(GatewayError);
        expect(thrown).toMatchObject({ status: 400 });
        expect(thrown).not.toMatchObject({ code: 'invalid_type', param });
      }
    } else {
      const error = errorOf(() => parseCreateResponse(sent));
      expect({ status: error.status, code: error.code, param: error.param }).toEqual({
        status: 400,
        code: 'invalid_type',
        param,
      });
      expect(error.message).toMatch(/^Invalid type for '.*': expected .*, but got .* instead\.$/);
    }
    expect(JSON.stringify(sent), 'the body is left alone').toBe(before);
  });
});

test('a body that is no object', () => {
  for (const body of [undefined, null, true, 1, 'x', []]) {
    expect(errorOf(() => parseCreateResponse(body))).toMatchObject({ status: 400, param: 'body' });
    expect(errorOf(() => parseInputTokens(body))).toMatchObject({ status: 400, param: 'body' });
  }
});

/** Members of a parsed request that only other dialects can fill. */
const ofOtherDoors = ['stop', 'seed', 'top_k', 'thinking_budget', 'wishes_summary'];

test('null counts as absent for every optional top-level field', () => {
  const plain = parseCreateResponse({ input: 'hi' });
  const names = [
    ...Object.keys(plain.request).filter((name) => !ofOtherDoors.includes(name)),
    'prompt',
    'stream_options',
    'moderation',
    'context_management',
    'image',
    'client_metadata',
    'generate',
  ];
  const nulls = Object.fromEntries(names.filter((name) => name !== 'input').map((name) => [name, null]));
  expect(parseCreateResponse({ ...nulls, input: 'hi' })).toEqual(plain);
});

/** Bodies that look like requests: known names and words everywhere, anything as values. */
const word = fc.constantFrom(
  'message',
  'function',
  'user',
  'auto',
  'input_text',
  'json_schema',
  'allowed_tools',
  'function_call',
  'custom',
  'data:image/png;base64,AA==',
);
const names = [
  'type',
  'role',
  'content',
  'name',
  'id',
  'text',
  'tools',
  'format',
  'schema',
  'call_id',
  'output',
  'summary',
  'image_url',
  'function',
  '__proto__',
];
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, word, fc.jsonValue({ maxDepth: 1 }), fc.array(tie('tree'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 5, noNullPrototype: false }),
}));
const fields = [
  'input',
  'tools',
  'tool_choice',
  'text',
  'reasoning',
  'metadata',
  'include',
  'temperature',
  'stream',
  'conversation',
  'timeout',
  'context_management',
  'x',
];
const body = fc.dictionary(fc.constantFrom(...fields), tree, { maxKeys: 4 });

test('any body is a request or a 400 with a param', () => {
  let requests = 0;
  const check = (sent: unknown): void => {
    for (const parse of [parseCreateResponse, parseInputTokens]) {
      try {
        const { request, losses } = parse(sent);
        requests += 1;
        expect(Array.isArray(request.input) && Array.isArray(losses)).toBe(true);
      } catch (thrown) {
        if (!(thrown instanceof GatewayError)) throw thrown;
        expect({ status: thrown.status, hasParam: thrown.param !== null && thrown.param !== '' }).toEqual({
          status: 400,
          hasParam: true,
        });
      }
    }
  };
  fc.assert(fc.property(body, check), { numRuns: 3_000 });
  fc.assert(fc.property(fc.jsonValue(), check), { numRuns: 500 });
  fc.assert(
    fc.property(fc.tuple(body, tree), ([sent, choice]) => {
      check({ ...sent, input: 'hi', tool_choice: choice });
    }),
    { numRuns: 1_000 },
  );
  expect(requests, 'some of them are good requests').toBeGreaterThan(100);
});
