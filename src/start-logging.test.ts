import { afterEach, expect, test } from 'vitest';
import { GatewayError } from './model/errors.ts';
import { Secret } from './model/secret.ts';
import { reportRequest, reportResponse, reportTrouble } from './server/channels.ts';
import { startLogging, type Logging, type LoggingOptions } from './start-logging.ts';

let open: Logging | undefined;

afterEach(() => {
  open?.stop();
});

function record(options: Partial<LoggingOptions> = {}): { logging: Logging; lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string): void => void lines.push(line) };
  open = startLogging({ level: 'info', content: false, secrets: [], destination, ...options });
  return { logging: open, lines };
}

const request = { requestId: 'req_1', method: 'POST', route: '/v1/responses', status: 200, durationMs: 5, error: null };
const response = {
  requestId: 'req_1',
  responseId: 'resp_1',
  model: 'rehearsal/default',
  stream: true,
  outcome: 'completed',
  durationMs: 5,
  acceptedMs: 1,
  servedModel: 'gemini-3-flash-001',
  usage: null,
  attempts: [],
  losses: [],
  error: null,
};

test('a request and a response are one JSON line each', () => {
  const { lines } = record();
  reportRequest(request);
  reportResponse(response);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 30, msg: 'request', requestId: 'req_1', route: '/v1/responses', status: 200 },
    { level: 30, msg: 'response', responseId: 'resp_1', outcome: 'completed', servedModel: 'gemini-3-flash-001' },
  ]);
});

test('the level is obeyed; what failed is louder', () => {
  const { lines } = record({ level: 'warn' });
  reportRequest(request);
  reportRequest({ ...request, status: 502, error: new GatewayError('upstream_error', 'no') });
  reportResponse({ ...response, outcome: 'failed', error: new GatewayError('upstream_truncated', 'cut') });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 50, error: { code: 'upstream_error' } },
    { level: 40, error: { code: 'upstream_truncated' } },
  ]);
});

test('what went wrong beside an answer is a warning of its own', () => {
  const { lines } = record();
  const error = new GatewayError('upstream_unreachable', 'no');
  reportTrouble({ requestId: 'req_1', trouble: 'a session could not be deleted', error });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 40, msg: 'a session could not be deleted', requestId: 'req_1', error: { code: 'upstream_unreachable' } },
  ]);
});

function failure(): GatewayError {
  const cause = new SyntaxError(`Unexpected token in JSON: "the secret plan"\nkey sk-live-1 refused`);
  return new GatewayError('server_error', 'it quoted "the secret plan"', { cause });
}

test('messages of errors, which may quote people, are left out; the place of a mistake of ours is not', () => {
  const { lines } = record({ secrets: [new Secret('sk-live-1')] });
  reportRequest({ ...request, status: 500, error: failure() });
  expect(lines.join('')).not.toContain('secret plan');
  expect(lines.join('')).not.toContain('sk-live-1');
  expect(lines.join('')).toContain('start-logging.test.ts');
});

test('with content they are written, but never a credential', () => {
  const { logging, lines } = record({ content: true, secrets: [new Secret('sk-live-1')] });
  reportRequest({ ...request, status: 500, error: failure() });
  logging.warn('it went wrong', new Error('sent sk-live-1'));
  expect(lines.join('')).toContain('the secret plan');
  expect(lines.join('')).not.toContain('sk-live-1');
  expect(lines.join('')).toContain('[secret]');
});

test('a credential that came later is hidden too, and none leaves a part of a longer one', () => {
  const { logging, lines } = record({ content: true, secrets: [new Secret('pass')] });
  logging.hide([new Secret('pass-word-2')]);
  logging.warn('it went wrong', new Error('sent pass-word-2 and pass'));
  expect(lines.join('')).toContain('sent [secret] and [secret]');
});

test('a stopped log hears no more', () => {
  const { logging, lines } = record();
  logging.stop();
  reportRequest(request);
  expect(lines).toEqual([]);
});
