import { describe, expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { parseCreateResponse } from './parse-create-response.ts';

const failure = (fields: object): { code: string; param: string | null; message: string } => {
  const { code, param, message } = errorOf(() => parseCreateResponse({ input: 'hi', ...fields }));
  return { code, param, message };
};
const accepts = (fields: object): void => {
  expect(() => parseCreateResponse({ input: 'hi', ...fields })).not.toThrow();
};

describe('limits, just inside and just outside', () => {
  const integer = (field: string, min: number | null, max: number | null): [string, unknown, unknown, string][] => [
    ...(min === null ? [] : [[field, min, min - 1, 'integer_below_min_value'] satisfies [string, unknown, unknown, string]]),
    ...(max === null ? [] : [[field, max, max + 1, 'integer_above_max_value'] satisfies [string, unknown, unknown, string]]),
  ];
  const decimal = (field: string, min: number, max: number): [string, unknown, unknown, string][] => [
    [field, min, min - 0.001, 'decimal_below_min_value'],
    [field, max, max + 0.001, 'decimal_above_max_value'],
  ];
  const length = (field: string, max: number): [string, unknown, unknown, string] => [
    field,
    'x'.repeat(max),
    'x'.repeat(max + 1),
    'string_above_max_length',
  ];

  test.each([
    ...integer('max_output_tokens', 16, Number.MAX_SAFE_INTEGER),
    ...integer('max_tool_calls', 1, null),
    ...integer('top_logprobs', 0, 20),
    ...decimal('temperature', 0, 2),
    ...decimal('top_p', 0, 1),
    ...decimal('presence_penalty', -2, 2),
    ...decimal('frequency_penalty', -2, 2),
    ['timeout', 0.001, 0, 'decimal_below_min_value'] as const,
    ['timeout', 86_400, Infinity, 'decimal_above_max_value'] as const,
    length('safety_identifier', 128),
    length('prompt_cache_key', 64),
    length('model', 512),
    length('previous_response_id', 512),
    length('input', 10_485_760),
    ['model', 'm', '', 'string_below_min_length'] as const,
    ['context_management', [{ type: 'compaction' }], [], 'empty_array'] as const,
  ])('%s (%#)', (field, inside, outside, code) => {
    accepts({ [field]: inside });
    expect(failure({ [field]: outside })).toMatchObject({ code, param: field });
  });

  test('a length counts characters, not UTF-16 code units', () => {
    accepts({ prompt_cache_key: '🎵'.repeat(64) });
    expect(failure({ prompt_cache_key: '🎵'.repeat(65) }).message).toContain(
      'maximum length 64, but got a string with length 65',
    );
  });

  test('metadata: 16 pairs, keys of 64, values of 512 characters', () => {
    const pairs = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${String(n)}`, 'v']));
    accepts({ metadata: pairs(16) });
    expect(failure({ metadata: pairs(17) })).toMatchObject({ code: 'object_above_max_properties', param: 'metadata' });
    accepts({ metadata: { ['🎵'.repeat(64)]: '🎵'.repeat(512) } });
    expect(failure({ metadata: { ['k'.repeat(65)]: 'v' } })).toMatchObject({
      code: 'string_above_max_length',
      param: 'metadata',
    });
    expect(failure({ metadata: { k: 'v'.repeat(513) } })).toMatchObject({ code: 'string_above_max_length', param: 'metadata.k' });
  });
});
