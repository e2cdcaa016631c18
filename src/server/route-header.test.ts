import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AttemptOutcome, RouteAttempt } from '../engine/routing/route-report.ts';
import { routeHeader } from './route-header.ts';

function attempt(target: string, outcome: AttemptOutcome): RouteAttempt {
  return { target, backend: 'b', outcome, isRetry: false };
}

function headerOf(answeredBy: string | null, ...attempts: readonly RouteAttempt[]): string {
  return routeHeader({ answeredBy, attempts })['antiphon-route'] ?? '';
}

test('who answered, how many calls, and who did not', () => {
  const failed = attempt('claude/x', { status: 429 });
  const answered = attempt('local/qwen3:8b', 'accepted');
  expect(headerOf('local/qwen3:8b', answered)).toBe('local/qwen3:8b; attempts=1');
  expect(headerOf('local/qwen3:8b', failed, attempt('d/y', 'open'), answered)).toBe(
    'local/qwen3:8b; attempts=2; tried=claude/x:429,d/y:open',
  );
  expect(headerOf(null, attempt('a', 'missing'), attempt('b/c', 'unfit'), attempt('d/e', 'left'))).toBe(
    'none; attempts=1; tried=a:missing,b/c:unfit,d/e:left',
  );
});

test('a long way is cut', () => {
  const way = Array.from({ length: 11 }, () => attempt('a/m', { status: 503 }));
  expect(headerOf(null, ...way)).toBe(`none; attempts=11; tried=${Array(8).fill('a/m:503').join(',')},+3`);
});

test('any name can stand in a header, and cannot be mistaken for another part of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
      const value = headerOf(name, attempt(name, { status: 503 }), attempt(name, 'accepted'));
      const response = new ServerResponse(new IncomingMessage(new Socket()));
      response.setHeader('antiphon-route', value);
      expect(value).toMatch(/^[^ ;,=]*; attempts=2; tried=[^ ;,=]*:503$/);
    }),
  );
  expect(headerOf('b/ü;x=1,\ud800', attempt('b/x', 'accepted'))).toBe('b/%C3%BC%3Bx%3D1%2C%EF%BF%BD; attempts=1');
});
