import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectServer, toFrame, type ConnectCall, type ConnectServer } from '../../../test/doubles/connect-server.ts';
import { Secret } from '../../model/secret.ts';
import { faultKindOf } from '../../translate/cascade/map-cascade-error.ts';
import { openConnectClient, type ConnectClient, type ConnectClientOptions } from './connect-client.ts';

const open = closedAfterEach();
const never = (): AbortSignal => new AbortController().signal;

async function serve(method: string, answer: (call: ConnectCall) => void): Promise<ConnectServer> {
  const server = await openConnectServer();
  open.push(server);
  server.on(method, answer);
  return server;
}

function clientOf(server: ConnectServer, options: Partial<ConnectClientOptions> = {}): ConnectClient {
  const client = openConnectClient({
    backendName: 'agent',
    baseUrl: server.url,
    csrfToken: null,
    token: null,
    headers: {},
    timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 },
    now: Date.now,
    ...options,
  });
  open.push(client);
  return client;
}

/** All messages of a stream, and the error that ended it. */
async function drain(
  stream: AsyncIterable<readonly Uint8Array[]>,
): Promise<{ messages: string[]; batches: number[]; error: unknown }> {
  const messages: string[] = [];
  const batches: number[] = [];
  try {
    for await (const batch of stream) {
      batches.push(batch.length);
      messages.push(...batch.map((payload) => Buffer.from(payload).toString()));
    }
  } catch (error) {
    return { messages, batches, error };
  }
  return { messages, batches, error: undefined };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error,
  );
}

describe('a unary call', () => {
  test('goes to the method of the service, with our own honest headers', async () => {
    const server = await serve('Heartbeat', (call) => {
      call.answer({ ok: true });
    });
    const client = clientOf(server, {
      csrfToken: new Secret('csrf-value'),
      clientVersion: '1.2.3',
      headers: { 'X-Extra': 'yes' },
    });
    expect(await client.call('Heartbeat', { a: 'é' }, never())).toEqual({ ok: true });
    const call = await server.arrived('Heartbeat');
    expect(call.path).toBe('/exa.language_server_pb.LanguageServerService/Heartbeat');
    expect(call.message).toEqual({ a: 'é' });
    expect(call.headers).toMatchObject({
      'content-type': 'application/json',
      'connect-protocol-version': '1',
      'x-codeium-csrf-token': 'csrf-value',
      'user-agent': 'antiphon/1.2.3',
      'x-extra': 'yes',
    });
    expect(call.headers).not.toHaveProperty('authorization');
  });

  test.each(['', ' \n', 'null', '{}'])('an answer of %j is an empty message', async (body) => {
    const server = await serve('M', (call) => {
      call.answer(Buffer.from(body));
    });
    expect(await clientOf(server).call('M', {}, never())).toEqual({});
  });

  test.each(['[]', '"x"', '{"cut":', '<html></html>'])('an answer of %j is not from an agent server', async (body) => {
    const server = await serve('M', (call) => {
      call.answer(Buffer.from(body));
    });
    expect(await failureOf(clientOf(server).call('M', {}, never()))).toMatchObject({
      code: 'upstream_invalid_response',
      message: expect.stringMatching(/base_url/) as string,
    });
  });

  test('a path that is not there, as Go answers it', async () => {
    const server = await serve('M', () => undefined);
    const error = await failureOf(clientOf(server).call('Other', {}, never()));
    expect(faultKindOf(error)).toBe('unserved');
    expect(error).toMatchObject({ code: 'upstream_error', message: expect.stringMatching(/call Other.*base_url/) as string });
  });

  test('a Connect error: its words are cut, cleaned and without our secrets', async () => {
    const server = await serve('M', (call) => {
      call.fail(500, 'unknown', `boom csrf-value\n Bearer header-secret ${'x'.repeat(600)}`);
    });
    const headers = { 'x-key': 'Bearer header-secret' };
    const error = await failureOf(clientOf(server, { csrfToken: new Secret('csrf-value'), headers }).call('M', {}, never()));
    const { message, stack } = error as Error;
    expect(message).toMatch(
      /^The agent server of the backend agent failed \(M, HTTP 500\)\. It said: boom \[secret\] \[secret\] x+…$/,
    );
    expect(message.length).toBeLessThan(600);
    expect(`${stack ?? ''}${String((error as Error).cause)}`).not.toMatch(/csrf-value|header-secret/);
  });

  test('HTML is never shown', async () => {
    const server = await serve('M', (call) => {
      call.answer(Buffer.from('<html><body>canary</body></html>'), { status: 502, headers: { 'content-type': 'text/html' } });
    });
    const error = await failureOf(clientOf(server).call('M', {}, never()));
    expect(error).toMatchObject({ code: 'upstream_error' });
    expect((error as Error).message).not.toContain('canary');
  });

  test('retry-after of the header, and of the details', async () => {
    const server = await serve('A', (call) => {
      call.answer(
        { code: 'resource_exhausted' },
        { status: 429, headers: { 'content-type': 'application/json', 'retry-after': '7' } },
      );
    });
    server.on('B', (call) => {
      call.answer({ code: 'resource_exhausted', details: [{ debug: { retryDelay: '34.4s' } }] }, { status: 429 });
    });
    const client = clientOf(server);
    expect(await failureOf(client.call('A', {}, never()))).toMatchObject({ code: 'rate_limit_exceeded', retryAfter: 7 });
    expect(await failureOf(client.call('B', {}, never()))).toMatchObject({ code: 'rate_limit_exceeded', retryAfter: 35 });
  });

  test('a server that is not there', async () => {
    const server = await serve('M', () => undefined);
    await server.close();
    expect(await failureOf(clientOf(server).call('M', {}, never()))).toMatchObject({ code: 'upstream_unreachable' });
  });

  test('an abort breaks it off at once, with the reason of the signal', async () => {
    const server = await serve('M', () => undefined);
    const gone = new AbortController();
    const sent = failureOf(clientOf(server).call('M', {}, gone.signal));
    const call = await server.arrived('M');
    const reason = new Error('gone');
    gone.abort(reason);
    expect(await sent).toBe(reason);
    await call.closed;
  });
});

