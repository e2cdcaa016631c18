import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { findLocalBackends, type LocalSearch } from './find-local-backends.ts';
import type { ChatSettings } from './settings.ts';

const timeouts = { connectMs: 1, firstByteMs: 2, idleMs: 3 };
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

async function openServer(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function json(body: unknown, status = 200): RequestListener {
  return (_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const list = { object: 'list', data: [{ id: 'llama3:8b', owned_by: 'library' }, { id: 'qwen3' }, 'noise'] };

function find(port: number, search: Partial<LocalSearch> = {}) {
  return findLocalBackends({
    servers: [{ name: 'ollama', port, vendor: 'ollama' }],
    known: [],
    ownPort: 1,
    timeouts,
    timeoutMs: 2_000,
    ...search,
  });
}

test('a server that lists models is a backend without a key', async () => {
  const asked: (string | undefined)[] = [];
  const port = await openServer((request, response) => {
    asked.push(`${String(request.method)} ${String(request.url)}`, request.headers.authorization);
    json(list)(request, response);
  });
  expect(await find(port)).toEqual([
    {
      backend: {
        type: 'chat',
        name: 'ollama',
        origin: `found on 127.0.0.1:${String(port)}`,
        baseUrl: `http://127.0.0.1:${String(port)}/v1`,
        apiKey: null,
        vendor: 'ollama',
        thinkTags: null,
        headers: new Map(),
        caFile: null,
        timeouts,
      },
      models: ['llama3:8b', 'qwen3'],
    },
  ]);
  expect(asked).toEqual(['GET /v1/models', undefined]);
});

test('a server without models is there too', async () => {
  expect(await find(await openServer(json({ object: 'list', data: null })))).toMatchObject([{ models: [] }]);
});

test.each<[string, RequestListener]>([
  ['another web server', (_request, response) => response.end('<html>')],
  ['JSON that is no list', json({ hello: 'world' })],
  ['a list of something else', json({ object: 'list', data: 'x' })],
  ['an error', json(list, 401)],
  ['a redirect', (_request, response) => response.writeHead(302, { location: '/' }).end()],
  ['a cut answer', (_request, response) => response.writeHead(200, { 'content-length': '100' }).end('{"object":"li')],
  ['a flood', (_request, response) => response.end(`{"object":"list","data":["${'x'.repeat(2 * 1024 ** 2)}"]}`)],
])('%s is no model server', async (_what, answer) => {
  expect(await find(await openServer(answer))).toEqual([]);
});

test('a silent server and a closed port are not there', async () => {
  const silent = await openServer(() => undefined);
  expect(await find(silent, { timeoutMs: 30 })).toEqual([]);
  expect(await find(9, { timeoutMs: 2_000 })).toEqual([]);
});

test('what is known by name or address, and the gateway itself, is not asked', async () => {
  let asked = 0;
  const port = await openServer((request, response) => {
    asked += 1;
    json(list)(request, response);
  });
  const local: ChatSettings = {
    type: 'chat',
    name: 'mine',
    origin: '',
    baseUrl: `http://localhost:${String(port)}/v1`,
    apiKey: null,
    vendor: null,
    thinkTags: null,
    headers: new Map(),
    caFile: null,
    timeouts,
  };
  expect(await find(port, { known: [local] })).toEqual([]);
  expect(await find(port, { known: [{ ...local, name: 'ollama', baseUrl: 'http://elsewhere/v1' }] })).toEqual([]);
  expect(await find(port, { ownPort: port })).toEqual([]);
  expect(asked).toBe(0);
});
