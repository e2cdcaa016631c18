import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../model/errors.ts';
import { classifyCascadeFailure, type CascadeFailure } from './classify-cascade-failure.ts';
import { faultKindOf, isCascadeGone, mapCascadeError, type CascadeErrorContext } from './map-cascade-error.ts';

const context: CascadeErrorContext = { backendName: 'agent', method: 'SomeCall', hasCsrfToken: true, hasToken: false };

function failure(
  status: number | null,
  code: string,
  text: string | null = null,
  retryAfter: number | null = null,
): CascadeFailure {
  return { status, code, text, retryAfter };
}

const map = (one: CascadeFailure, more: Partial<CascadeErrorContext> = {}): GatewayError =>
  mapCascadeError(one, { ...context, ...more });

describe('500 `unknown` is told apart by its words', () => {
  test.each([
    ['trajectory not found: 5b1f', 'gone', 'upstream_error'],
    ['rpc error: cascade 5b1f not found', 'gone', 'upstream_error'],
    ['no such conversation', 'gone', 'upstream_error'],
    ['neither PlanModel nor RequestedModel specified', 'model', 'model_not_found'],
    ['model not found', 'model', 'model_not_found'],
    ['model MODEL_X not found', 'model', 'model_not_found'],
    ['unknown model: MODEL_X', 'model', 'model_not_found'],
    ['cascade has not processed the previous input', 'busy', 'upstream_overloaded'],
    ['executor is busy', 'busy', 'upstream_overloaded'],
    ['already canceling', 'busy', 'upstream_overloaded'],
    ['reactive state is disabled', 'unserved', 'upstream_error'],
    ['reactive state is deprecated', 'unserved', 'upstream_error'],
    ['subscription closed by repeat id', 'failed', 'upstream_error'],
    ['missing CSRF token', 'csrf', 'upstream_auth_failed'],
    ['invalid access token', 'token', 'upstream_auth_failed'],
    ['user is not logged in', 'token', 'upstream_auth_failed'],
    ['RESOURCE_EXHAUSTED: too many requests', 'rate', 'rate_limit_exceeded'],
    ['you have exceeded your quota', 'quota', 'insufficient_quota'],
    ['prompt is too long: input token count exceeds the maximum', 'context', 'context_length_exceeded'],
    ['the model is overloaded', 'overloaded', 'upstream_overloaded'],
    ['something else', 'failed', 'upstream_error'],
  ] as const)('%s → %s', (text, kind, code) => {
    const error = map(failure(500, 'unknown', text));
    expect(error).toMatchObject({ code });
    expect(faultKindOf(error)).toBe(kind);
    expect(isCascadeGone(error)).toBe(kind === 'gone');
  });
});

describe('Connect codes', () => {
  test.each([
    [{ status: 401, code: 'unauthenticated', text: null }, 'token', 'upstream_auth_failed'],
    [{ status: 403, code: 'permission_denied', text: null }, 'forbidden', 'upstream_auth_failed'],
    [{ status: 501, code: 'unimplemented', text: null }, 'unserved', 'upstream_error'],
    [{ status: 404, code: 'not_found', text: null }, 'gone', 'upstream_error'],
    [{ status: 404, code: 'not_found', text: 'model X not found' }, 'model', 'model_not_found'],
    [{ status: 429, code: 'resource_exhausted', text: 'slow down' }, 'rate', 'rate_limit_exceeded'],
    [{ status: 429, code: 'resource_exhausted', text: 'monthly quota used up' }, 'quota', 'insufficient_quota'],
    [{ status: 429, code: 'resource_exhausted', text: 'quota exceeded, try again in a minute' }, 'rate', 'rate_limit_exceeded'],
    [{ status: 503, code: 'unavailable', text: 'starting' }, 'overloaded', 'upstream_overloaded'],
    [
      { status: 503, code: 'unavailable', text: 'dial tcp 1.2.3.4:443: connection refused' },
      'unreachable',
      'upstream_unreachable',
    ],
    [{ status: 504, code: 'deadline_exceeded', text: null }, 'timeout', 'upstream_timeout'],
    [{ status: 400, code: 'invalid_argument', text: 'bad media' }, 'refused', 'invalid_request_error'],
    [{ status: 400, code: 'failed_precondition', text: 'not now' }, 'failed', 'upstream_error'],
    [{ status: 499, code: 'canceled', text: null }, 'failed', 'upstream_error'],
    [{ status: 500, code: 'internal', text: null }, 'failed', 'upstream_error'],
    [{ status: null, code: 'unauthenticated', text: null }, 'token', 'upstream_auth_failed'],
    [{ status: null, code: 'unimplemented', text: null }, 'unserved', 'upstream_error'],
    [{ status: null, code: '', text: null }, 'failed', 'upstream_error'],
  ] as const)('%j → %s', ({ status, code, text }, kind, ours) => {
    const error = map(failure(status, code, text));
    expect(error.code).toBe(ours);
    expect(faultKindOf(error)).toBe(kind);
  });
});

