import { once } from 'node:events';
import { request as openRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../test/closed-after-each.ts';
import { openHttpUpstream, type HttpUpstream } from '../../test/doubles/http-upstream.ts';
import { eventStreamHead, httpAnswer, httpChunk, openRawUpstream, type RawUpstream } from '../../test/doubles/raw-upstream.ts';
import { sendBytes, sendHttp } from '../../test/doubles/send-http.ts';
import { startTestTap, type TestTap, type TestTapOptions } from '../../test/doubles/start-test-tap.ts';

const open = closedAfterEach();

async function serve(
  answer: Parameters<typeof openHttpUpstream>[0],
  options: TestTapOptions = {},
): Promise<{ upstream: HttpUpstream; tap: TestTap }> {
  const upstream = await openHttpUpstream(answer);
  const tap = await startTestTap({ upstream: upstream.url, ...options });
  open.push(tap, upstream);
  return { upstream, tap };
}

async function serveRaw(answer: Parameters<typeof openRawUpstream>[0]): Promise<{ upstream: RawUpstream; tap: TestTap }> {
  const upstream = await openRawUpstream(answer);
  const tap = await startTestTap({ upstream: upstream.url });
  open.push(tap, upstream);
  return { upstream, tap };
}

/** Everything one request brings back, byte for byte. */
async function ask(
  tap: TestTap,
  options: { method?: string; path: string; headers?: string[]; body?: Uint8Array | string },
): Promise<{ answer: IncomingMessage; body: Buffer }> {
  const { method = 'GET', path, headers = [], body } = options;
  const sent = openRequest({
    host: '127.0.0.1',
    port: tap.port,
    method,
    path,
    headers: ['Host', `127.0.0.1:${String(tap.port)}`, ...headers] as never,
  });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { answer, body: await buffer(answer) };
}

const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256));

describe('what is no model call goes through as it is', () => {
  test('method, path, query, headers with their case and order, and body', async () => {
    const { upstream, tap } = await serve((response) => {
      response.writeHead(299, 'Quite Fine', [
        'X-One',
        'a',
        'Set-Cookie',
        'b=1',
        'set-cookie',
        'c=2',
        'ETag',
        '"x"',
        'Content-Type',
        'application/x-odd',
      ]);
      response.end(bytes);
    });
    const path = '/v1beta/%7Emodels//..%2f?key=a%20b&&x=[1]&alt=sse';
    const headers = [
      'X-Goog-Api-Key',
      'AIza',
      'x-TWICE',
      '1',
      'X-Twice',
      '2',
      'Content-Length',
      String(bytes.length),
      'Accept-Encoding',
      'br',
    ];
    const { answer, body } = await ask(tap, { method: 'PATCH', path, headers, body: bytes });
    const seen = upstream.requests[0]!;
    expect(seen.method).toBe('PATCH');
    expect(seen.url).toBe(path);
    expect(seen.headers).toEqual([
      `Host: 127.0.0.1:${String(upstream.port)}`,
      'X-Goog-Api-Key: AIza',
      'x-TWICE: 1',
      'X-Twice: 2',
      `Content-Length: ${String(bytes.length)}`,
      'Accept-Encoding: br',
      'Connection: close',
    ]);
    expect(seen.body.equals(bytes)).toBe(true);
    expect([answer.statusCode, answer.statusMessage]).toEqual([299, 'Quite Fine']);
    expect(answer.rawHeaders.slice(0, 10)).toEqual([
      'X-One',
      'a',
      'Set-Cookie',
      'b=1',
      'set-cookie',
      'c=2',
      'ETag',
      '"x"',
      'Content-Type',
      'application/x-odd',
    ]);
    expect(body.equals(bytes)).toBe(true);
  });

  test('compressed bodies, both ways', async () => {
    for (const [encoding, compress] of [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['deflate', deflateSync],
      ['zstd', (from: Buffer) => from],
    ] as const) {
      const packed = compress(bytes);
      const { upstream, tap } = await serve((response, { body }) => {
        response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length }).end(body);
      });
      const headers = ['content-encoding', encoding, 'transfer-encoding', 'chunked'];
      const { answer, body } = await ask(tap, { method: 'POST', path: '/v1/models/m:generateContent', headers, body: packed });
      expect(upstream.requests[0]!.body.equals(packed)).toBe(true);
      expect(upstream.requests[0]!.headers).toContain(`content-encoding: ${encoding}`);
      expect(answer.headers).toMatchObject({ 'content-encoding': encoding, 'content-length': String(packed.length) });
      expect(body.equals(packed)).toBe(true);
    }
  });

  test('a base path of the upstream stands in front', async () => {
    const upstream = await openHttpUpstream((response) => response.end());
    const tap = await startTestTap({ upstream: `${upstream.url}/some/base/` });
    open.push(tap, upstream);
    await ask(tap, { path: '/v1beta/models?pageSize=1' });
    expect(upstream.requests[0]!.url).toBe('/some/base/v1beta/models?pageSize=1');
  });

  test('what belongs to the connection, or to a proxy, does not', async () => {
    const { upstream, tap } = await serve((response) => {
      response
        .writeHead(200, {
          'keep-alive': 'timeout=99',
          'proxy-authenticate': 'Basic',
          connection: 'x-hop',
          'x-hop': '1',
          'x-end': '2',
        })
        .end('x');
    });
    const { answer } = await ask(tap, {
      path: '/',
      headers: [
        'Proxy-Authorization',
        'Basic c2VjcmV0',
        'Connection',
        'keep-alive, X-Hop',
        'X-Hop',
        '1',
        'TE',
        'trailers',
        'Keep-Alive',
        '1',
      ],
    });
    expect(upstream.requests[0]!.headers).toEqual([`Host: 127.0.0.1:${String(upstream.port)}`, 'Connection: keep-alive']);
    expect(answer.headers).toMatchObject({ 'x-end': '2', connection: 'keep-alive' });
    expect(answer.headers).not.toHaveProperty('proxy-authenticate');
    expect(answer.headers).not.toHaveProperty('x-hop');
    expect(answer.headers['keep-alive']).not.toBe('timeout=99');
  });
});

