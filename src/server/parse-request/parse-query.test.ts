import { expect, test } from 'vitest';
import { errorOf } from '../../../test/error-of.ts';
import { parseInputItemsQuery, parseRetrieveQuery } from './parse-query.ts';

const items = (query: string): unknown => parseInputItemsQuery(new URLSearchParams(query));
const retrieve = (query: string): unknown => parseRetrieveQuery(new URLSearchParams(query));

test('input items: defaults and values', () => {
  const defaults = { limit: 20, order: 'desc', after: null, include: [] };
  expect(items('')).toEqual(defaults);
  expect(items('limit=&order=&after=&include=&beta=true')).toEqual(defaults);
  expect(items('limit=1&order=asc&after=msg_1')).toEqual({ limit: 1, order: 'asc', after: 'msg_1', include: [] });
  expect(items('limit=100')).toMatchObject({ limit: 100 });
});

test.each([
  'include[]=reasoning.encrypted_content',
  'include%5B%5D=reasoning.encrypted_content',
  'include=reasoning.encrypted_content',
])('%s', (query) => {
  expect(items(query)).toMatchObject({ include: ['reasoning.encrypted_content'] });
  expect(retrieve(query)).toMatchObject({ include: ['reasoning.encrypted_content'] });
});

test.each([
  ['limit=0', 'integer_below_min_value', 'limit'],
  ['limit=-1', 'integer_below_min_value', 'limit'],
  ['limit=101', 'integer_above_max_value', 'limit'],
  ['limit=ten', 'invalid_type', 'limit'],
  ['limit=1.5', 'invalid_type', 'limit'],
  ['limit=0x10', 'invalid_type', 'limit'],
  ['limit=99999999999999999999', 'invalid_type', 'limit'],
  ['order=up', 'invalid_value', 'order'],
  [`after=${'x'.repeat(513)}`, 'string_above_max_length', 'after'],
  ['include[]=reasoning.encrypted_content&include[]=x', 'invalid_value', 'include[1]'],
])('input items: %.60s is refused', (query, code, param) => {
  expect(errorOf(() => items(query))).toMatchObject({ status: 400, code, param });
});

test('retrieve: defaults and values', () => {
  expect(retrieve('')).toEqual({ stream: false, startingAfter: null, include: [], includeObfuscation: null });
  expect(retrieve('stream=true&starting_after=0&include_obfuscation=false')).toEqual({
    stream: true,
    startingAfter: 0,
    include: [],
    includeObfuscation: false,
  });
});

test.each([
  ['stream=yes', 'invalid_type', 'stream'],
  ['include_obfuscation=2', 'invalid_type', 'include_obfuscation'],
  ['starting_after=-1', 'integer_below_min_value', 'starting_after'],
  ['starting_after=last', 'invalid_type', 'starting_after'],
  ['include=x', 'invalid_value', 'include[0]'],
])('retrieve: %s is refused', (query, code, param) => {
  expect(errorOf(() => retrieve(query))).toMatchObject({ status: 400, code, param });
});
