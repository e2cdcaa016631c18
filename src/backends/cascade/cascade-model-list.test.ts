import { describe, expect, test } from 'vitest';
import { closedAfterEach } from '../../../test/closed-after-each.ts';
import { openConnectedPair, type ConnectedPair } from '../../../test/doubles/agent-server-client.ts';

const open = closedAfterEach();
const never = (): AbortSignal => new AbortController().signal;
const configCall = 'GetCascadeModelConfigData';
const modelsCall = 'GetAvailableModels';

async function connect(models: Record<string, string> = {}): Promise<ConnectedPair> {
  const pair = await openConnectedPair({ models: new Map(Object.entries(models)) });
  open.push(pair);
  return pair;
}

const configs = (...ids: string[]): object => ({
  clientModelConfigs: ids.map((id, n) => ({ modelId: id, label: `Model ${id}`, modelOrAlias: { model: `MODEL_M${String(n)}` } })),
});

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('the first catalogue is enough', async () => {
  const { server, agent } = await connect();
  server.on(configCall, (call) => {
    call.answer(configs('a', 'b'));
  });
  expect(await agent.listModels(never())).toEqual([
    { id: 'a', enumName: 'MODEL_M0', label: 'Model a' },
    { id: 'b', enumName: 'MODEL_M1', label: 'Model b' },
  ]);
  expect(server.calls.map(({ method }) => method)).toEqual([configCall]);
});

test.each(['404', '500', 'empty'])('the first one is of no use (%s): the second is asked', async (reason) => {
  const { server, agent } = await connect();
  if (reason === '500')
    server.on(configCall, (call) => {
      call.fail(500, 'unknown', 'boom');
    });
  if (reason === 'empty')
    server.on(configCall, (call) => {
      call.answer({});
    });
  server.on(modelsCall, (call) => {
    call.answer({ response: { models: { x: { model: 'MODEL_X', displayName: 'X' } } } });
  });
  expect(await agent.listModels(never())).toEqual([{ id: 'x', enumName: 'MODEL_X', label: 'X' }]);
  expect(server.callsOf(modelsCall)[0]?.message).toEqual({ forceRefresh: true });
});

test.each([
  ['overloaded', 503, 'unavailable'],
  ['forbidden', 403, 'permission_denied'],
  ['out of quota', 429, 'resource_exhausted'],
  ['late', 504, 'deadline_exceeded'],
] as const)('the first one alone is %s: the second is asked', async (_name, status, code) => {
  const { server, agent } = await connect();
  server.on(configCall, (call) => {
    call.fail(status, code, 'not this one');
  });
  server.on(modelsCall, (call) => {
    call.answer({ response: { models: { x: { model: 'MODEL_X', displayName: 'X' } } } });
  });
  expect(await agent.listModels(never())).toEqual([{ id: 'x', enumName: 'MODEL_X', label: 'X' }]);
});

test('so it is when the first one is no JSON', async () => {
  const { server, agent } = await connect();
  server.on(configCall, (call) => {
    call.answer(Buffer.from('<html>'), { headers: { 'content-type': 'text/html' } });
  });
  server.on(modelsCall, (call) => {
    call.answer({ response: { models: { x: { model: 'MODEL_X' } } } });
  });
  expect(await agent.listModels(never())).toMatchObject([{ id: 'x' }]);
});

