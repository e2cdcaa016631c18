import { setMaxListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openConnectServer, type ConnectServer, type ConnectServerOptions } from '../../../test/doubles/connect-server.ts';
import { createTestAuthority, type TestAuthority } from '../../../test/doubles/test-certificates.ts';
import { openConnectClient, type ConnectClient } from './connect-client.ts';

let authority: TestAuthority;
const open: { close(): Promise<unknown> }[] = [];
beforeAll(() => {
  authority = createTestAuthority();
});
afterAll(() => {
  authority.remove();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
const never = (): AbortSignal => new AbortController().signal;

async function serve(options: ConnectServerOptions): Promise<ConnectServer> {
  const server = await openConnectServer(options);
  open.push(server);
  return server;
}

function clientOf(server: ConnectServer, caFile: string | null): ConnectClient {
  const client = openConnectClient({
    backendName: 'agent',
    baseUrl: server.url,
    csrfToken: null,
    token: null,
    headers: {},
    timeouts: { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 },
    now: Date.now,
    ...(caFile !== null && { caFile }),
  });
  open.push(client);
  return client;
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Reads a stream to its end; the messages, and what ended it. */
async function drain(stream: AsyncIterable<readonly Uint8Array[]>): Promise<{ messages: string[]; error: unknown }> {
  const messages: string[] = [];
  try {
    for await (const batch of stream) messages.push(...batch.map((payload) => Buffer.from(payload).toString()));
  } catch (error) {
    return { messages, error };
  }
  return { messages, error: undefined };
}

describe.each([
  ['h2', '2.0', true],
  ['HTTP/1.1 on https', '1.1', false],
])('%s', (_name, version, allowH2) => {
  const secureServer = (): Promise<ConnectServer> => serve({ tls: authority.issue('IP:127.0.0.1'), allowH2 });

  test('unary calls and streams', async () => {
    const server = await secureServer();
    server.on('Echo', (call) => {
      call.answer({ echo: call.message });
    });
    server.on('Stream', (call) => {
      call.frame({ n: 1 });
      call.frame({ n: 2 });
      call.end();
    });
    const client = clientOf(server, authority.caFile);
    expect(await client.call('Echo', { a: 'é' }, never())).toEqual({ echo: { a: 'é' } });
    expect(await drain(client.stream('Stream', { text: 'x'.repeat(1000) }, never()))).toEqual({
      messages: ['{"n":1}', '{"n":2}'],
      error: undefined,
    });
    expect(server.calls.map(({ httpVersion }) => httpVersion)).toEqual([version, version]);
    expect(server.callsOf('Stream')[0]?.message).toEqual({ text: 'x'.repeat(1000) });
  });

  test('long-polling streams are in nobody’s way', async () => {
    const server = await secureServer();
    server.on('Echo', (call) => {
      call.answer({ n: call.message['n'] });
    });
    server.on('Stream', (call) => {
      call.accept();
    });
    const client = clientOf(server, authority.caFile);
    const gone = new AbortController();
    setMaxListeners(20, gone.signal);
    const streams = Array.from({ length: 20 }, () => drain(client.stream('Stream', {}, gone.signal)));
    await server.arrived('Stream', 20);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => client.call('Echo', { n }, never())));
    expect(answers).toEqual(Array.from({ length: 40 }, (_, n) => ({ n })));
    gone.abort(new Error('enough'));
    for (const { error } of await Promise.all(streams)) expect(error).toMatchObject({ message: 'enough' });
    await Promise.all(server.callsOf('Stream').map(({ closed }) => closed));
  });

  test('an abort reaches the server, before and after the status line', async () => {
    const server = await secureServer();
    server.on('Stream', (call) => {
      call.frame({});
    });
    server.on('Slow', () => undefined);
    const client = clientOf(server, authority.caFile);
    const gone = new AbortController();
    const outcomes = [errorOf(client.call('Slow', {}, gone.signal)), drain(client.stream('Stream', {}, gone.signal))] as const;
    const calls = [await server.arrived('Slow'), await server.arrived('Stream')];
    const reason = new Error('gone');
    gone.abort(reason);
    expect(await outcomes[0]).toBe(reason);
    expect((await outcomes[1]).error).toBe(reason);
    await Promise.all(calls.map(({ closed }) => closed));
  });

  test('a connection that dies in the middle of a stream; the next call gets a new one', async () => {
    const server = await secureServer();
    server.on('Stream', (call) => {
      call.frame({ n: 1 });
    });
    server.on('Echo', (call) => {
      call.answer({ fine: true });
    });
    const client = clientOf(server, authority.caFile);
    const stream = client.stream('Stream', {}, never());
    await stream.next();
    expect((await stream.next()).value).toHaveLength(1);
    server.callsOf('Stream')[0]?.destroy();
    expect(await drain(stream)).toMatchObject({ messages: [], error: { code: 'upstream_truncated' } });
    expect(await client.call('Echo', {}, never())).toEqual({ fine: true });
  });

  test('a server that is not trusted gets nothing', async () => {
    const server = await serve({ tls: authority.selfSigned('IP:127.0.0.1'), allowH2 });
    expect(await errorOf(clientOf(server, null).call('Echo', {}, never()))).toMatchObject({ code: 'upstream_tls_error' });
    expect(server.calls).toEqual([]);
  });
});
