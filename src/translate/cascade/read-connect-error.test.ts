import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readConnectError } from './read-connect-error.ts';

test('code, words and when to come back', () => {
  const details = [null, { type: 'google.rpc.Help' }, { type: 'google.rpc.RetryInfo', debug: { retryDelay: '34.4s' } }];
  expect(readConnectError({ code: 'Resource_Exhausted', message: 'slow', details })).toEqual({
    code: 'resource_exhausted',
    message: 'slow',
    retryAfter: 35,
  });
});

test.each([undefined, null, {}, [], 'text', { code: 16, message: null, details: {} }])('%j has nothing to say', (value) => {
  expect(readConnectError(value)).toEqual({ code: '', message: '', retryAfter: null });
});

test('a delay that is none', () => {
  for (const retryDelay of ['', 'soon', '-1s', '5', '1e9s', 7]) {
    expect(readConnectError({ details: [{ debug: { retryDelay } }] }).retryAfter).toBeNull();
  }
});

test('whatever comes, nothing throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(typeof readConnectError(value).message).toBe('string');
      expect(typeof readConnectError({ details: value }).code).toBe('string');
    }),
  );
});