test('header bytes that are not ASCII stay one byte, both ways', async () => {
  const heads: string[] = [];
  const { tap } = await serveRaw(({ socket, head }) => {
    heads.push(head);
    socket.end(
      Buffer.from('HTTP/1.1 200 Tr\xe8s bien\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok', 'latin1'),
    );
  });
  const socket = connect(tap.port, '127.0.0.1');
  socket.write(
    Buffer.from(
      `GET /x HTTP/1.1\r\nHost: 127.0.0.1:${String(tap.port)}\r\nX-Asked: th\xe9\r\nConnection: close\r\n\r\n`,
      'latin1',
    ),
  );
  const answer = await buffer(socket);
  expect(answer.toString('latin1')).toContain('X-Name: caf\xe9\r\n');
  expect(answer.toString('latin1')).toContain('200 Tr\xe8s bien\r\n');
  expect(heads[0]).toContain('th\xe9');
});

describe('answers without a body', () => {
  test.each([
    ['HEAD', '200 OK', 'content-length: 12345\r\n'],
    ['GET', '204 No Content', ''],
    ['GET', '304 Not Modified', 'etag: "x"\r\n'],
    ['GET', '200 OK', 'content-length: 0\r\n'],
  ])('%s → %s', async (method, status, header) => {
    const { tap } = await serveRaw(({ socket }) => socket.write(`HTTP/1.1 ${status}\r\n${header}\r\n`));
    const { answer, body } = await ask(tap, { method, path: '/' });
    expect(`${String(answer.statusCode)} ${answer.statusMessage ?? ''}`).toBe(status);
    expect(body).toHaveLength(0);
    if (header !== '') expect(`${answer.rawHeaders[0] ?? ''}: ${answer.rawHeaders[1] ?? ''}\r\n`).toBe(header);
    // The connection is still good for another one.
    expect((await ask(tap, { method, path: '/' })).answer.statusCode).toBe(answer.statusCode);
  });
});

describe('requests', () => {
  test('without a body say so', async () => {
    const { upstream, tap } = await serve((response) => response.end('ok'));
    for (const method of ['POST', 'GET'])
      await ask(tap, { method, path: '/x', headers: method === 'POST' ? ['Content-Length', '0'] : [] });
    expect(upstream.requests[0]!.headers).toContain('Content-Length: 0');
    expect(upstream.requests[1]!.headers.join()).not.toMatch(/content-length|transfer-encoding/i);
  });

  test('that wait for `100 Continue` get it from the upstream, or its answer', async () => {
    const { upstream, tap } = await serveRaw(({ socket, head }) => {
      if (head.includes('/refused')) socket.write(httpAnswer('no', {}, '417 Expectation Failed'));
    });
    const sent = openRequest({
      host: '127.0.0.1',
      port: tap.port,
      method: 'PUT',
      path: '/refused',
      headers: { expect: '100-continue' },
    });
    sent.flushHeaders();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(417);
    sent.destroy();
    expect(upstream.requests[0]!.head).toMatch(/^expect: 100-continue$/im);
  });

  test('that wait for `100 Continue` send their body after it', async () => {
    const { upstream, tap } = await serve((response, { body }) => response.end(body));
    for (const path of ['/upload', '/v1/models/m:generateContent']) {
      const sent = openRequest({ host: '127.0.0.1', port: tap.port, method: 'POST', path, headers: { expect: '100-continue' } });
      sent.flushHeaders();
      await once(sent, 'continue');
      sent.end('the body');
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      expect((await buffer(answer)).toString()).toBe('the body');
    }
    expect(upstream.requests).toHaveLength(2);
  });

  test('of HTTP/1.0 are answered', async () => {
    const { tap } = await serve((response) => response.end('ok'));
    const text = await sendBytes(tap.url, `GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text.endsWith('\r\n\r\nok')).toBe(true);
  });

  test('of many programs at once do not meet', async () => {
    const { tap } = await serve((response, { url, body }) => response.end(`${url} ${body.toString()}`));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ask(tap, {
          method: 'POST',
          path: `/${String(index)}`,
          headers: ['Transfer-Encoding', 'chunked'],
          body: `body ${String(index)}`,
        }),
      ),
    );
    expect(answers.map(({ body }) => body.toString())).toEqual(
      answers.map((_, index) => `/${String(index)} body ${String(index)}`),
    );
  });
});

test('bytes go on while the rest is still to come, both ways', async () => {
  const { upstream, tap } = await serveRaw(({ socket, body }) => {
    if (body === 'whole') socket.write(eventStreamHead + httpChunk('first').toString());
  });
  const socket = connect(tap.port, '127.0.0.1');
  socket.write('PUT /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nwho');
  while (upstream.receivedBytes === 0) await new Promise((resolve) => setImmediate(resolve));
  socket.write('le');
  let text = '';
  for await (const piece of socket as AsyncIterable<Buffer>) {
    text += piece.toString();
    if (text.includes('first')) break;
  }
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*5\r\nfirst\r\n$/);
});

test('an idle connection to the upstream is used again', async () => {
  const { upstream, tap } = await serve((response) => response.end('ok'));
  for (let count = 0; count < 5; count++) await sendHttp(tap.url, { path: '/v1/models/m:generateContent', body: '{}' });
  expect(upstream.requests).toHaveLength(5);
  expect(upstream.connections).toBe(1);
});