describe('a stream', () => {
  test('the request is one envelope; acceptance, messages and the end come as they come', async () => {
    const server = await serve('S', (call) => {
      call.accept();
    });
    const stream = clientOf(server).stream('S', { text: 'é'.repeat(200) }, never());
    expect((await stream.next()).value).toEqual([]);
    const call = await server.arrived('S');
    expect(call.headers['content-type']).toBe('application/connect+json');
    expect(call.message).toEqual({ text: 'é'.repeat(200) });
    call.write(Buffer.concat([toFrame({ n: 1 }), toFrame({ n: 2 })]));
    expect((await stream.next()).value).toHaveLength(2);
    call.write(Buffer.concat([toFrame({ n: 3 }), toFrame({}, 2)]));
    expect(await drain(stream)).toEqual({ messages: ['{"n":3}'], batches: [1], error: undefined });
  });

  test('cut at every byte', async () => {
    const bytes = Buffer.concat([toFrame({ text: 'é😀' }), toFrame({ n: 2 }), toFrame({}, 2)]);
    const server = await serve('S', (call) => {
      void (async () => {
        for (const byte of bytes) {
          call.write(Uint8Array.of(byte));
          await new Promise(setImmediate);
        }
      })();
    });
    expect(await drain(clientOf(server).stream('S', {}, never()))).toMatchObject({
      messages: ['{"text":"é😀"}', '{"n":2}'],
      error: undefined,
    });
  });

  test('an error in the end frame, after the messages before it', async () => {
    const server = await serve('S', (call) => {
      call.frame({ n: 1 });
      call.end({ code: 'unknown', message: 'reactive state is disabled' });
    });
    const { messages, error } = await drain(clientOf(server).stream('S', {}, never()));
    expect(messages).toEqual(['{"n":1}']);
    expect(faultKindOf(error)).toBe('unserved');
  });

  test('the end without an end frame is not an end, nor is half a frame', async () => {
    const server = await serve('S', (call) => {
      call.frame({ n: 1 });
      call.stop();
    });
    server.on('Half', (call) => {
      call.write(toFrame({}, 2).subarray(0, 6));
      call.stop();
    });
    const client = clientOf(server);
    expect(await drain(client.stream('S', {}, never()))).toMatchObject({
      messages: ['{"n":1}'],
      error: { code: 'upstream_truncated' },
    });
    expect(await drain(client.stream('Half', {}, never()))).toMatchObject({ error: { code: 'upstream_truncated' } });
  });

  test.each([
    [
      'a compressed message',
      (call: ConnectCall): void => {
        call.frame({}, 1);
      },
      'upstream_invalid_response',
    ],
    [
      'a compressed end',
      (call: ConnectCall): void => {
        call.frame({}, 3);
      },
      'upstream_invalid_response',
    ],
    [
      'a message of 64 MiB and a byte',
      (call: ConnectCall): void => {
        call.write(Buffer.from([0, 4, 0, 0, 1]));
      },
      'upstream_event_too_large',
    ],
    [
      'a JSON answer',
      (call: ConnectCall): void => {
        call.answer({});
      },
      'upstream_invalid_response',
    ],
  ])('%s ends it, and the connection', async (_name, answer, code) => {
    const server = await serve('S', answer);
    expect(await drain(clientOf(server).stream('S', {}, never()))).toMatchObject({ error: { code } });
    await (
      await server.arrived('S')
    ).closed;
  });

  test('neither a late status line nor silence is a timeout', async () => {
    const server = await serve('S', () => undefined);
    const client = clientOf(server, { timeouts: { connectMs: 5000, firstByteMs: 20, idleMs: 20 } });
    const drained = drain(client.stream('S', {}, never()));
    const call = await server.arrived('S');
    // Real time has to pass here: a unary call that runs out of the same budgets is the clock.
    server.on('Slow', () => undefined);
    expect(await failureOf(client.call('Slow', {}, never()))).toMatchObject({ code: 'upstream_timeout' });
    call.frame({ n: 1 });
    expect(await failureOf(client.call('Slow', {}, never()))).toMatchObject({ code: 'upstream_timeout' });
    call.end();
    expect(await drained).toMatchObject({ messages: ['{"n":1}'], error: undefined });
  });

  test('stopping it closes the connection', async () => {
    const server = await serve('S', (call) => {
      call.frame({ n: 1 });
    });
    for await (const batch of clientOf(server).stream('S', {}, never())) {
      if (batch.length > 0) break;
    }
    await (
      await server.arrived('S')
    ).closed;
  });

  test('an abort closes the connection and is thrown', async () => {
    const server = await serve('S', (call) => {
      call.accept();
    });
    const gone = new AbortController();
    const drained = drain(clientOf(server).stream('S', {}, gone.signal));
    const call = await server.arrived('S');
    const reason = new Error('gone');
    gone.abort(reason);
    expect((await drained).error).toBe(reason);
    await call.closed;
  });
});
