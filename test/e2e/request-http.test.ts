import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorLine, sendBytes, sendHttp, splitAnswers } from '../doubles/send-http.ts';
import { startGateway, type StartedGateway } from '../doubles/start-gateway.ts';

let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const body = JSON.stringify({ model: 'rehearsal/default', input: 'Hello' });

/** A whole request as bytes. */
function rawPost(content: string, ...headers: readonly string[]): string {
  const lines = [
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(content)}`,
    ...headers,
  ];
  return `POST /v1/responses HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${content}`;
}

const rawGet = (path: string, ...headers: readonly string[]): string =>
  `GET ${path} HTTP/1.1\r\n${['Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;

describe('a path that leads nowhere', () => {
  const unknown = '404 invalid_request_error not_found null';
  test.each([
    ['GET', '/v1'],
    ['GET', '/v1/'],
    ['GET', '/v2/responses'],
    ['POST', '/responses'],
    ['POST', '/v1/response'],
    ['POST', '/v1/responses/'],
    ['POST', '//v1/responses'],
    ['POST', '/v1//responses'],
    ['POST', '/V1/responses'],
    ['POST', '/v1/Responses'],
    ['POST', '/v1/responses.json'],
    ['POST', '/v1/responses;x=1'],
    ['POST', '/v1/chat/completion'],
    ['POST', '/v1/conversations'],
    ['POST', '/v1/responses/resp_1/input_items/x'],
    ['GET', '/v1/responses/resp_1/'],
    ['GET', '/v1/responses/resp_1/output'],
    ['GET', '/v1/responses/%zz'],
    ['GET', '/v1/responses/%ff'],
    ['GET', '/v1/%c0%ae%c0%ae/x'],
    ['GET', `/v1/responses/${'r'.repeat(2000)}`],
    ['GET', '/v1/../metrics'],
    ['GET', '/metrics/'],
    ['GET', '/favicon.ico'],
    ['GET', '/.env'],
    ['GET', '/__proto__'],
    ['PUT', '/nowhere'],
    ['OPTIONS', '/nowhere'],
    ['GET', '/%00'],
  ])('%s %s', async (method, path) => {
    const answer = await sendHttp(gateway.url, { method, path });
    expect(errorLine(answer)).toBe(unknown);
    expect(answer.headers.allow).toBeUndefined();
    expect(answer.text.length).toBeLessThan(500);
  });

  test('an id that no response can have is not looked for', async () => {
    const ids = ['..', '%2e%2e', 'resp_1%2F..', '%00', 'r%20x', 'r'.repeat(300), "'%20or%201=1", '%F0%9F%98%80'];
    for (const id of ids) {
      const answer = await sendHttp(gateway.url, { path: `/v1/responses/${id}` });
      expect(errorLine(answer)).toBe('404 invalid_request_error not_found id');
    }
  });
});

describe('a method that is not served', () => {
  test.each([
    ['PUT', '/v1/responses', 'POST, GET'],
    ['DELETE', '/v1/responses', 'POST, GET'],
    ['PATCH', '/v1/responses?x=1', 'POST, GET'],
    ['POST', '/v1/responses/resp_1', 'GET, DELETE'],
    ['GET', '/v1/responses/resp_1/cancel', 'POST'],
    ['POST', '/v1/responses/resp_1/input_items', 'GET'],
    ['PUT', '/v1/responses/input_tokens', 'POST, GET, DELETE'],
    ['POST', '/v1/models', 'GET'],
    ['DELETE', '/v1/models/rehearsal/default', 'GET, POST'],
    // Claude Code asks HEAD /.
    ['GET', '/', 'HEAD'],
    ['GET', '/?x=/v1/responses', 'HEAD'],
    ['GET', '/v1/chat/completions', 'POST'],
    ['POST', '/health', 'GET'],
    ['DELETE', '/metrics', 'GET'],
    ['OPTIONS', '/v1/responses', 'POST, GET'],
    ['PROPFIND', '/v1/models', 'GET'],
  ])('%s %s', async (method, path, allow) => {
    const answer = await sendHttp(gateway.url, { method, path });
    expect(errorLine(answer)).toBe('405 invalid_request_error method_not_allowed null');
    expect(answer.headers.allow).toBe(allow);
  });

  test.each([
    ['POST /v1/messages/', 404, undefined, { type: 'error', error: { type: 'not_found_error' } }],
    ['GET /v1/messages', 405, 'POST', { type: 'error', error: { type: 'invalid_request_error' } }],
    ['GET /v1beta', 404, undefined, { error: { code: 404, status: 'NOT_FOUND' } }],
    ['POST /v1beta/models', 405, 'GET', { error: { code: 405, status: 'INVALID_ARGUMENT' } }],
    ['PUT /v1beta/models/rehearsal/default:generateContent', 405, 'GET, POST', { error: { code: 405 } }],
  ])('%s: in the words of the API that the path belongs to', async (line, status, allow, words) => {
    const [method = '', path = ''] = line.split(' ');
    const answer = await sendHttp(gateway.url, { method, path });
    expect([answer.status, answer.headers.allow]).toEqual([status, allow]);
    expect(JSON.parse(answer.text)).toMatchObject(words);
  });

  test('who opens the address in a browser is told where the API is', async () => {
    const { text } = await sendHttp(gateway.url, { path: '/' });
    expect(text).toContain('ends in /v1.');
  });

  test('HEAD is GET without a body', async () => {
    for (const [path, status] of [
      ['/health', 200],
      ['/v1/models', 200],
      ['/metrics', 200],
      ['/v1/responses/resp_1', 404],
      ['/v1/responses', 426],
      ['/nowhere', 404],
    ] as const) {
      const answer = await sendHttp(gateway.url, { method: 'HEAD', path });
      expect([path, answer.status, answer.text]).toEqual([path, status, '']);
      expect(answer.headers['x-request-id']).toMatch(/^req_/);
    }
  });
});

describe('Upgrade', () => {
  const webSocket = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];

  test('a WebSocket on /v1/responses is answered with 426', async () => {
    const [refused] = splitAnswers(await sendBytes(gateway.url, rawGet('/v1/responses?x=1', ...webSocket)));
    expect(refused?.status).toBe(426);
    expect(refused?.head).toMatch(/^upgrade: websocket$/im);
    expect(refused?.head).toMatch(/^connection: upgrade, close$/im);
    expect(JSON.parse(refused?.body ?? '')).toEqual({
      error: {
        message: expect.stringContaining('POST /v1/responses') as string,
        type: 'invalid_request_error',
        code: 'upgrade_required',
        param: null,
      },
    });
  });

  test('elsewhere it changes nothing, and neither does h2c on a POST', async () => {
    const [models] = splitAnswers(
      await sendBytes(gateway.url, rawGet('/health', 'Connection: Upgrade, close', 'Upgrade: websocket')),
    );
    expect(models?.status).toBe(200);
    for (const upgrade of ['h2c', 'TLS/1.0', 'websocket']) {
      const headers = ['Connection: Upgrade, HTTP2-Settings, close', `Upgrade: ${upgrade}`, 'HTTP2-Settings: AAMAAABkAAQAAP__'];
      const [answer] = splitAnswers(await sendBytes(gateway.url, rawPost(body, ...headers)));
      expect(answer?.status).toBe(200);
      expect(answer?.body).toContain('"status":"completed"');
    }
  });
});

describe('what is no HTTP', () => {
  test.each([
    ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    ['words', 'hello\r\n\r\n', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['a header without a colon', 'GET /health HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n', 400],
    ['a blank in a header name', 'GET /health HTTP/1.1\r\nHost: localhost\r\nx y: z\r\n\r\n', 400],
    ['a NUL in a header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nx: a\0b\r\n\r\n', 400],
    ['two lengths', 'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}', 400],
    [
      'a length and chunks',
      'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a negative length', 'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n', 400],
    ['a large header', `GET /health HTTP/1.1\r\nHost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['many headers', `GET /health HTTP/1.1\r\nHost: localhost\r\n${'x: yyyyyyyyyyyy\r\n'.repeat(2000)}\r\n`, 431],
    ['a long path', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
  ])('%s', async (_what, bytes, status) => {
    const [answer] = splitAnswers(await sendBytes(gateway.url, Buffer.from(bytes, 'latin1')));
    expect(answer?.status).toBe(status);
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      error: { message: expect.any(String) as string, type: 'invalid_request_error', code: 'invalid_value', param: null },
    });
    expect(answer?.head).toMatch(/^x-request-id: req_[0-9a-f]{32,64}$/im);
    expect(answer?.head).toMatch(/^x-should-retry: false$/im);
    expect(answer?.head).toMatch(/^connection: close$/im);
  });

  test('chunks that are none', async () => {
    const head =
      'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const [answer] = splitAnswers(await sendBytes(gateway.url, `${head}zz\r\n{}\r\n0\r\n\r\n`));
    expect(answer?.status).toBe(400);
  });

  test('behind a stream it breaks the connection off and is never answered in the middle of it', async () => {
    const request = rawPost(JSON.stringify({ model: 'rehearsal/stall-text', input: 'x', stream: true }));
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.on('error', () => undefined);
    socket.write(request);
    while (!text.includes('response.output_text.delta')) await once(socket, 'data');
    socket.write('garbage\r\n\r\n');
    await once(socket, 'close');
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(text).not.toContain('not valid HTTP');
  });
});

describe('connections', () => {
  test('pipelined requests are answered in order, errors among them', async () => {
    const requests = [
      rawPost(body),
      rawGet('/nowhere'),
      rawPost('{'),
      rawGet('/health'),
      rawPost('x'.repeat(1000), 'Content-Encoding: aes'),
      rawPost(body, 'Connection: close'),
    ];
    const answers = splitAnswers(await sendBytes(gateway.url, requests.join('')));
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 200, 415, 200]);
    expect(new Set(answers.map(({ head }) => /x-request-id: (\w+)/i.exec(head)?.[1])).size).toBe(6);
  });

  test('a body that was refused unread does not become the next request', async () => {
    const trap = rawGet('/metrics');
    const requests = [
      rawPost(trap, 'Host: example.com'),
      `POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${trap.length}\r\n\r\n${trap}`,
    ];
    const text = await sendBytes(gateway.url, ...requests, rawGet('/health', 'Connection: close'));
    expect(splitAnswers(text).map(({ status }) => status)).toEqual([403, 404, 200]);
  });

  test('Expect is obeyed or ignored', async () => {
    const continued = await sendBytes(gateway.url, rawPost(body, 'Expect: 100-continue', 'Connection: close'));
    expect(continued).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const [answer] = splitAnswers(await sendBytes(gateway.url, rawPost(body, 'Expect: miracles', 'Connection: close')));
    expect(answer?.status).toBe(200);
  });

  test('HTTP/1.0 gets an answer, streamed ones too', async () => {
    const stream = JSON.stringify({ model: 'rehearsal/default', input: 'x', stream: true });
    const text = await sendBytes(gateway.url, rawPost(stream).replace('HTTP/1.1', 'HTTP/1.0'));
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });
});

describe('headers of every answer', () => {
  test('an id, the time it took, no caching', async () => {
    const answers = await Promise.all([
      sendHttp(gateway.url, { path: '/health' }),
      sendHttp(gateway.url, { path: '/v1/responses', body, headers: { 'content-type': 'application/json' } }),
      sendHttp(gateway.url, { path: '/nowhere' }),
    ]);
    for (const { headers } of answers) {
      expect(headers['x-request-id']).toMatch(/^req_[0-9a-f]{32,64}$/);
      expect(headers['openai-processing-ms']).toMatch(/^\d+$/);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-powered-by']).toBeUndefined();
    }
    expect(new Set(answers.map(({ headers }) => headers['x-request-id'])).size).toBe(3);
  });

  test('a rate limit says when to come back; what retrying cannot cure says so', async () => {
    for (const stream of [false, true]) {
      const ask = (model: string): ReturnType<typeof sendHttp> =>
        sendHttp(gateway.url, {
          path: '/v1/responses',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model: `rehearsal/${model}`, input: 'x', stream }),
        });
      const limited = await ask('429');
      expect(errorLine(limited)).toBe('429 rate_limit_error rate_limit_exceeded null');
      expect([limited.headers['retry-after'], limited.headers['x-should-retry']]).toEqual(['1', 'true']);
      const failed = await ask('401');
      expect(errorLine(failed)).toBe('502 server_error upstream_auth_failed null');
      expect([failed.headers['retry-after'], failed.headers['x-should-retry']]).toEqual([undefined, 'false']);
      for (const [model, line] of [
        ['500', '502 server_error upstream_error null'],
        ['503', '503 server_error upstream_overloaded null'],
        ['timeout', '504 server_error upstream_timeout null'],
      ] as const) {
        const answer = await ask(model);
        expect([errorLine(answer), answer.headers['x-should-retry']]).toEqual([line, 'true']);
      }
    }
  });
});
