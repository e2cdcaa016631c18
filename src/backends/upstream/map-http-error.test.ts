import { describe, expect, test } from 'vitest';
import { Secret } from '../../model/secret.ts';
import { mapHttpError, type FailureDetail } from './map-http-error.ts';
import type { GatewayError } from '../../model/errors.ts';

const secrets = [new Secret('sk-canary-1234'), new Secret('')];

function mapped(
  status: number,
  body: unknown = '',
  more: { headers?: Record<string, string>; detail?: FailureDetail } = {},
): GatewayError {
  const failure = { status, headers: more.headers ?? {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
  return mapHttpError(failure, { backendName: 'local', secrets, ...(more.detail !== undefined && { detail: more.detail }) });
}

const said = (message: string, code?: string): unknown => ({ error: { message, type: 'x', param: null, code: code ?? null } });

describe('status → error', () => {
  test.each([
    [400, 'invalid_request_error', 400],
    [409, 'invalid_request_error', 400],
    [413, 'invalid_request_error', 413],
    [422, 'invalid_request_error', 400],
    [401, 'upstream_auth_failed', 502],
    [403, 'upstream_auth_failed', 502],
    [402, 'insufficient_quota', 429],
    [404, 'model_not_found', 400],
    [405, 'upstream_error', 502],
    [408, 'upstream_timeout', 504],
    [504, 'upstream_timeout', 504],
    [429, 'rate_limit_exceeded', 429],
    [500, 'upstream_error', 502],
    [502, 'upstream_error', 502],
    [503, 'upstream_overloaded', 503],
    [529, 'upstream_overloaded', 503],
    [301, 'upstream_error', 502],
    [304, 'upstream_error', 502],
    [599, 'upstream_error', 502],
  ])('%i → %s, HTTP %i, with any body', (status, code, shown) => {
    for (const body of [
      '',
      '<html><body><h1>Bad</h1></body></html>',
      'plain',
      said('sad story'),
      [said('sad story')],
      'x'.repeat(64 * 1024),
    ]) {
      const error = mapped(status, body);
      expect(error).toMatchObject({ code, status: shown });
      expect(error.message).not.toMatch(/<|plain|xxx/);
      expect(error.message).not.toBe('');
    }
  });

  test('404 names the parameter model; the rest names none', () => {
    expect(mapped(404).param).toBe('model');
    expect(mapped(400).param).toBeNull();
  });

  test("401 names the backend and whose matter its key is, and keeps the server's words to the log", () => {
    const error = mapped(401, said('Incorrect API key provided: sk-other'));
    expect(error.message).toMatch(/backend local .*operator/);
    expect(error.message).not.toContain('sk-other');
    expect(String(error.cause)).toContain('Incorrect API key');
  });
});

describe('context overflow', () => {
  test.each([
    [400, said("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.")],
    [400, said('too long', 'context_length_exceeded')],
    [
      400,
      {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error',
        },
      },
    ],
    [500, { error: { code: 500, message: 'exceeds', type: 'exceed_context_size_error' } }],
    [400, said('The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).')],
    [413, said('prompt exceeds the maximum length')],
    [422, said('Prompt does not fit the context window')],
  ])('%i %j → context_length_exceeded', (status, body) => {
    expect(mapped(status, body)).toMatchObject({ code: 'context_length_exceeded', status: 400, param: 'input' });
  });

  test.each([
    [400, said('max_tokens: 5000 exceeds the maximum value 4096'), 'invalid_request_error'],
    [429, said('Too many tokens per minute: context length 1'), 'rate_limit_exceeded'],
    [500, said('boom'), 'upstream_error'],
  ])('%i %j is not', (status, body, code) => {
    expect(mapped(status, body).code).toBe(code);
  });
});

describe('429', () => {
  test.each([
    ['code', said('You exceeded', 'insufficient_quota'), {}, 'insufficient_quota'],
    ['code with retry-after', said('You exceeded', 'insufficient_quota'), { 'retry-after': '3' }, 'insufficient_quota'],
    ['words', said('You exceeded your current quota, please check your plan and billing details.'), {}, 'insufficient_quota'],
    [
      'words with retry-after',
      said('You exceeded your current quota, please check your plan and billing details.'),
      { 'retry-after': '3' },
      'rate_limit_exceeded',
    ],
    ['other words', said('Slow down'), {}, 'rate_limit_exceeded'],
  ])('%s', (_name, body, headers, code) => {
    expect(mapped(429, body, { headers: headers }).code).toBe(code);
  });

  test('retry-after is passed on; what the backend found goes first and is held to a day', () => {
    expect(mapped(429, '', { headers: { 'retry-after': '7' } }).retryAfter).toBe(7);
    expect(mapped(503, '', { headers: { 'retry-after-ms': '1200' } }).retryAfter).toBe(2);
    expect(mapped(429, '', { headers: { 'retry-after': '7' }, detail: { retryAfter: 34.4 } }).retryAfter).toBe(35);
    expect(mapped(429, '', { detail: { retryAfter: 1e9 } }).retryAfter).toBe(86_400);
    expect(mapped(429, '', { headers: { 'retry-after': '7' }, detail: { retryAfter: -1 } }).retryAfter).toBe(7);
    expect(mapped(429).retryAfter).toBeNull();
  });
});

describe("the server's words", () => {
  test.each([
    ['error.message', { error: { message: 'bad tool' } }],
    ['message', { object: 'error', message: 'bad tool' }],
    ['error as text', { error: 'bad tool' }],
    ['array', [{ error: { message: 'bad tool' } }]],
    ['control characters and lines', { error: { message: ' bad\r\n\t\u0000 tool\u001b ' } }],
  ])('%s', (_name, body) => {
    expect(mapped(400, body).message).toBe('bad tool');
  });

  test.each([
    ['unknown place', { detail: 'bad tool' }],
    ['wrong type', { error: { message: ['bad tool'] } }],
    ['HTML', { error: { message: '<!DOCTYPE html><title>bad tool</title>' } }],
    ['HTML inside', { error: { message: 'nginx: <center><h1>bad tool</h1></center>' } }],
    ['empty', { error: { message: ' \n ' } }],
    ['cut JSON', '{"error":{"message":"bad tool'],
  ])('nothing from: %s', (_name, body) => {
    expect(mapped(400, body).message).toBe('The backend local refused the request (HTTP 400).');
  });

  test('a backend may say where they are', () => {
    expect(mapped(400, 'x', { detail: { message: 'bad tool' } }).message).toBe('bad tool');
    expect(mapped(500, 'x', { detail: { message: 'bad tool' } }).message).toBe(
      'The backend local failed (HTTP 500). It said: bad tool',
    );
  });

  test('credentials are replaced everywhere, also where the cap would cut one', () => {
    const error = mapped(400, said(`key sk-canary-1234, again sk-canary-1234; ${'x'.repeat(450)} sk-canary-1234`));
    expect(error.message.startsWith('key [secret], again [secret]; x')).toBe(true);
    expect(`${error.message} ${String(error.cause)}`).not.toContain('sk-can');
    expect(mapped(400, said('key sk-canary-\u00001234')).message).not.toContain('sk-canary-1234');
  });

  test('at most 500 characters, never half of one', () => {
    const { message } = mapped(400, said('\ud83d\ude00'.repeat(400)));
    expect(message.length).toBeLessThanOrEqual(500);
    expect(Buffer.from(message).toString()).toBe(message);
  });
});
