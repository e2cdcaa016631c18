import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialects, openModelUpstream, upstreamKeys, upstreamYaml, type Dialect } from '../doubles/model-upstream.ts';
import { referenceRequest } from '../doubles/model-wire.ts';
import { postResponse } from '../doubles/post-response.ts';
import { httpAnswer, openRawUpstream, type RawUpstream } from '../doubles/raw-upstream.ts';
import { errorLine } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';
import { createTestAuthority, type TestAuthority } from '../doubles/test-certificates.ts';

interface Refusal {
  readonly status: string;
  readonly body: string;
  readonly headers?: Record<string, string>;
  /** Status, type, code and param the client sees; one for both dialects, or one for each. */
  readonly line: string | Record<Dialect, string>;
  readonly retryAfter?: string;
  readonly shouldRetry: boolean;
  /** What of the server's words may be seen. */
  readonly says?: string;
}

const json = (code: string, message: string): string => JSON.stringify({ error: { message, code, status: code, type: code } });
const html = '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>secret host 10.0.0.7</h1></body></html>';

const refusals: Record<string, Refusal> = {
  'rate-limit': {
    ...{ status: '429 Too Many Requests', body: json('RATE_LIMITED', 'slow down'), headers: { 'retry-after': '17' } },
    ...{ line: '429 rate_limit_error rate_limit_exceeded null', retryAfter: '17', shouldRetry: true, says: 'slow down' },
  },
  'rate-limit-bare': {
    ...{ status: '429 Too Many Requests', body: '' },
    ...{ line: '429 rate_limit_error rate_limit_exceeded null', shouldRetry: true },
  },
  'rate-limit-ms': {
    ...{
      status: '429 Too Many Requests',
      body: json('x', 'slow down'),
      headers: { 'retry-after-ms': '1500', 'retry-after': '9' },
    },
    ...{ line: '429 rate_limit_error rate_limit_exceeded null', retryAfter: '2', shouldRetry: true },
  },
  'rate-limit-info': {
    status: '429 Too Many Requests',
    body: JSON.stringify({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: 'slow',
        details: [{ '@type': 'RetryInfo', retryDelay: '34.4s' }],
      },
    }),
    headers: { 'retry-after': '35' },
    ...{ line: '429 rate_limit_error rate_limit_exceeded null', retryAfter: '35', shouldRetry: true },
  },
  'retry-after-nonsense': {
    ...{ status: '429 Too Many Requests', body: json('x', 'y'), headers: { 'retry-after': 'soon' } },
    ...{ line: '429 rate_limit_error rate_limit_exceeded null', shouldRetry: true },
  },
  quota: {
    ...{ status: '429 Too Many Requests', body: json('insufficient_quota', 'You exceeded your current quota') },
    ...{ line: '429 insufficient_quota insufficient_quota null', shouldRetry: false },
  },
  unauthorized: {
    ...{ status: '401 Unauthorized', body: json('invalid_api_key', 'bad key KEY'), headers: { 'www-authenticate': 'Basic' } },
    ...{ line: '502 server_error upstream_auth_failed null', shouldRetry: false },
  },
  forbidden: {
    ...{ status: '403 Forbidden', body: json('PERMISSION_DENIED', 'no') },
    ...{ line: '502 server_error upstream_auth_failed null', shouldRetry: false },
  },
  failed: {
    ...{ status: '500 Internal Server Error', body: json('INTERNAL', 'it broke') },
    ...{ line: '502 server_error upstream_error null', shouldRetry: true, says: 'it broke' },
  },
  overloaded: {
    ...{ status: '503 Service Unavailable', body: json('UNAVAILABLE', 'later'), headers: { 'retry-after': '3' } },
    ...{ line: '503 server_error upstream_overloaded null', retryAfter: '3', shouldRetry: true },
  },
  missing: {
    ...{ status: '404 Not Found', body: json('NOT_FOUND', 'no such model') },
    ...{ line: '400 invalid_request_error model_not_found model', shouldRetry: false, says: 'no such model' },
  },
  bad: {
    ...{ status: '400 Bad Request', body: json('INVALID_ARGUMENT', 'temperature is odd') },
    ...{ line: '400 invalid_request_error null null', shouldRetry: false, says: 'temperature is odd' },
  },
  echo: {
    // Filled in below: each server knows its own key.
    ...{ status: '400 Bad Request', body: json('x', 'key=KEY is odd\r\n\x1b[31m') },
    ...{ line: '400 invalid_request_error null null', shouldRetry: false, says: 'key=[secret] is odd' },
  },
  context: {
    ...{ status: '400 Bad Request', body: json('context_length_exceeded', 'maximum context length is 8192 tokens') },
    ...{ line: '400 invalid_request_error context_length_exceeded input', shouldRetry: false },
  },
  large: {
    ...{ status: '413 Payload Too Large', body: json('x', 'too big') },
    ...{ line: '413 invalid_request_error null null', shouldRetry: false },
  },
  gone: {
    ...{ status: '410 Gone', body: '' },
    ...{ line: '400 invalid_request_error null null', shouldRetry: false },
  },
  timeout: {
    ...{ status: '504 Gateway Timeout', body: html, headers: { 'content-type': 'text/html' } },
    ...{ line: '504 server_error upstream_timeout null', shouldRetry: true },
  },
  'html-500': {
    ...{ status: '502 Bad Gateway', body: html, headers: { 'content-type': 'text/html' } },
    ...{ line: '502 server_error upstream_error null', shouldRetry: true },
  },
  'html-200': {
    ...{ status: '200 OK', body: html, headers: { 'content-type': 'text/html' } },
    ...{ line: '502 server_error upstream_invalid_response null', shouldRetry: true },
  },
  'empty-200': {
    ...{ status: '200 OK', body: '' },
    ...{ line: '502 server_error upstream_invalid_response null', shouldRetry: true },
  },
  'words-200': {
    ...{ status: '200 OK', body: 'Ollama is running', headers: { 'content-type': 'text/plain' } },
    ...{ line: '502 server_error upstream_invalid_response null', shouldRetry: true },
  },
  redirect: {
    ...{ status: '302 Found', body: '', headers: { location: 'http://127.0.0.1:1/login' } },
    ...{ line: '502 server_error upstream_error null', shouldRetry: true },
  },
  'error-in-200': {
    ...{ status: '200 OK', body: JSON.stringify({ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'slow down' } }) },
    ...{ line: '429 rate_limit_error rate_limit_exceeded null', shouldRetry: true, says: 'slow down' },
  },
  'error-array-in-200': {
    ...{ status: '200 OK', body: JSON.stringify([{ error: { code: 503, status: 'UNAVAILABLE', message: 'later' } }]) },
    ...{ line: '503 server_error upstream_overloaded null', shouldRetry: true },
  },
};