describe('configured models', () => {
  test('replace and add', async () => {
    const { server, agent } = await connect({ a: 'MODEL_OTHER', mine: 'MODEL_MINE' });
    server.on(configCall, (call) => {
      call.answer(configs('a', 'b'));
    });
    expect((await agent.listModels(never())).map(({ id, enumName }) => [id, enumName])).toEqual([
      ['a', 'MODEL_OTHER'],
      ['b', 'MODEL_M1'],
      ['mine', 'MODEL_MINE'],
    ]);
  });

  test('are all there is where the server has no catalogue', async () => {
    const { agent } = await connect({ mine: 'MODEL_MINE' });
    expect(await agent.listModels(never())).toEqual([{ id: 'mine', enumName: 'MODEL_MINE', label: null }]);
  });

  test('stand in for catalogues that fail, for ten seconds and never for a list that was read', async () => {
    const { server, agent, clock } = await connect({ mine: 'MODEL_MINE' });
    const fail = (): void => {
      for (const method of [configCall, modelsCall]) {
        server.on(method, (call) => {
          call.fail(503, 'unavailable', 'later');
        });
      }
    };
    const names = async (): Promise<string[]> => (await agent.listModels(never())).map(({ id }) => id);
    fail();
    expect(await names()).toEqual(['mine']);
    server.on(configCall, (call) => {
      call.answer(configs('a'));
    });
    clock.advance(9_999);
    expect(await names()).toEqual(['mine']);
    clock.advance(1);
    expect(await names()).toEqual(['a', 'mine']);
    clock.advance(60_000);
    fail();
    expect(await names()).toEqual(['a', 'mine']);
  });

  test('do not hide that the server cannot be asked', async () => {
    const { server, agent } = await connect({ mine: 'MODEL_MINE' });
    server.on(configCall, (call) => {
      call.fail(401, 'unauthenticated', 'no');
    });
    expect(await errorOf(agent.listModels(never()))).toMatchObject({ code: 'upstream_auth_failed' });
    expect(server.callsOf(modelsCall)).toEqual([]);
  });
});

test('no catalogue and nothing configured is an error', async () => {
  const { agent } = await connect();
  expect(await errorOf(agent.listModels(never()))).toMatchObject({ code: 'upstream_error' });
});

describe('the cache', () => {
  test('one question a minute; failures and empty lists are not kept', async () => {
    const { server, agent, clock } = await connect();
    expect(await errorOf(agent.listModels(never()))).toBeDefined();
    for (const method of [configCall, modelsCall]) {
      server.on(method, (call) => {
        call.answer({});
      });
    }
    expect(await agent.listModels(never())).toEqual([]);
    server.on(configCall, (call) => {
      call.answer(configs('a'));
    });
    const asked = server.callsOf(configCall).length;
    for (let n = 0; n < 3; n++) expect(await agent.listModels(never())).toHaveLength(1);
    clock.advance(59_999);
    await agent.listModels(never());
    expect(server.callsOf(configCall)).toHaveLength(asked + 1);
    clock.advance(1);
    await agent.listModels(never());
    expect(server.callsOf(configCall)).toHaveLength(asked + 2);
  });

  test('an old list will do for ten minutes where it may be old; the next one is fetched meanwhile', async () => {
    const { server, agent, clock } = await connect();
    const serve = (id: string): void => {
      server.on(configCall, (call) => {
        call.answer(configs(id));
      });
    };
    const first = async (mayBeOld: boolean): Promise<string | undefined> => (await agent.listModels(never(), mayBeOld))[0]?.id;
    serve('a');
    expect(await first(true)).toBe('a');
    serve('b');
    clock.advance(60_000);
    expect(await first(true)).toBe('a');
    await server.arrived(configCall, 2);
    expect(await first(false)).toBe('b');
    expect(server.callsOf(configCall)).toHaveLength(2);
    serve('c');
    clock.advance(600_000);
    expect(await first(true)).toBe('c');
  });

  test('all who ask at once share one call; who leaves does not stop it', async () => {
    const { server, agent } = await connect();
    server.on(configCall, () => undefined);
    const gone = new AbortController();
    const left = errorOf(agent.listModels(gone.signal));
    const staying = Array.from({ length: 8 }, () => agent.listModels(never()));
    const call = await server.arrived(configCall);
    gone.abort(new Error('gone'));
    expect(await left).toMatchObject({ message: 'gone' });
    call.answer(configs('a'));
    for (const models of await Promise.all(staying)) expect(models).toHaveLength(1);
    expect(server.callsOf(configCall)).toHaveLength(1);
  });
});
