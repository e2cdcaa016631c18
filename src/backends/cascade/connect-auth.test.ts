import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectServer, type ConnectCall, type ConnectServer } from '../../../test/doubles/connect-server.ts';
import { Secret } from '../../model/secret.ts';
import { openConnectClient, type ConnectClient } from './connect-client.ts';
import { createTokenSource, type TokenSource } from './token-source.ts';

const open = closedAfterEach();
const never = (): AbortSignal => new AbortController().signal;

/** A server that accepts only this token and CSRF value. */
async function guardedServer(guard: { token?: string; csrf?: string }): Promise<ConnectServer & { accept(token: string): void }> {
  const server = await openConnectServer();
  open.push(server);
  let { token } = guard;
  const answer = (call: ConnectCall): void => {
    const isStream = call.method === 'Stream';
    if (guard.csrf !== undefined && call.headers['x-codeium-csrf-token'] !== guard.csrf) {
      call.answer(Buffer.from('Invalid CSRF token\n'), { status: 403, headers: { 'content-type': 'text/plain' } });
    } else if (token !== undefined && call.headers['authorization'] !== `Bearer ${token}`) {
      if (isStream) call.end({ code: 'unauthenticated', message: 'token expired' });
      else call.fail(401, 'unauthenticated', `bad token ${String(call.headers['authorization'])}`);
    } else if (isStream) {
      call.frame({ n: 1 });
      call.end();
    } else {
      call.answer({ fine: true });
    }
  };
  server.on('Unary', answer);
  server.on('Stream', answer);
  return { ...server, accept: (fresh) => (token = fresh) };
}

function tokens(value: string | null, issue: () => string): { source: TokenSource; runs: () => number } {
  let runs = 0;
  const source = createTokenSource({
    backendName: 'agent',
    value: value === null ? null : new Secret(value),
    file: null,
    command: ['issue'],
    runCommand: async () => {
      runs += 1;
      await new Promise(setImmediate);
      return issue();
    },
    readFile: () => Promise.resolve(null),
  });
  return { source, runs: () => runs };
}

function clientOf(server: ConnectServer, token: TokenSource | null, csrfToken: Secret | null = null): ConnectClient {
  const timeouts = { connectMs: 5000, firstByteMs: 5000, idleMs: 5000 };
  const client = openConnectClient({
    backendName: 'agent',
    baseUrl: server.url,
    csrfToken,
    token,
    headers: {},
    timeouts,
    now: Date.now,
  });
  open.push(client);
  return client;
}

async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Error) return error;
  throw new Error('it succeeded');
}

async function countFrames(stream: AsyncIterable<readonly Uint8Array[]>): Promise<number> {
  let count = 0;
  for await (const batch of stream) count += batch.length;
  return count;
}

describe('the access token', () => {
  test('goes with every call, unary and stream', async () => {
    const server = await guardedServer({ token: 'token-1' });
    const client = clientOf(server, tokens('token-1', () => '').source);
    expect(await client.call('Unary', {}, never())).toEqual({ fine: true });
    expect(await countFrames(client.stream('Stream', {}, never()))).toBe(1);
  });

  test('refused, it is refreshed once and the call repeated', async () => {
    const server = await guardedServer({ token: 'token-2' });
    const { source, runs } = tokens('token-1', () => 'token-2');
    const client = clientOf(server, source);
    expect(await client.call('Unary', { body: 1 }, never())).toEqual({ fine: true });
    expect(server.callsOf('Unary').map(({ message }) => message)).toEqual([{ body: 1 }, { body: 1 }]);
    expect(await client.call('Unary', {}, never())).toEqual({ fine: true });
    expect(runs()).toBe(1);
  });

  test('refused by the end frame of a stream, likewise', async () => {
    const server = await guardedServer({ token: 'token-2' });
    const { source, runs } = tokens('token-1', () => 'token-2');
    expect(await countFrames(clientOf(server, source).stream('Stream', {}, never()))).toBe(1);
    expect(runs()).toBe(1);
  });

  test('64 calls that are refused at once share one refresh', async () => {
    const server = await guardedServer({ token: 'token-2' });
    const { source, runs } = tokens('token-1', () => 'token-2');
    const client = clientOf(server, source);
    const answers = await Promise.all(Array.from({ length: 64 }, () => client.call('Unary', {}, never())));
    expect(answers).toEqual(Array.from({ length: 64 }, () => ({ fine: true })));
    expect(runs()).toBe(1);
  });

  test('refused again, it is an error that names the settings and shows no token', async () => {
    const server = await guardedServer({ token: 'token-3' });
    const { source, runs } = tokens('token-one', () => 'token-two');
    const error = await failureOf(clientOf(server, source).call('Unary', {}, never()));
    expect(error).toMatchObject({ code: 'upstream_auth_failed', status: 502 });
    expect(error.message).toMatch(/token, token_file or token_command/);
    expect(`${error.message} ${String(error.cause)}`).not.toMatch(/token-(one|two)/);
    expect(server.callsOf('Unary')).toHaveLength(2);
    expect(runs()).toBe(1);
  });

  test('none: nothing is sent', async () => {
    const server = await guardedServer({ token: 'token' });
    const source = createTokenSource({
      backendName: 'agent',
      value: null,
      file: null,
      command: null,
      runCommand: () => Promise.reject(new Error('not expected')),
      readFile: () => Promise.resolve(null),
    });
    const client = clientOf(server, source);
    expect(await failureOf(client.call('Unary', {}, never()))).toMatchObject({ code: 'upstream_auth_missing', status: 401 });
    expect(await failureOf(countFrames(client.stream('Stream', {}, never())))).toMatchObject({ code: 'upstream_auth_missing' });
    expect(server.calls).toEqual([]);
    source.set(new Secret('token'));
    expect(await client.call('Unary', {}, never())).toEqual({ fine: true });
  });
});

describe('the CSRF value', () => {
  test('missing: the message says which setting', async () => {
    const server = await guardedServer({ csrf: 'right' });
    const error = await failureOf(clientOf(server, null).call('Unary', {}, never()));
    expect(error).toMatchObject({ code: 'upstream_auth_failed', message: expect.stringMatching(/set csrf_token/) as string });
  });

  test('wrong: no token is refreshed for it, and its value is not shown', async () => {
    const server = await guardedServer({ csrf: 'right', token: 'token-1' });
    const { source, runs } = tokens('token-1', () => 'token-2');
    const error = await failureOf(clientOf(server, source, new Secret('wrong-canary')).call('Unary', {}, never()));
    expect(error).toMatchObject({ code: 'upstream_auth_failed', message: expect.stringMatching(/csrf_token must be/) as string });
    expect(error.message).not.toContain('wrong-canary');
    expect(runs()).toBe(0);
    expect(server.callsOf('Unary')).toHaveLength(1);
  });
});