test.each([
  [401, 'upstream_auth_failed'],
  [402, 'insufficient_quota'],
  [403, 'upstream_auth_failed'],
  [404, 'upstream_error'],
  [405, 'upstream_error'],
  [408, 'upstream_timeout'],
  [413, 'invalid_request_error'],
  [429, 'rate_limit_exceeded'],
  [502, 'upstream_error'],
  [503, 'upstream_overloaded'],
  [504, 'upstream_timeout'],
  [302, 'upstream_error'],
] as const)('a bare HTTP %d → %s', (status, code) => {
  expect(map(failure(status, '')).code).toBe(code);
});

describe('the message', () => {
  test('names the backend, the call and the words of the server', () => {
    expect(map(failure(500, 'unknown', 'boom')).message).toBe(
      'The agent server of the backend agent failed (SomeCall, HTTP 500). It said: boom',
    );
    expect(map(failure(null, 'internal')).message).toBe('The agent server of the backend agent failed (SomeCall).');
    expect(map(failure(301, '')).message).toMatch(/redirect \(HTTP 301\).*base_url/);
    expect(map(failure(404, '')).message).toMatch(/does not serve the call SomeCall.*base_url/);
  });

  test.each([
    ['csrf', { hasCsrfToken: false }, /set csrf_token/],
    ['csrf', { hasCsrfToken: true }, /csrf_token must be/],
    ['unauthenticated', { hasToken: true }, /token, token_file or token_command/],
    ['unauthenticated', { hasToken: false, hasCsrfToken: true }, /csrf_token; if the server wants an access token/],
    ['unauthenticated', { hasToken: false, hasCsrfToken: false }, /set csrf_token.*or token/],
    ['permission_denied', { hasToken: true }, /csrf_token and its token/],
  ] as const)('%s %j: the setting to check, and none of the server’s words', (word, more, expected) => {
    const error = map(word === 'csrf' ? failure(403, '', 'csrf canary') : failure(401, word, 'canary'), more);
    expect(error).toMatchObject({ code: 'upstream_auth_failed', status: 502 });
    expect(error.message).toMatch(expected);
    expect(error.message).not.toContain('canary');
  });

  test('what a client can act upon names its parameter; when to come back is passed on', () => {
    expect(map(failure(500, 'unknown', 'model not found')).param).toBe('model');
    expect(map(failure(400, 'invalid_argument', 'context length exceeded')).param).toBe('input');
    expect(map(failure(429, 'resource_exhausted', 'quota', 30))).toMatchObject({ code: 'rate_limit_exceeded', retryAfter: 30 });
  });
});

describe('recognising an error', () => {
  test('also when it was made final or wrapped', () => {
    const gone = map(failure(500, 'unknown', 'trajectory not found: x'));
    expect(isCascadeGone(gone.asFinal())).toBe(true);
    expect(isCascadeGone(new GatewayError('upstream_error', 'wrapped', { cause: gone }))).toBe(true);
  });

  test.each([
    null,
    undefined,
    'trajectory not found',
    new Error('trajectory not found'),
    new GatewayError('upstream_error', 'x'),
  ])('never by its words (%s)', (thrown) => {
    expect(isCascadeGone(thrown)).toBe(false);
    expect(faultKindOf(thrown)).toBeNull();
  });
});

test('whatever a server answers, there is a kind and an error', () => {
  const anyFailure = fc.record({
    status: fc.option(fc.integer({ min: 100, max: 599 })),
    code: fc.oneof(fc.string(), fc.constantFrom('unknown', 'unavailable', 'not_found')),
    text: fc.option(fc.string()),
    retryAfter: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(anyFailure, (one) => {
      expect(faultKindOf(map(one))).toBe(classifyCascadeFailure(one));
    }),
  );
});