let upstream: RawUpstream;
let gateway: StartedGateway;

beforeAll(async () => {
  upstream = await openModelUpstream(({ socket, model, dialect }) => {
    const { status, body, headers = {} } = refusals[model] ?? { status: '500 Unknown', body: model };
    socket.write(httpAnswer(body.replace('KEY', upstreamKeys[dialect]), headers, status));
  });
  gateway = await startGateway(upstreamYaml(upstream.url));
});

afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const ways = dialects.flatMap((dialect) => [
  { dialect, stream: false },
  { dialect, stream: true },
]);

describe.each(ways)('$dialect, stream $stream', ({ dialect, stream }) => {
  test.each(Object.entries(refusals))('%s becomes an HTTP status', async (name, wanted) => {
    const answer = await postResponse(gateway.url, referenceRequest(`${dialect}/${name}`, stream));
    const line = typeof wanted.line === 'string' ? wanted.line : wanted.line[dialect];
    expect(errorLine(answer)).toBe(line);
    expect(answer.headers.get('retry-after')).toBe(wanted.retryAfter ?? null);
    expect(answer.headers.get('x-should-retry')).toBe(String(wanted.shouldRetry));
    expect(answer.headers.get('www-authenticate')).toBeNull();
    const message = answer.body.error?.message ?? '';
    expect(message).toContain(wanted.says ?? '');
    expect(message).not.toMatch(/<|\p{Cc}|10\.0\.0\.7/u);
    for (const key of Object.values(upstreamKeys)) expect(message).not.toContain(key);
  });
});

describe.each(ways)('no server: $dialect, stream $stream', ({ dialect, stream }) => {
  async function ask(url: string, backend = ''): Promise<string> {
    const lonely = await startGateway(upstreamYaml(url, { backend }));
    try {
      return errorLine(await postResponse(lonely.url, referenceRequest(`${dialect}/m`, stream)));
    } finally {
      await lonely.close();
    }
  }

  test('refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    const port = typeof address === 'object' ? address?.port : 0;
    expect(await ask(`http://127.0.0.1:${String(port)}`)).toBe('502 server_error upstream_unreachable null');
  });

  test('a name that nobody knows', async () => {
    expect(await ask('http://nobody.invalid')).toBe('502 server_error upstream_unreachable null');
  });

  test.each(['at once', 'after the request'])('closed %s', async (when) => {
    const closing = await openRawUpstream(({ socket }) => socket.destroy());
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : 0);
    expect(await ask(when === 'at once' ? `http://127.0.0.1:${port}` : closing.url)).toBe(
      '502 server_error upstream_unreachable null',
    );
    server.close();
    await closing.close();
  });

  test('another protocol', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.6\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = String(typeof address === 'object' ? address?.port : 0);
    expect(await ask(`http://127.0.0.1:${port}`)).toBe('502 server_error upstream_invalid_response null');
    server.close();
  });
});

describe('TLS', () => {
  let authority: TestAuthority;
  beforeAll(() => {
    authority = createTestAuthority();
  });
  afterAll(() => {
    authority.remove();
  });

  test.each(ways)(
    '$dialect, stream $stream: an unknown, expired or foreign certificate, and not a byte of the credential',
    async ({ dialect, stream }) => {
      const certificates = [
        authority.selfSigned('IP:127.0.0.1'),
        authority.issue('IP:127.0.0.1', -1),
        authority.issue('DNS:other.example'),
      ];
      for (const certificate of certificates) {
        const server = await openModelUpstream(({ socket }) => socket.write(httpAnswer('{}')), certificate);
        const lonely = await startGateway(upstreamYaml(server.url, { backend: `, ca_file: "${authority.caFile}"` }));
        const answer = await postResponse(lonely.url, referenceRequest(`${dialect}/m`, stream));
        expect(errorLine(answer)).toBe('502 server_error upstream_tls_error null');
        expect(answer.headers.get('x-should-retry')).toBe('false');
        expect(server.receivedBytes).toBe(0);
        await lonely.close();
        await server.close();
      }
    },
  );

  test('https to a port that speaks http, and nothing readable arrives there', async () => {
    const seen: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined).on('data', (bytes) => seen.push(bytes));
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const lonely = await startGateway(
      upstreamYaml(`https://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`),
    );
    for (const { dialect, stream } of ways) {
      const answer = await postResponse(lonely.url, referenceRequest(`${dialect}/m`, stream));
      expect(errorLine(answer)).toBe('502 server_error upstream_tls_error null');
    }
    const bytes = Buffer.concat(seen).toString('latin1');
    for (const key of Object.values(upstreamKeys)) expect(bytes).not.toContain(key);
    await lonely.close();
    server.close();
  });
});
