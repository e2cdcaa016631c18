import { expect, test } from 'vitest';
import { GatewayError } from '../../model/errors.ts';
import { Secret } from '../../model/secret.ts';
import { mapAiSdkError } from './map-ai-sdk-error.ts';
import { findOptionSecrets } from './option-secrets.ts';

const context = { backendName: 'fake', secrets: [new Secret('sk-very-secret')] };
const named = (name: string, message = 'of sk-very-secret', more: object = {}): Error =>
  Object.assign(new Error(message), { name, ...more });
const network = (code: string): Error =>
  Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(code), { code }) });

test.each<[string, unknown, string]>([
  [
    'a status',
    named('AI_APICallError', 'x', { statusCode: 503, responseHeaders: { A: 'b' }, responseBody: '<html>' }),
    'upstream_overloaded',
  ],
  [
    'a status with a body',
    named('AI_APICallError', 'x', { statusCode: 400, responseBody: '{"error":{"message":"maximum context"}}' }),
    'context_length_exceeded',
  ],
  [
    'no status',
    named('AI_APICallError', 'Cannot connect', { url: 'http://a.example/v1', cause: network('ECONNREFUSED') }),
    'upstream_unreachable',
  ],
  ['a certificate', named('AI_APICallError', 'x', { cause: network('DEPTH_ZERO_SELF_SIGNED_CERT') }), 'upstream_tls_error'],
  ['the network', network('ECONNRESET'), 'upstream_unreachable'],
  ['an unknown model', named('AI_NoSuchModelError'), 'model_not_found'],
  ['a missing key', named('AI_LoadAPIKeyError', 'set XAI_API_KEY'), 'upstream_auth_failed'],
  ['what it cannot do', named('AI_UnsupportedFunctionalityError'), 'invalid_request_error'],
  ['an answer it cannot read', named('AI_TypeValidationError', 'Value: {"content":"private"}'), 'upstream_invalid_response'],
  [
    'an answer cut off',
    named('AI_InvalidResponseDataError', 'Response stream ended without a finish reason.'),
    'upstream_truncated',
  ],
  ['other data', named('AI_InvalidResponseDataError', 'Expected id'), 'upstream_invalid_response'],
  ['an error body', { type: 'overloaded_error', message: 'sk-very-secret' }, 'upstream_overloaded'],
  ['an error text', 'broken sk-very-secret', 'upstream_error'],
  ['a stranger', named('Odd'), 'upstream_error'],
  ['nothing', undefined, 'upstream_error'],
])('%s', (_what, thrown, code) => {
  const error = mapAiSdkError(thrown, context, false);
  expect(error).toMatchObject({ code });
  expect(error.message).not.toMatch(/very-secret|private|<html>/);
});

test('what breaks in the middle of an answer was cut', () => {
  expect(mapAiSdkError(network('ECONNRESET'), context, true)).toMatchObject({ code: 'upstream_truncated' });
  expect(mapAiSdkError(new TypeError('terminated'), context, true)).toMatchObject({ code: 'upstream_truncated' });
});

test('our own errors stay as they are', () => {
  const own = new GatewayError('upstream_timeout', 'x');
  expect(mapAiSdkError(own, context, true)).toBe(own);
});

test('credentials are found by their names, at any depth, with and without their scheme', () => {
  const options = {
    apiKey: 'key-12345678',
    baseURL: 'https://a.example',
    headers: { 'x-any': 'Bearer abcdefgh-1' },
    list: [{ token: ['tok-1234567'] }],
    short: { key: 'a' },
  };
  expect(findOptionSecrets(options).map((secret) => secret.reveal())).toEqual([
    'Bearer abcdefgh-1',
    'key-12345678',
    'tok-1234567',
    'abcdefgh-1',
  ]);
});
